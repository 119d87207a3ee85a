"""Labelled facts under headings; long values wrap under their column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.strip import Strip

from widgets.columns import Cell
from widgets.glyphs import BRAILLE, Glyphs
from widgets.scrolling import ScrollingLines
from widgets.text import fit, width_of, wrap
from widgets.tones import Tone

__all__ = ["Cell", "Fact", "Facts", "Heading"]

_LABEL_LIMIT = 20
_WRAP_LIMIT = 200

Run = tuple[str, Tone]


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and its value. A cell with `spans` stays on one line; any other value wraps."""

    label: str
    value: Cell | str


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


class Facts(ScrollingLines, can_focus=True):
    """A scrolling list of facts and headings."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", id="facts.down", show=False),
        Binding("up,k", "move(-1)", "Up", id="facts.up", show=False),
        Binding("pagedown,space", "page(1)", "Page down", id="facts.page_down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="facts.page_up", show=False),
        Binding("home,g", "first", "Top", id="facts.first", show=False),
        Binding("end,G", "last", "Bottom", id="facts.last", show=False),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None, glyphs: Glyphs = BRAILLE) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes, glyphs=glyphs)
        self._facts: tuple[Fact | Heading, ...] = ()
        self._lines: list[list[Run]] = []
        self._wrapped_at = -1
        self._strips: dict[int, tuple[list[Run], int, Strip]] = {}

    def set_facts(self, facts: Sequence[Fact | Heading | tuple[str, Cell | str]], *, keep_scroll: bool = True) -> None:
        """The facts anew, from the top on unless `keep_scroll`. A (label, value) pair stands for a `Fact`."""
        new = tuple(Fact(*fact) if isinstance(fact, tuple) else fact for fact in facts)
        if not keep_scroll:
            self._top = 0
        if new != self._facts:
            self._facts = new
            self._wrapped_at = -1
        self.settle()
        self.repaint()

    def total_lines(self) -> int:
        # The scroll bar's column is always left free: else its coming would change the wrapping it depends on.
        width = max(0, self.size.width - 1)
        if self._wrapped_at != width:
            self._wrapped_at = width
            self._lines = self._wrap(width)
        return len(self._lines)

    def body_line(self, index: int, width: int) -> Strip:
        runs = self._lines[index]
        cached = self._strips.get(index)
        if cached is not None and cached[1] == width and cached[0] == runs:
            return cached[2]
        strip = Strip(self.segments(runs, width), width)
        self._strips[index] = (runs, width, strip)
        return strip

    def restyle(self) -> None:
        self._strips.clear()

    def _wrap(self, width: int) -> list[list[Run]]:
        self._strips.clear()
        facts = [fact for fact in self._facts if isinstance(fact, Fact)]
        column = min(max((width_of(fact.label) for fact in facts), default=0), _LABEL_LIMIT, max(4, width // 3))
        indent = column + 2
        lines: list[list[Run]] = []
        for fact in self._facts:
            if isinstance(fact, Heading):
                if lines:
                    lines.append([])
                lines.append([(fact.text, "accent")])
                continue
            label: Run = (fit(fact.label, column, ellipsis=self.glyphs.ellipsis) + "  ", "dim")
            cell = fact.value if isinstance(fact.value, Cell) else Cell(fact.value)
            if cell.spans:
                lines.append([label, *cell.spans])
                continue
            for number, piece in enumerate(wrap(cell.text, width - indent, _WRAP_LIMIT)):
                lines.append([label if not number else (" " * indent, ""), (piece, cell.tone)])
        return lines

    def action_move(self, lines: int) -> None:
        self.scroll_to_top(self.top + lines)

    def action_page(self, pages: int) -> None:
        self.scroll_to_top(self.top + pages * max(1, self.page - 1))

    def action_first(self) -> None:
        self.scroll_to_top(0)

    def action_last(self) -> None:
        self.scroll_to_top(self.total_lines())
