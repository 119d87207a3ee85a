"""The journal on screen: what was done from here, newest first."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from backends.text import clean
from tui.formats import local_time
from tui.journal import Entry
from widgets.confirm import Choice, Confirm
from widgets.glyphs import Glyphs
from widgets.line import Line, Part
from widgets.table import Cell, Column, Row, Table
from widgets.tones import Tone

_COLUMNS = (
    Column("time", "TIME", 19),
    Column("action", "ACTION", 8),
    Column("name", "OBJECT", 14, flex=2),
    Column("engine", "ENGINE", 10, priority=2),
    Column("seconds", "TOOK", 6, align="right", priority=1),
    Column("result", "RESULT", 12, flex=4),
)


class JournalView(Vertical):
    DEFAULT_CSS = """
    JournalView { height: 1fr; }
    JournalView > Line { height: 1; background: $surface; }
    """

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="journal-view")
        self._glyphs = glyphs
        self._entries: list[Entry] = []
        self._title = Line(glyphs=glyphs)
        self.table = Table(_COLUMNS, id="journal", glyphs=glyphs)

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.table

    def details(self) -> Confirm:
        """The selected entry whole, in a box to read."""
        key = self.table.cursor_key
        entry = self._entries[key] if isinstance(key, int) else None
        lines: list[tuple[str, Tone]] = []
        if entry is not None:
            lines = [
                (f"{local_time(entry.time)}, took {entry.seconds:.1f} s", "dim"),
                (clean(f"{entry.action} {entry.kind} {entry.name} on {entry.engine}"), "strong"),
                (clean(str(entry.id)), "dim"),
                (clean(str(entry.result)), "ok" if entry.result == "done" else "error"),
            ]
        close = (Choice("close", "Close"),)
        return Confirm("Journal", lines, choices=close, safe="close", glyphs=self._glyphs)

    def fill(self, entries: list[Entry], file: str) -> None:
        self._title.set_parts([Part(" 5 Journal", "accent"), Part(f"  {file}", "dim")])
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
            Cell(clean(str(entry.action))),
            Cell(clean(str(entry.name))),
            Cell(clean(str(entry.engine)), "dim"),
            Cell(f"{entry.seconds:.1f} s", "dim"),
            Cell(clean(str(entry.result)), "ok" if done else "error"),
        ),
    )
