"""The rows of a file browser: folders first, filtered by what is typed, drawn one line each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from textual import events
from textual.message import Message
from textual.strip import Strip

from widgets.glyphs import BRAILLE, Glyphs
from widgets.lines import join
from widgets.scrolling import CursorLines
from widgets.text import fit_runs
from widgets.tones import Ground, Tone

_SIZE, _TIME = 7, 18
_ROOM = 24
"""Cells a name keeps before the time is left out."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in a folder. `size` in bytes, `time` of its last change in Unix time; None: not known."""

    name: str
    """As the place calls it; may hold anything but `/`."""
    kind: Literal["folder", "file", "link", "other"]
    size: int | None = None
    time: float | None = None
    opens: bool = False
    """A folder, or a link that may lead to one: Enter goes in."""
    label: str = ""
    """What to draw where the name itself is not safe to."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What a folder holds, in any order. `note` is told below the list, e.g. that it is not all."""

    path: str
    entries: Sequence[Entry]
    note: str = ""


Rows = tuple[tuple[str, Entry], ...]
"""Entries in order, each after the text it is found by."""


def order(entries: Iterable[Entry]) -> Rows:
    """Folders first, then by name. Takes a while for many: not for the event loop."""
    rows = [((entry.label or entry.name).casefold(), entry) for entry in entries]
    rows.sort(key=lambda row: (row[1].kind != "folder", row[0], row[1].name))
    return tuple(rows)


_HERE = ("", Entry(".", "folder", opens=True, label="./  this folder"))
_SIGNS = {"folder": "/", "link": "@", "file": "", "other": "="}
_TONES: dict[str, Tone] = {"folder": "accent", "link": "info", "file": "", "other": "dim"}


class EntryList(CursorLines):
    """The entries of one folder, one of them current."""

    class Chosen(Message):
        """A click on the current entry."""

    def __init__(self, facts: Callable[[Entry], tuple[str, str]], *, glyphs: Glyphs = BRAILLE) -> None:
        super().__init__(glyphs=glyphs)
        self._facts = facts
        self._all: Rows = ()
        self._rows: list[tuple[str, Entry]] = []
        self._typed = ""
        self._hidden = False
        self._cursor = 0
        self.choose_folder = False
        """Have the folder itself as the first row."""
        self.files_dim = False

    def set_rows(self, rows: Rows, typed: str = "", onto: str = "") -> None:
        """Other entries, filtered by what is typed, with the cursor on the one named `onto` or the first."""
        self._all, self._typed, self._top = rows, typed.casefold(), 0
        self._choose(onto)

    def set_filter(self, typed: str) -> None:
        """Only names with these letters in them; a name typed from its dot on is found hidden or not."""
        self._typed = typed.casefold()
        self._top = 0
        self._choose("")

    def set_hidden(self, shown: bool) -> None:
        """Show names that begin with a dot, or not."""
        self._hidden = shown
        current = self.current
        self._choose(current.name if current else "")

    @property
    def counts(self) -> tuple[int, int]:
        """How many entries are shown, and how many there are."""
        here = 1 if self._rows and self._rows[0] is _HERE else 0
        return len(self._rows) - here, len(self._all)

    @property
    def current(self) -> Entry | None:
        return self._rows[self._cursor][1] if self._rows else None

    def _choose(self, onto: str) -> None:
        typed, hidden = self._typed, self._hidden or self._typed.startswith(".")
        rows: Iterable[tuple[str, Entry]] = self._all
        if not hidden:
            rows = (row for row in rows if not row[1].name.startswith("."))
        if typed:
            rows = (row for row in rows if typed in row[0])
        self._rows = list(rows)
        if typed:
            # What begins with the letters comes before what only has them in it
            self._rows.sort(key=lambda row: not row[0].startswith(typed))
        elif self.choose_folder:
            self._rows.insert(0, _HERE)
        self._cursor = next((at for at, row in enumerate(self._rows) if row[1].name == onto), 0) if onto else 0
        self.follow_cursor()
        self.repaint()

    def cursor_line(self) -> int | None:
        return self._cursor if self._rows else None

    def total_lines(self) -> int:
        return len(self._rows)

    def _move_to(self, line: int) -> None:
        self._cursor = max(0, min(line, len(self._rows) - 1))
        self.follow_cursor()
        self.repaint()

    def body_line(self, index: int, width: int) -> Strip:
        entry = self._rows[index][1]
        ground: Ground = "cursor" if index == self._cursor else ""
        base, dim = self.ink("", ground), self.ink("dim", ground)
        tone: Tone = "dim" if self.files_dim and not entry.opens else _TONES[entry.kind]
        size, time = self._facts(entry) if entry.name != "." else ("", "")
        right = f"{size:>{_SIZE}}" + (f"{time:>{_TIME}}" if width >= _ROOM + _SIZE + _TIME else "") + " "
        room = max(0, width - len(right))
        sign = _SIGNS[entry.kind] if entry.name != "." else ""
        name = (f" {entry.label or entry.name}{sign}", self.ink(tone, ground))
        runs = fit_runs([name], room, base, ellipsis=self.glyphs.ellipsis)
        runs += fit_runs([(right, dim)], width - room, base, align="right", ellipsis=self.glyphs.ellipsis)
        return Strip(join(runs), width)

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor; one on the cursor opens."""
        offset = event.get_content_offset(self)
        if offset is None or offset.x >= self.line_width or self.top + offset.y >= len(self._rows):
            return
        line = self.top + offset.y
        if line == self._cursor:
            self.post_message(self.Chosen())
        else:
            self._move_to(line)
