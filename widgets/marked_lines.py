"""A list of one-line texts, each with a mark before it: only the lines on screen are made, however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip

from widgets.glyphs import BRAILLE, Glyphs
from widgets.lines import join
from widgets.scrolling import CursorLines
from widgets.text import fit_runs, plain, width_of, wrap
from widgets.tones import Ground, Tone


class MarkedLines(CursorLines, can_focus=True):
    """Texts that do not fit lose their start: of paths the end says more."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", id="marked.down", show=False),
        Binding("up,k", "move(-1)", "Up", id="marked.up", show=False),
        Binding("pagedown,space", "page(1)", "Page down", id="marked.page_down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="marked.page_up", show=False),
        Binding("home,g", "first", "First", id="marked.first", show=False),
        Binding("end,G", "last", "Last", id="marked.last", show=False),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None, glyphs: Glyphs = BRAILLE) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes, glyphs=glyphs)
        self._entries: Sequence[tuple[str, str]] = ()
        self._marks: dict[str, tuple[str, Tone]] = {}
        self._cursor = 0
        self._message: tuple[str, Tone] = ("", "")

    def set_marks(self, marks: dict[str, tuple[str, Tone]]) -> None:
        """The sign and the tone of each kind of line."""
        self._marks = marks

    def set_entries(self, entries: Sequence[tuple[str, str]], *, message: str = "", tone: Tone = "dim") -> None:
        """(kind, text) of every line; the sequence is kept, not copied. `message` is said when there are none.

        The cursor stays on its text where that is still near, else at its line.
        """
        text = self.current_text()
        self._entries = entries
        self._message = (message, tone)
        at = min(self._cursor, max(0, len(entries) - 1))
        if text and entries and entries[at][1] != text:
            near = range(max(0, at - _NEAR), min(len(entries), at + _NEAR))
            at = next((index for index in near if entries[index][1] == text), at)
        self._cursor = at
        self.settle()
        self.repaint()

    def current_text(self) -> str:
        """The text under the cursor; empty when there are no lines."""
        return self._entries[self._cursor][1] if self._cursor < len(self._entries) else ""

    def total_lines(self) -> int:
        return len(self._entries)

    def cursor_line(self) -> int | None:
        return self._cursor if self._entries else None

    def body_line(self, index: int, width: int) -> Strip:
        kind, text = self._entries[index]
        ground: Ground = ""
        if index == self._cursor:
            ground = self.cursor_ground
        sign, tone = self._marks.get(kind, ("", ""))
        lead = f" {sign} "
        shown, room = plain(text), width - width_of(lead)
        if width_of(shown) > room > 1:
            shown = self.glyphs.ellipsis + _end_of(shown, room - 1)
        runs = [(lead, self.ink(tone, ground)), (shown, self.ink("", ground))]
        return Strip(join(fit_runs(runs, width, self.ink("", ground), ellipsis=self.glyphs.ellipsis)), width)

    def empty_line(self, y: int, width: int) -> Strip:
        text, tone = self._message
        lines = wrap(text, max(1, width - 2), 50) if text and not self._entries else []
        if y >= len(lines):
            return super().empty_line(y, width)
        return Strip(self.segments([(" ", ""), (lines[y], tone)], width), width)

    def _move_to(self, line: int) -> None:
        if self._entries:
            self._cursor = max(0, min(line, len(self._entries) - 1))
            self.follow_cursor()
            self.repaint()

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and offset.x < self.line_width and self.top + offset.y < len(self._entries):
            self._move_to(self.top + offset.y)


_NEAR = 2000


def _end_of(text: str, width: int) -> str:
    """The end of the text in `width` cells or fewer."""
    end = text[-width:]
    while width_of(end) > width:
        end = end[1:]
    return end
