"""The text of a VM's screen as lines to draw, with what a search found in it: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backends.screen_text import Run, ScreenText
from widgets.half_blocks import Inked, Mark


@dataclass(frozen=True, slots=True)
class Match:
    row: int
    start: int
    end: int


def find(text: ScreenText, words: str) -> tuple[Match, ...]:
    """Where these words stand, upper and lower case alike; also across the ends of lines that are full."""
    wanted = words.casefold()
    if not wanted:
        return ()
    # a character whose lower case takes two would move all after it
    hay = "".join(low if len(low := char.casefold()) == 1 else char for char in "".join(text.lines))
    found: list[Match] = []
    at = hay.find(wanted)
    while at >= 0:
        found += _pieces(at, at + len(wanted), text.columns)
        at = hay.find(wanted, at + len(wanted))
    return tuple(found)


def _pieces(start: int, end: int, columns: int) -> list[Match]:
    """A place in the joined lines as places in each of them."""
    pieces = []
    while start < end:
        row, first = divmod(start, columns)
        last = min(columns, first + end - start)
        pieces.append(Match(row, first, last))
        start += last - first
    return pieces


def inked_lines(
    text: ScreenText, matches: Sequence[Match], current: Match | None, left: int, top: int
) -> list[list[Inked]]:
    """The lines from `top` on, each from column `left` on, with the cursor."""
    by_row: dict[int, list[tuple[Match, Mark]]] = {}
    for match in matches:
        by_row.setdefault(match.row, []).append((match, "match-current" if match == current else "match"))
    if text.cursor is not None:
        row, column = text.cursor
        marks = by_row.setdefault(row, [])
        if not any(match.start <= column < match.end for match, _ in marks):
            marks.append((Match(row, column, column + 1), "cursor"))
            marks.sort(key=lambda mark: mark[0].start)
    return [_line(runs, by_row.get(row, ()), left) for row, runs in enumerate(text.runs[top:], start=top)]


def _line(runs: Sequence[Run], marks: Sequence[tuple[Match, Mark]], left: int) -> list[Inked]:
    found = []
    at = 0
    for run in runs:
        color, ground = int.from_bytes(run.color, "big"), int.from_bytes(run.ground, "big")
        start, end = at, at + len(run.text)
        at = end
        for first, last, mark in _cuts(max(start, left), end, marks):
            found.append(Inked(run.text[first - start : last - start], color, ground, mark))
    return found


def _cuts(start: int, end: int, marks: Sequence[tuple[Match, Mark]]) -> list[tuple[int, int, Mark]]:
    """The parts of start to end that are marked, and those between."""
    cuts: list[tuple[int, int, Mark]] = []
    at = start
    for match, mark in marks:
        first, last = max(at, match.start), min(end, match.end)
        if first >= last:
            continue
        if at < first:
            cuts.append((at, first, ""))
        cuts.append((first, last, mark))
        at = last
    if at < end:
        cuts.append((at, end, ""))
    return cuts
