"""One line of a log as styled runs: its own colours, matches of a search on top, cut into rows of a width."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Protocol

from rich.color import Color
from rich.style import Style

from widgets.text import cut, width_of

Run = tuple[str, Style]
Pieces = Callable[[bytes], Sequence[tuple[str, str]]]
"""(clean text, SGR parameters given before it) pairs of a raw line."""


@lru_cache(512)
def sgr_style(before: Style, codes: str) -> Style:
    """The style after SGR parameters like `1;38;5;208`: colours, bold, dim, italic, underline and their ends.

    Nothing that hides, blinks or reverses. Malformed parameters are passed over.
    """
    color, back = before.color, before.bgcolor
    on: dict[str, bool | None] = {"bold": before.bold, "dim": before.dim}
    on |= {"italic": before.italic, "underline": before.underline}
    numbers = [int(part) if part.isdigit() else 0 for part in codes.replace(":", ";").split(";")]
    at = 0
    while at < len(numbers):
        number = numbers[at]
        at += 1
        if number == 0:
            color = back = None
            on = dict.fromkeys(on)
        elif number in _ON:
            on[_ON[number]] = True
        elif number in _OFF:
            on |= dict.fromkeys(_OFF[number])
        elif 30 <= number <= 37 or 90 <= number <= 97:
            color = Color.from_ansi(number - 30 if number < 90 else number - 82)
        elif 40 <= number <= 47 or 100 <= number <= 107:
            back = Color.from_ansi(number - 40 if number < 100 else number - 92)
        elif number == 39:
            color = None
        elif number == 49:
            back = None
        elif number in {38, 48}:
            found, at = _extended(numbers, at)
            if number == 38:
                color = found or color
            else:
                back = found or back
    if color is not None and color == back:
        color = None  # it would hide the text
    return Style(
        color=color, bgcolor=back, bold=on["bold"], dim=on["dim"], italic=on["italic"], underline=on["underline"]
    )


_ON = {1: "bold", 2: "dim", 3: "italic", 4: "underline"}
_OFF = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",)}


def _extended(numbers: list[int], at: int) -> tuple[Color | None, int]:
    """The colour after 38 or 48, and where to go on."""
    kind = numbers[at] if at < len(numbers) else 0
    if kind == 5 and at + 1 < len(numbers):
        return (Color.from_ansi(numbers[at + 1]) if numbers[at + 1] < 256 else None), at + 2
    if kind == 2 and at + 3 < len(numbers):
        red, green, blue = numbers[at + 1 : at + 4]
        return (Color.from_rgb(red, green, blue) if max(red, green, blue) < 256 else None), at + 4
    return None, len(numbers)


def styled(pieces: Sequence[tuple[str, str]], base: Style) -> list[Run]:
    """Runs of a line's pieces in the styles they ask for, on `base`."""
    if len(pieces) == 1 and not pieces[0][1]:
        return [(pieces[0][0], base)]
    runs: list[Run] = []
    own = Style()
    for text, codes in pieces:
        if codes:
            own = sgr_style(own, codes)
        if text:
            runs.append((text, base + own))
    return runs or [("", base)]


class Found(Protocol):
    """A place of a text where a pattern matches."""

    def span(self, group: int = 0, /) -> tuple[int, int]: ...


class Finder(Protocol):
    """A pattern: of `re`, or one that behaves."""

    def finditer(self, text: str, /) -> Iterable[Found]: ...


def highlighted(runs: list[Run], pattern: Finder, style: Style) -> list[Run]:
    """The runs with what the pattern finds in `style`."""
    text = "".join(piece for piece, _ in runs)
    spans = [(start, end) for start, end in (found.span() for found in pattern.finditer(text)) if end > start]
    if not spans:
        return runs
    out: list[Run] = []
    at = 0
    for piece, own in runs:
        end = at + len(piece)
        place = at
        for first, last in spans:
            if last <= place or first >= end:
                continue
            first, last = max(first, place), min(last, end)  # noqa: PLW2901
            if first > place:
                out.append((piece[place - at : first - at], own))
            out.append((piece[first - at : last - at], style))
            place = last
        if place < end:
            out.append((piece[place - at :], own))
        at = end
    return out


def rows(runs: Sequence[Run], width: int) -> Iterator[list[Run]]:
    """The runs in rows of at most `width` cells, broken wherever a row is full; one row at least."""
    row: list[Run] = []
    room = width = max(1, width)
    for text, style in runs:
        while text:
            head = _head(text, room)
            if head:
                row.append((head, style))
                room -= width_of(head)
                text = text[len(head) :]  # noqa: PLW2901
            if text:
                if not row:
                    text = text[1:]  # noqa: PLW2901  (wider than the whole row)
                    continue
                yield row
                row, room = [], width
    yield row


def skip(runs: Sequence[Run], cells: int) -> list[Run]:
    """The runs less their first `cells` cells."""
    if cells <= 0:
        return list(runs)
    out: list[Run] = []
    for text, style in runs:
        if cells <= 0:
            out.append((text, style))
            continue
        head = _head(text, cells)
        cells -= width_of(head)
        rest = text[len(head) :]
        if rest:
            out.append((rest, style))
            cells = 0
    return out


def _head(text: str, cells: int) -> str:
    """Whole characters of the start that fit into `cells`."""
    if text.isascii():
        return text[:cells]
    if width_of(text[: cells * 4 + 16]) <= cells and len(text) <= cells * 4 + 16:
        return text
    fitted = cut(text, cells)
    # a wide character that does not fit leaves a blank in its place
    while fitted and not text.startswith(fitted):
        fitted = fitted[:-1]
    return fitted
