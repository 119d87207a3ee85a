"""Disk images and ISOs of every engine that has such, on screen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from backends.abilities import ability_name
from backends.abilities.media import Media, Medium
from backends.base import ActionError, EngineError
from backends.text import clean
from tui.commands import Here
from tui.formats import size
from tui.view import View
from widgets.line import Line, Part
from widgets.table import Cell, Column, Row, Table
from widgets.tones import Tone

if TYPE_CHECKING:
    from tui.app import BoxtopApp

Key = tuple[str, str]
"""Engine and id."""

_COLUMNS = (
    Column("name", "NAME", 18, flex=3),
    Column("kind", "KIND", 5),
    Column("format", "FORMAT", 6, priority=2),
    Column("virtual", "SIZE", 7, align="right"),
    Column("real", "ON DISK", 7, align="right"),
    Column("users", "USED BY", 14, flex=2),
    Column("folder", "WHERE", 12, flex=3, priority=1),
    Column("engine", "ENGINE", 10, priority=3),
)


class MediaView(View):
    place = "media"

    DEFAULT_CSS = """
    MediaView > Line { background: $surface; }
    MediaView > Input { height: 1; border: none; padding: 0 1; background: $panel; display: none; }
    """

    def __init__(self, app: BoxtopApp) -> None:
        super().__init__(id="media-view")
        self._boxtop = app
        glyphs = app.look().glyphs
        self._title = Line(glyphs=glyphs)
        self.table = Table(_COLUMNS, id="media", glyphs=glyphs)
        self.entry = Input(placeholder="words of the path, the user, the format", compact=True, select_on_focus=False)
        self.entry.cursor_blink = False
        self._found: dict[Key, tuple[str, Medium]] = {}
        self._failed: list[str] = []
        self._reading: asyncio.Task[None] | None = None
        self.read_once = False

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.entry
        yield self.table

    def focus_content(self) -> None:
        self.table.focus()

    def draw(self) -> None:
        """Ask anew when it is shown."""
        if self._reading is None:
            self.refresh_media()
        self._fill()

    def back(self) -> bool:
        if self.entry.display:
            self.entry.value = ""
            self._end_entry()
            self._fill()
            return True
        return False

    def left(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    @property
    def current(self) -> tuple[str, Medium] | None:
        """The engine and the medium of the row under the cursor."""
        key = self.table.cursor_key
        return self._found.get(key) if isinstance(key, tuple) else None

    @property
    def here(self) -> Here:
        chosen = self.current
        abilities = self._boxtop.store.rights.abilities
        engines = tuple(key for key, able in abilities.items() if ability_name(Media) in able)
        return Here(chosen[1] if chosen else None, chosen[0] if chosen else "", engines)

    @on(Table.Selected)
    def _selected(self, event: Table.Selected) -> None:
        event.stop()
        self.post_message(self.Changed())

    @property
    def media(self) -> Sequence[tuple[str, Medium]]:
        return tuple(self._found.values())

    def refresh_media(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._reading = asyncio.create_task(self._read(), name="media")

    async def _read(self) -> None:
        rights = self._boxtop.store.rights
        engines = [
            key for key, able in rights.abilities.items() if ability_name(Media) in able and key not in rights.lost
        ]
        answers = await asyncio.gather(*(self._ask(engine) for engine in engines))
        self._failed = [
            f"{engine}: {answer}" for engine, answer in zip(engines, answers, strict=True) if isinstance(answer, str)
        ]
        self._found = {
            (engine, medium.id): (engine, medium)
            for engine, answer in zip(engines, answers, strict=True)
            if not isinstance(answer, str)
            for medium in answer
        }
        self.read_once = True
        if self.is_attached:
            self._fill()

    async def _ask(self, engine: str) -> Sequence[Medium] | str:
        backend = self._boxtop.session.backend(engine)
        able = backend.ability(Media) if backend is not None else None
        if able is None:
            return "it is not connected"
        try:
            return await able.media()
        except (ActionError, EngineError) as error:
            return str(error)

    def ask_filter(self) -> None:
        """At once: the next letters may be on their way already, and must not be taken for commands."""
        self.entry.display = True
        self.screen.set_focus(self.entry)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        self._fill()

    @on(Input.Submitted)
    def _typed_out(self, event: Input.Submitted) -> None:
        event.stop()
        self._end_entry()

    def _end_entry(self) -> None:
        self.entry.display = bool(self.entry.value)
        self.table.focus()

    def _fill(self) -> None:
        words = self.entry.value.lower().split()
        shown = [
            (key, engine, medium)
            for key, (engine, medium) in self._found.items()
            if all(word in _words(key, engine, medium) for word in words)
        ]
        shown.sort(key=lambda entry: (entry[2].kind, _name(entry[2]).lower(), entry[2].path))
        nothing = "No medium matches. Esc shows all." if words else "No engine here knows a disk image or an ISO."
        self.table.set_message([(nothing if self.read_once else "asking", "dim")])
        self.table.set_rows([row_of(key, engine, medium) for key, engine, medium in shown])
        self.post_message(self.Changed())
        taken = sum(medium.real or 0 for _, _, medium in shown)
        parts = [
            Part(" Media", "accent"),
            Part(f"  {len(shown)}, {size(taken)} on disk" if self.read_once else "", "dim"),
        ]
        if self._failed:
            parts.append(Part(f"  {'; '.join(self._failed)}", "error"))
        self._title.set_parts(parts)


def row_of(key: Key, engine: str, medium: Medium) -> Row:
    users = ", ".join(medium.users)
    tone: Tone = ""
    if medium.missing:
        users, tone = medium.missing, "error"
    elif medium.base:
        users, tone = "base image" + (f", {medium.resting} rest on it" if medium.resting else ""), "accent"
    elif not users and medium.resting:
        users = f"{medium.resting} resting on it"
    folder = clean(medium.path.rpartition("/")[0])
    return Row(
        key,
        (
            Cell(_name(medium)),
            Cell(medium.kind, "dim"),
            Cell(medium.format, "dim"),
            Cell(size(medium.virtual)),
            Cell(size(medium.real), "dim"),
            Cell(users or "unused", tone if users else "dim"),
            Cell(f"{medium.place}: {folder}" if medium.place else folder, "dim"),
            Cell(engine, "dim"),
        ),
    )


def _words(key: Key, engine: str, medium: Medium) -> str:
    """What a filter finds it by: all that its row shows, and what that leaves out."""
    cells = (cell.text for cell in row_of(key, engine, medium).cells)
    return " ".join((medium.path, *medium.users, *cells)).lower()


def _name(medium: Medium) -> str:
    return clean(medium.path.rpartition("/")[2])
