"""The journal on screen: what was done from here, newest first."""

from __future__ import annotations

import asyncio
from pathlib import Path

from textual import on
from textual.app import ComposeResult

from backends.text import clean
from tui import journal
from tui.formats import local_time
from tui.journal import Entry
from tui.selection import word_of
from tui.view import View
from widgets.confirm import Choice, Confirm
from widgets.glyphs import Glyphs
from widgets.line import Line, Part
from widgets.table import Cell, Column, Row, Table
from widgets.tones import Tone

_COLUMNS = (
    Column("time", "TIME", 19),
    Column("action", "ACTION", 13),
    Column("name", "OBJECT", 14, flex=2),
    Column("engine", "ENGINE", 10, priority=2),
    Column("seconds", "TOOK", 6, align="right", priority=1),
    Column("result", "RESULT", 12, flex=4),
)


class JournalView(View):
    place = "journal"

    DEFAULT_CSS = """
    JournalView > Line { background: $surface; }
    """

    def __init__(self, file: Path, glyphs: Glyphs) -> None:
        super().__init__(id="journal-view")
        self._file = file
        self._reading: asyncio.Task[None] | None = None
        self._glyphs = glyphs
        self._entries: list[Entry] = []
        self._title = Line(glyphs=glyphs)
        self.table = Table(_COLUMNS, id="journal", glyphs=glyphs)

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.table

    def focus_content(self) -> None:
        self.table.focus()

    def draw(self) -> None:
        """Read the file anew and show it."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read(), name="journal")

    async def _read(self) -> None:
        try:
            entries = await asyncio.to_thread(journal.tail, self._file)
        except OSError as error:
            self.fill([], f"{self._file} cannot be read: {error.strerror}")
            return
        self.fill(entries, str(self._file))

    @on(Table.Opened)
    def _opened(self, event: Table.Opened) -> None:
        event.stop()
        self.open()

    def open(self) -> None:
        """Show the selected entry whole."""
        if self.table.cursor_key is not None:
            self.app.push_screen(self.details())

    def details(self) -> Confirm:
        """The selected entry whole, in a box to read."""
        key = self.table.cursor_key
        entry = self._entries[key] if isinstance(key, int) else None
        lines: list[tuple[str, Tone]] = []
        if entry is not None:
            lines = [
                (f"{local_time(entry.time)}, took {entry.seconds:.1f} s", "dim"),
                (clean(f"{word_of(entry.action, entry.kind)} {entry.kind} {entry.name} on {entry.engine}"), "strong"),
                (clean(str(entry.id)), "dim"),
                (clean(str(entry.result)), "ok" if entry.result == "done" else "error"),
            ]
        close = (Choice("close", "Close"),)
        return Confirm("Journal", lines, choices=close, safe="close", glyphs=self._glyphs)

    def fill(self, entries: list[Entry], about: str) -> None:
        self._title.set_parts([Part(" 5 Journal", "accent"), Part(f"  {about}", "dim")])
        self.table.set_message([("Nothing was done from here yet.", "dim")])
        self._entries = entries
        self.table.set_rows([_row(number, entry) for number, entry in enumerate(entries)])


def _row(number: int, entry: Entry) -> Row:
    """The file may have been written by others: its texts are cleaned again."""
    done = entry.result == "done"
    return Row(
        number,
        (
            Cell(local_time(entry.time), "dim"),
            Cell(clean(word_of(entry.action, entry.kind))),
            Cell(clean(str(entry.name))),
            Cell(clean(str(entry.engine)), "dim"),
            Cell(f"{entry.seconds:.1f} s", "dim"),
            Cell(clean(str(entry.result)), "ok" if done else "error"),
        ),
    )
