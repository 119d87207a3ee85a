"""The journal on screen: what was done from here, newest first."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical

from backends.text import clean
from tui.formats import local_time
from tui.journal import Entry
from widgets.glyphs import Glyphs
from widgets.line import Line, Part
from widgets.table import Cell, Column, Row, Table

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
        self._title = Line(glyphs=glyphs)
        self.table = Table(_COLUMNS, id="journal", glyphs=glyphs)

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.table

    def fill(self, entries: list[Entry], file: str) -> None:
        self._title.set_parts([Part(" 5 Journal", "accent"), Part(f"  {file}", "dim")])
        self.table.set_message([("Nothing was done from here yet.", "dim")])
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
