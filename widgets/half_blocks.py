"""A picture in character cells: scaled, and drawn with half blocks, braille dots or letters. Pure.

Averages are taken of many pixels at once, as numbers of as many bytes, so that a full HD picture takes some 20 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Literal

from widgets.glyphs import Glyphs

_Pick = Callable[[bytes], Iterable[int]]
Plane = bytes
"""One byte for each pixel, line by line."""
_STEPS = 32
"""Shades of each colour that are told apart: more would only split runs of equal cells."""
_SHADES = bytes(min(255, (value * (_STEPS - 1) + 127) // 255 * 255 // (_STEPS - 1)) for value in range(256))
_CONTRAST = 40
"""By how much a dot must differ from the background, of 255."""
_BRAILLE = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))

Drawing = Literal["half", "braille", "shades"]
Mark = Literal["", "match", "match-current", "cursor"]


@dataclass(frozen=True, slots=True)
class Inked:
    """Characters of one colour on one ground, each 0xRRGGBB; None: the terminal's own. A `mark` goes before both."""

    text: str
    color: int | None = None
    ground: int | None = None
    mark: Mark = ""


@dataclass(frozen=True, slots=True)
class Window:
    """What is to be seen of a picture: `cells` of the screen, `scale` screen dots for a pixel (0: all of it, never
    larger than it is), from pixel `left`, `top` on. A dot is half a cell high and a cell wide.
    """

    columns: int
    rows: int
    scale: float = 0.0
    left: int = 0
    top: int = 0


class Scaler:
    """One picture at ever half the size of before, made as far as it is needed."""

    def __init__(self, width: int, height: int, rgb: bytes) -> None:
        self.width = width
        self.height = height
        self._levels = [(width, height, tuple(rgb[channel::3] for channel in range(3)))]

    def scale_of(self, window: Window) -> float:
        """Dots for a pixel."""
        if window.scale:
            return window.scale
        return min(1.0, window.columns / max(1, self.width), 2 * window.rows / max(1, self.height))

    def bounds(self, window: Window) -> tuple[int, int]:
        """The furthest that `left` and `top` may go."""
        scale = self.scale_of(window)
        return (
            max(0, self.width - int(window.columns / scale)),
            max(0, self.height - int(2 * window.rows / scale)),
        )

    def dots(self, window: Window, across: int, down: int) -> tuple[int, int, list[tuple[bytes, bytes, bytes]]]:
        """Columns and rows of cells, and for each line of dots red, green and blue; `across` by `down` dots a cell."""
        scale = self.scale_of(window)
        left, top = (min(at, most) for at, most in zip((window.left, window.top), self.bounds(window), strict=True))
        columns = max(1, min(window.columns, round((self.width - left) * scale)))
        rows = max(1, min(window.rows, -(-round((self.height - top) * scale) // 2)))
        # so many pixels a dot, each way
        wide, tall = 1 / scale / across, 2 / scale / down
        level = 0
        while 2 ** (level + 1) <= min(wide, tall):
            level += 1
        width, height, planes = self._level(level)
        size = 2.0**level
        at_x, step_x = left / size, wide / size
        at_y, step_y = top / size, tall / size
        pick_x, next_x = _picks(at_x, step_x, columns * across, width)
        lines = []
        for dot in range(rows * down):
            y = min(height - 1, int(at_y + dot * step_y))
            below = min(height - 1, y + 1) if step_y > 1 else y
            line = []
            for plane in planes:
                row = plane[y * width : (y + 1) * width]
                if below != y:
                    row = _mean(row, plane[below * width : (below + 1) * width])
                picked = bytes(pick_x(row))
                line.append(_mean(picked, bytes(next_x(row))) if step_x > 1 else picked)
            lines.append((line[0], line[1], line[2]))
        return columns, rows, lines

    def _level(self, level: int) -> tuple[int, int, tuple[Plane, ...]]:
        while len(self._levels) <= level:
            width, height, planes = self._levels[-1]
            halved = tuple(_halved(plane, width, height) for plane in planes)
            self._levels.append((max(1, width // 2), max(1, height // 2), halved))
        return self._levels[level]


def _picks(start: float, step: float, count: int, width: int) -> tuple[_Pick, _Pick]:
    """What takes `count` pixels of a line, and the ones right of them."""
    at = [min(width - 1, int(start + dot * step)) for dot in range(count)]
    # a single one would not come as a sequence
    at = at if len(at) > 1 else at * 2
    beside = [min(width - 1, place + 1) for place in at]
    return itemgetter(*at), itemgetter(*beside)


def _halved(plane: Plane, width: int, height: int) -> Plane:
    even = width // 2 * 2
    if height < 2 or width < 2:
        return plane[: max(1, width // 2) * max(1, height // 2)]
    lines = [plane[at : at + even] for at in range(0, width * (height // 2 * 2), width)]
    joined = _mean(b"".join(lines[::2]), b"".join(lines[1::2]))
    return _mean(joined[::2], joined[1::2])


def _mean(one: bytes, other: bytes) -> bytes:
    """The mean of each byte with its counterpart, rounded down."""
    size = len(one)
    a, b = int.from_bytes(one, "little"), int.from_bytes(other, "little")
    most = int.from_bytes(b"\x7f" * size, "little")
    return ((a & b) + (((a ^ b) >> 1) & most)).to_bytes(size, "little")


def drawn(scaler: Scaler, window: Window, drawing: Drawing, glyphs: Glyphs, *, color: bool) -> list[list[Inked]]:
    """Lines of cells that show the window. Without `color` brightness is told by signs."""
    if drawing == "braille":
        return _in_braille(scaler, window)
    if drawing == "shades":
        return _in_shades(scaler, window, glyphs, color=color)
    return _in_half_blocks(scaler, window)


def _in_half_blocks(scaler: Scaler, window: Window) -> list[list[Inked]]:
    columns, rows, dots = scaler.dots(window, 1, 2)
    shaded = [_colors(line, columns) for line in dots]
    found = []
    for row in range(rows):
        pairs = zip(shaded[2 * row], shaded[2 * row + 1], strict=True)
        line = []
        for (upper, lower), same in groupby(pairs):
            count = sum(1 for _ in same)
            line.append(Inked(" " * count, None, upper) if upper == lower else Inked("▀" * count, upper, lower))
        found.append(line)
    return found


def _colors(line: Sequence[bytes], count: int) -> list[int]:
    red, green, blue = (plane[:count].translate(_SHADES) for plane in line)
    return [r << 16 | g << 8 | b for r, g, b in zip(red, green, blue, strict=True)]


def _in_braille(scaler: Scaler, window: Window) -> list[list[Inked]]:
    """Dots where the picture differs from its background, whichever that is."""
    columns, rows, dots = scaler.dots(window, 2, 4)
    bright = [_brightness(line)[: columns * 2] for line in dots]
    counts = [0] * 256
    for line in bright:
        for value in line:
            counts[value] += 1
    ground = counts.index(max(counts))
    differs = bytes(abs(value - ground) >= _CONTRAST for value in range(256))
    set_dots = [line.translate(differs) for line in bright]
    found = []
    for row in range(rows):
        cells = [0x2800] * columns
        for down, bits in enumerate(_BRAILLE):
            line = set_dots[row * 4 + down]
            for across, bit in enumerate(bits):
                cells = [cell | bit * dot for cell, dot in zip(cells, line[across::2], strict=True)]
        found.append([Inked("".join(map(chr, cells)).replace("\u2800", " "))])
    return found


def _in_shades(scaler: Scaler, window: Window, glyphs: Glyphs, *, color: bool) -> list[list[Inked]]:
    columns, _, dots = scaler.dots(window, 1, 1)
    shades = " .:-=+*#%@" if glyphs.dots == "ascii" else " ░▒▓█"
    found = []
    bright = [_brightness(line)[:columns] for line in dots]
    most = max(map(max, bright)) + 1
    for line, values in zip(dots, bright, strict=True):
        levels = [value * len(shades) // most for value in values]
        colors: Sequence[int | None] = _colors(line, columns) if color else [None] * columns
        found.append(list(_shaded(shades, levels, colors)))
    return found


def _shaded(shades: str, levels: Sequence[int], colors: Sequence[int | None]) -> Iterator[Inked]:
    for shade, same in groupby(zip(colors, levels, strict=True), lambda cell: cell[0]):
        yield Inked("".join(shades[level] for _, level in same), shade)


def _brightness(line: Sequence[bytes]) -> bytes:
    red, green, blue = line
    return bytes([(3 * r + 6 * g + b) // 10 for r, g, b in zip(red, green, blue, strict=True)])
