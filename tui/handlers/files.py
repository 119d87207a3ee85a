"""A container's files: looked at in a browser, copied to and from this machine in the background."""

from __future__ import annotations

import asyncio
import os
import posixpath
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from backends.abilities.files import Copied, FileKind, Files
from backends.base import ActionError, EngineError
from backends.model import Container, Item, State
from backends.progress import Progress, Report
from backends.text import clean
from tui.confirmations import CANCEL
from tui.formats import size_long
from tui.handlers.area import Area, reason_of
from tui.host_files import facts, label
from tui.tasks import Task, TaskState, Work
from widgets.browser import BrowseAction, BrowseError, Browser
from widgets.confirm import Choice, Confirm
from widgets.entries import Entry, Listing
from widgets.tones import Tone

if TYPE_CHECKING:
    from tui.app import BoxtopApp

_OUT, _IN = "out", "in"
_COPY_OUT, _COPY_IN = "copy out", "copy in"
_TONES: Mapping[TaskState, Tone] = {TaskState.DONE: "ok", TaskState.FAILED: "error", TaskState.CANCELLED: "warn"}
_ACTIONS = (
    BrowseAction(_OUT, "Copy to host", "ctrl+o", "^O"),
    BrowseAction(_IN, "Copy from host", "ctrl+r", "^R"),
)
_NO_ROW = "."


class FilesArea(Area):
    def __init__(self, app: BoxtopApp) -> None:
        super().__init__(app)
        self._host_folder = "."
        """Where the last copy went to or came from."""
        self._folders: dict[str, str] = {}
        """Where each container's browser was left."""

    async def browse(self, items: Sequence[Item]) -> None:
        container = items[0]
        if not isinstance(container, Container):
            return
        await _Browsing(self, container).run()

    def note_host(self, path: str) -> None:
        self._host_folder = os.path.dirname(path)  # noqa: PTH120

    @property
    def host_folder(self) -> str:
        return self._host_folder

    @property
    def folders(self) -> dict[str, str]:
        return self._folders


class _Browsing:
    """One container's browser, from its opening to its end, with the copies begun in it."""

    def __init__(self, area: FilesArea, container: Container) -> None:
        self._area = area
        self._app = area.app
        self._container = container
        self._able = area.able(container.ref.engine, Files)
        self._works: set[asyncio.Task[None]] = set()
        start = area.folders.get(container.ref.id, "/")
        self._browser = Browser(
            f"Files of {container.name}",
            start,
            self._list,
            mode="look",
            facts=facts,
            label=label,
            actions=_ACTIONS,
            act=self._act,
            glyphs=area.glyphs,
        )

    async def run(self) -> None:
        await self._area.ask(self._browser)
        self._area.folders[self._container.ref.id] = self._browser.folder

    @property
    def _barred(self) -> str:
        return self._app.store.barred.get(self._container.ref.engine, "")

    async def _list(self, path: str) -> Listing:
        ref = self._container.ref
        now = self._app.store.get(ref)
        # On a read-only engine nothing is started, not even what lists a folder
        run = isinstance(now, Container) and now.state is State.RUNNING and not self._barred
        try:
            folder = await self._able.list(ref, path, run=run)
        except (ActionError, EngineError) as error:
            raise BrowseError(reason_of(error)) from error
        entries = [
            Entry(
                entry.name,
                entry.kind.value,
                entry.size,
                entry.modified,
                entry.kind in {FileKind.FOLDER, FileKind.LINK},
                "" if entry.label == entry.name else entry.label,
            )
            for entry in folder.entries
        ]
        return Listing(folder.path, entries, folder.note)

    def _act(self, action: str, folder: str, entry: Entry | None) -> None:
        if action == _OUT:
            if entry is None or entry.name == _NO_ROW:
                self._browser.say("there is nothing to copy here", "warn")
            else:
                self._start(self._copy_out(folder, entry))
        elif self._barred:
            self._browser.say(self._barred, "warn")
        else:
            self._start(self._copy_in(folder))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        async def told() -> None:
            try:
                await work
            except (ActionError, EngineError) as error:
                self._browser.say(reason_of(error), "error")

        task = asyncio.create_task(told(), name="files")
        self._works.add(task)
        task.add_done_callback(self._works.discard)

    async def _copy_out(self, folder: str, entry: Entry) -> None:
        path = posixpath.join(folder, entry.name)
        shown = entry.label or entry.name
        begin = os.path.join(self._area.host_folder, entry.name)  # noqa: PTH118
        target = await self._app.browse_host(f"Copy {label(shown)} to", begin, kind="save")
        if target is None:
            return
        self._area.note_host(target)
        # What is there by now the user agreed to have replaced
        replace = await asyncio.to_thread(os.path.lexists, target)

        async def work(report: Report) -> str:
            copied = await self._able.copy_out(self._container.ref, path, target, report, replace=replace)
            return _told(copied)

        self._begin(_COPY_OUT, f"{self._container.name}:{label(path)}", work, asked=replace)

    async def _copy_in(self, folder: str) -> None:
        source = await self._app.browse_host(f"Copy into {label(folder)}", self._area.host_folder, kind="any")
        if source is None:
            return
        self._area.note_host(source)
        name = posixpath.basename(source)
        if not name:
            self._browser.say("the whole root folder is not copied: choose something in it", "warn")
            return
        there = await self._able.find(self._container.ref, posixpath.join(folder, name))
        if there is not None and not await self._agreed(folder, name, whole=there.kind is not FileKind.FOLDER):
            return

        async def work(report: Report) -> str:
            try:
                copied = await self._able.copy_in(self._container.ref, source, folder, report)
            except (asyncio.CancelledError, ActionError, EngineError):
                report.line(f"What was copied by then stays in {label(folder)} of {self._container.name}.")
                raise
            return _told(copied)

        # What is not there yet may be by the time it is tried again
        self._begin(_COPY_IN, f"{self._container.name}:{label(posixpath.join(folder, name))}", work, asked=True)

    async def _agreed(self, folder: str, name: str, *, whole: bool) -> bool:
        lines: list[tuple[str, Tone]] = [
            (f"{label(posixpath.join(folder, name))}  in {self._container.name}", "strong"),
            (
                "What is in it is lost." if whole else "It is a folder: files in it of the same names are replaced.",
                "warn",
            ),
        ]
        choices = (Choice(CANCEL, "Cancel"), Choice("replace", "Replace", tone="error"))
        title = f"Replace {label(name)}?"
        answer = await self._area.ask(Confirm(title, lines, choices=choices, safe=CANCEL, glyphs=self._area.glyphs))
        return answer is not None and answer.choice == "replace"

    def _begin(self, verb: str, target: str, work: Work, *, asked: bool) -> None:
        async def shown(report: Report) -> str:
            return await work(_Shown(report, self._say))

        task = self._app.tasks.start(
            verb, target, self._container.ref.engine, shown, ref=self._container.ref, asked=asked
        )
        self._say(f"{task.title}: in the background")
        if task.running is not None:
            task.running.add_done_callback(lambda _: self._ended(task))

    def _say(self, text: str, tone: Tone = "info") -> None:
        if self._browser.is_attached:
            self._browser.say(text, tone)

    def _ended(self, task: Task) -> None:
        said, tone = f"{task.title}: {task.result}", _TONES.get(task.state, "info")
        self._say(said, tone)
        if task.verb == _COPY_IN and self._browser.is_attached:
            self._browser.action_reload(then=(said, tone))


class _Shown:
    """A Report that also tells the browser how far it is."""

    def __init__(self, report: Report, say: Callable[[str], None]) -> None:
        self._report = report
        self._say = say

    def progress(self, progress: Progress) -> None:
        self._report.progress(progress)
        total = f" of {size_long(progress.total)}" if progress.total else ""
        done = f", {size_long(progress.done)}{total}" if progress.done is not None else ""
        self._say(f"{progress.text}{done}")

    def line(self, text: str) -> None:
        self._report.line(text)


def _told(copied: Copied) -> str:
    files = f"{copied.files:,} file{'' if copied.files == 1 else 's'}"
    left = f"; left out: {', '.join(copied.left_out)}" if copied.left_out else ""
    return f"{files}, {size_long(copied.bytes)}, to {clean(copied.path)}{left}"
