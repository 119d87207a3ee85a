"""Choosing files and folders of the machine boxtop runs on."""

from __future__ import annotations

import asyncio
import os
import posixpath
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from textual.screen import ModalScreen

from backends.text import clean
from backends.threads import in_thread
from tui.formats import UNKNOWN, local_time, size
from widgets.browser import BrowseError, Browser
from widgets.confirm import Choice, Confirm
from widgets.entries import Entry, Listing
from widgets.tones import Tone

if TYPE_CHECKING:
    from tui.app import BoxtopApp

BrowseKind = Literal["file", "folder", "any", "save"]
_MOST = 200_000
_PATIENCE = 8.0
"""Seconds a file system may take: one over a network that is gone would keep us for ever."""
_Answer = TypeVar("_Answer")


async def browse_host(app: BoxtopApp, title: str, start: str = "", *, kind: BrowseKind = "file") -> str | None:
    """The path the user chose, absolute; None on Esc. Only in a task of its own.

    `start` is the folder to begin in (or a file: its folder), for `save` a path with the name proposed. A file that
    is there already is a `save`'s answer only after the user agreed to have it replaced.
    """
    try:
        begin = await _soon(lambda: _begin(start, save=kind == "save"))
    except TimeoutError:
        begin = start or str(Path.home())
    glyphs = app.look().glyphs
    while True:
        browser = Browser(
            title, begin, list_folder, mode=kind, home=str(Path.home()), facts=facts, label=label, glyphs=glyphs
        )
        chosen = await _ask(app, browser)
        if chosen is None or kind != "save":
            return chosen
        begin = chosen
        try:
            if not await _soon(partial(os.path.lexists, chosen)):
                return chosen
        except TimeoutError:
            continue  # listing the folder will say what is the matter
        lines: list[tuple[str, Tone]] = [(label(chosen), ""), ("is there already; what is in it is lost.", "warn")]
        choices = (Choice("keep", "Keep it"), Choice("replace", "Replace", tone="error"))
        title_of = f"Replace {label(posixpath.basename(chosen))}?"
        answer = await _ask(app, Confirm(title_of, lines, choices=choices, safe="keep", glyphs=glyphs))
        if answer is not None and answer.choice == "replace":
            return chosen


async def list_folder(path: str) -> Listing:
    """What a folder of this machine holds. Raises BrowseError, also where its file system does not answer."""
    try:
        return await _soon(lambda: _list(path))
    except TimeoutError:
        raise BrowseError(
            f"{label(path)}: no answer in {_PATIENCE:.0f} s, its file system hangs; F5 asks again"
        ) from None


async def _soon(work: Callable[[], _Answer]) -> _Answer:
    """What a thread finds out of a file system. Raises TimeoutError; the thread is left to a disk that hangs."""
    found = asyncio.ensure_future(in_thread(work, lambda: None, "browse"))
    try:
        done, _ = await asyncio.wait({found}, timeout=_PATIENCE)
    finally:
        found.cancel()
    if not done:
        raise TimeoutError
    return found.result()


def facts(entry: Entry) -> tuple[str, str]:
    """An entry's size and time as texts."""
    shown = size(entry.size) if entry.kind == "file" and entry.size is not None else ""
    when = local_time(entry.time)[:16] if entry.time is not None else ""
    return shown, when if when != UNKNOWN else ""


def label(path: str) -> str:
    """A path safe to draw; what is no text in it is shown as such."""
    return clean(path)


def _begin(start: str, *, save: bool) -> str:
    """An absolute path to begin at; the nearest folder that is there."""
    path = os.path.abspath(os.path.expanduser(start or "."))  # noqa: PTH100, PTH111
    folder, name = (posixpath.dirname(path), posixpath.basename(path)) if save else (path, "")
    while not os.path.isdir(folder) and folder != "/":  # noqa: PTH112
        folder = posixpath.dirname(folder)
    return posixpath.join(folder, name) if name else folder


def _list(path: str) -> Listing:
    entries: list[Entry] = []
    note = ""
    try:
        with os.scandir(path) as found:
            for item in found:
                if len(entries) >= _MOST:
                    note = f"only {_MOST:,} of its entries are shown"
                    break
                entries.append(_entry(item))
    except OSError as error:
        raise BrowseError(f"{label(path)}: {error.strerror or error}") from error
    except ValueError as error:
        raise BrowseError("a path holds no NUL") from error
    return Listing(path, entries, note)


def _entry(item: os.DirEntry[str]) -> Entry:
    shown = label(item.name)
    name = "" if shown == item.name else shown
    try:
        folder, link = item.is_dir(), item.is_symlink()
        found = item.stat(follow_symlinks=False)
    except OSError:
        return Entry(item.name, "other", label=name)
    if link:
        return Entry(item.name, "link", None, found.st_mtime, folder, name)
    kind: Literal["folder", "file", "other"] = "other"
    if folder:
        kind = "folder"
    elif stat.S_ISREG(found.st_mode):
        kind = "file"
    return Entry(item.name, kind, found.st_size, found.st_mtime, folder, name)


async def _ask(app: BoxtopApp, dialog: ModalScreen[_Answer | None]) -> _Answer | None:
    answered: asyncio.Future[_Answer | None] = asyncio.get_running_loop().create_future()
    await app.push_screen(dialog, lambda answer: None if answered.done() else answered.set_result(answer))
    return await answered
