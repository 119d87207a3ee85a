"""A table's columns, cells and rows, and how columns share a width: pure, no screen needed."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

from widgets.tones import Tone

GAP = 1
"""Blank cells between two columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `width` is the least it takes, in cells; `flex` is its share of what is left over.

    Priority 0 is never dropped; where the width lacks, the highest number goes first. `sum_of`: columns that tell the
    same in more detail; they take its place where there is room for all of them, and none is shown where there is not.
    """

    id: str
    title: str
    width: int
    flex: int = 0
    align: Literal["left", "right"] = "left"
    priority: int = 0
    sum_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: a text in a tone, or `spans` of (text, tone), which replace the text."""

    text: str = ""
    tone: Tone = ""
    spans: tuple[tuple[str, Tone], ...] = ()

    @property
    def runs(self) -> tuple[tuple[str, Tone], ...]:
        return self.spans or ((self.text, self.tone),)


@dataclass(frozen=True, slots=True)
class Row:
    """A row, known by its key. Its cells follow the columns; missing ones are blank. `faded`: no longer current.

    `indent`: blank cells before the first one's content.
    """

    key: Hashable
    cells: tuple[Cell, ...]
    faded: bool = False
    indent: int = 0


@dataclass(frozen=True, slots=True)
class Slot:
    """A column's place in a line: its index among all columns, its first cell and its width."""

    index: int
    x: int
    width: int


def arrange(columns: Sequence[Column], width: int, x: int = 0) -> tuple[Slot, ...]:
    """Places for the columns that fit into `width` cells, from cell `x` on; at least one column is kept."""
    kept = list(range(len(columns)))
    while len(kept) > 1 and sum(columns[i].width + GAP for i in kept) - GAP > width:
        # Of two columns of one priority the right one goes first.
        last = max(kept, key=lambda i: (columns[i].priority, i))
        if columns[last].priority == 0:
            break
        kept.remove(last)
    kept = _without_repetition(columns, kept)
    spare = max(0, width - sum(columns[i].width + GAP for i in kept) + GAP)
    shares = sum(columns[i].flex for i in kept)
    slots: list[Slot] = []
    end = x + width
    for i in kept:
        size = columns[i].width
        if shares and columns[i].flex:
            extra = spare * columns[i].flex // shares
            spare -= extra
            shares -= columns[i].flex
            size += extra
        size = min(size, end - x)
        if size <= 0:
            break
        slots.append(Slot(i, x, size))
        x += size + GAP
    return tuple(slots)


def _without_repetition(columns: Sequence[Column], kept: Sequence[int]) -> list[int]:
    """Either a sum or its parts, where both were kept."""
    names = {columns[i].id for i in kept}
    needless: set[str] = set()
    for i in kept:
        parts = columns[i].sum_of
        if parts:
            needless.update((columns[i].id,) if names.issuperset(parts) else parts)
    return [i for i in kept if columns[i].id not in needless]
