"""Heads and lines of output that scroll; at its end it follows what comes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.strip import Strip

from widgets.glyphs import BRAILLE, Glyphs
from widgets.scrolling import ScrollingLines
from widgets.text import wrap
from widgets.tones import Tone

Run = tuple[str, Tone]


class WorkLog(ScrollingLines, can_focus=True):
    """Lines of (text, tone) runs, each on one line; heads given as plain text are wrapped."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", id="worklog.down", show=False),
        Binding("up,k", "move(-1)", "Up", id="worklog.up", show=False),
        Binding("pagedown,space", "page(1)", "Page down", id="worklog.page_down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="worklog.page_up", show=False),
        Binding("home,g", "first", "Top", id="worklog.first", show=False),
        Binding("end,G", "last", "Bottom, and follow", id="worklog.last", show=False),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None, glyphs: Glyphs = BRAILLE) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes, glyphs=glyphs)
        self._key: object = None
        self._heads: tuple[tuple[str, Tone], ...] = ()
        self._lines: Sequence[Sequence[Run]] = ()
        self._wrapped: tuple[int, list[Run]] = (-1, [])
        self._at_end = True

    def show(self, key: object, heads: Sequence[tuple[str, Tone]], lines: Sequence[Sequence[Run]]) -> None:
        """What belongs to `key`; with another key than before it begins at its end, else it stays where it was."""
        if key != self._key:
            self._key, self._at_end = key, True
        if tuple(heads) != self._heads:
            self._heads = tuple(heads)
            self._wrapped = (-1, [])
        self._lines = lines
        if self._at_end:
            self._top = max(0, self.total_lines() - self.page)
        self.settle()
        self.repaint()

    def scroll_to_top(self, top: int) -> None:
        self._at_end = top >= self.total_lines() - self.page
        super().scroll_to_top(top)

    def on_resize(self) -> None:
        if self._at_end:
            self._top = max(0, self.total_lines() - self.page)
        super().on_resize()

    def _heads_in(self, width: int) -> list[Run]:
        # The scroll bar's column is always left free: else its coming would change the wrapping it depends on
        if self._wrapped[0] != width:
            lines = [(piece, tone) for text, tone in self._heads for piece in wrap(text, max(1, width - 2), 50)]
            self._wrapped = (width, lines)
        return self._wrapped[1]

    def total_lines(self) -> int:
        return len(self._heads_in(self.size.width)) + len(self._lines)

    def body_line(self, index: int, width: int) -> Strip:
        heads = self._heads_in(self.size.width)
        if index < len(heads):
            return Strip(self.segments([(" ", ""), heads[index]], width), width)
        return Strip(self.segments([(" ", ""), *self._lines[index - len(heads)]], width), width)

    def action_move(self, lines: int) -> None:
        self.scroll_to_top(self.top + lines)

    def action_page(self, pages: int) -> None:
        self.scroll_to_top(self.top + pages * max(1, self.page - 1))

    def action_first(self) -> None:
        self.scroll_to_top(0)

    def action_last(self) -> None:
        self.scroll_to_top(self.total_lines())
