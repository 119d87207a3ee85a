"""Reads the text of a VGA text screen from its picture, by the glyphs of the standard fonts.

A cell that shows a glyph has two colours at most and matches it in every pixel, so what is read is certain; cells that
match none are counted. Frame buffer consoles with the VGA's font and cells of 8x16 are read as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from backends import vga_font
from backends.abilities.screens import Picture

UNKNOWN = "\ufffd"
"""Stands where no glyph matched."""
_LEAST = 0.9
"""Share of the signs on screen that must be read for it to be a text screen."""
_TRIAL = 200
"""So many signs are looked at before a screen that is hardly read is given up."""
_KEPT = 8192

Color = bytes
"""Three bytes: red, green, blue."""
Cell = tuple[str, Color, Color, bool]
"""Character, its colour, the one behind it, whether the cursor is there."""


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring characters of one colour on one background."""

    text: str
    color: Color
    ground: Color


@dataclass(frozen=True, slots=True)
class ScreenText:
    columns: int
    rows: int
    lines: tuple[str, ...]
    """Each as wide as the screen."""
    runs: tuple[tuple[Run, ...], ...]
    """The same lines with their colours."""
    cursor: tuple[int, int] | None
    """Row and column of the first place that a cursor was seen at."""
    confidence: float
    """Share of the signs on the screen that were read, blanks not counted: 0.9 to 1."""

    @property
    def text(self) -> str:
        """The lines as a text, without the blanks at their ends and below the last one."""
        return "\n".join(line.rstrip() for line in self.lines).rstrip("\n")


class Reader:
    """Reads one screen again and again: what did not change is not looked at twice."""

    def __init__(self) -> None:
        self._cells: dict[bytes, Cell] = {}
        self._size = (0, 0)
        self._ground: Color = b""
        self._last: tuple[int, int, list[bytes], list[list[Cell]]] = (0, 0, [], [])

    def read(self, picture: Picture) -> ScreenText | None:
        """The text, or None for what is no text screen, or an empty one."""
        ground = _most_common(picture)
        if ground != self._ground:
            self._ground = ground
            self._cells.clear()
            self._last = (0, 0, [], [])
        for width, height in _cell_sizes(picture.width, picture.height):
            if found := self._read(picture, width, height):
                return found
        return None

    def _read(self, picture: Picture, width: int, height: int) -> ScreenText | None:
        if (width, height) != self._size:
            self._size = (width, height)
            self._cells.clear()
            self._last = (0, 0, [], [])
        columns = picture.width // width
        blocks, lines = self._last[2:] if self._last[:2] == (columns, picture.width) else ([], [])
        new_blocks: list[bytes] = []
        new_lines: list[list[Cell]] = []
        signs = read = 0
        for row, block in enumerate(_blocks(picture, height)):
            same = row < len(blocks) and block == blocks[row]
            line = lines[row] if same else self._line(block, columns, width, height, picture.width * 3)
            new_blocks.append(block)
            new_lines.append(line)
            for char, *_ in line:
                if char != " ":
                    signs += 1
                    read += char != UNKNOWN
            if signs > _TRIAL and read < signs * _LEAST / 2:
                return None
        if not signs or read < signs * _LEAST:
            return None
        self._last = (columns, picture.width, new_blocks, new_lines)
        runs = tuple(tuple(_runs(line)) for line in new_lines)
        texts = tuple("".join(run.text for run in line) for line in runs)
        places = ((row, line) for row, line in enumerate(new_lines))
        cursor = next(((row, at) for row, line in places for at, cell in enumerate(line) if cell[3]), None)
        return ScreenText(columns, len(texts), texts, runs, cursor, read / signs)

    def _line(self, block: bytes, columns: int, width: int, height: int, stride: int) -> list[Cell]:
        first = block[:3]
        if block == first * (len(block) // 3):
            return [(" ", first, first, False)] * columns
        step = width * 3
        scans = [block[at : at + stride] for at in range(0, stride * height, stride)]
        known = self._cells
        if len(known) > _KEPT:
            known.clear()
        line = []
        for start in range(0, columns * step, step):
            pixels = b"".join([scan[start : start + step] for scan in scans])
            cell = known.get(pixels)
            if cell is None:
                cell = known[pixels] = _cell(pixels, width, height, self._ground)
            line.append(cell)
        return line


def _cell_sizes(width: int, height: int) -> Iterator[tuple[int, int]]:
    """Sizes of cells that a screen of this size may have, likely ones first."""
    if width in (360, 720, 1188):
        yield from ((9, size) for size in vga_font.HEIGHTS if height % size == 0)
    yield (8, 16)
    if width in (320, 640, 1056):
        yield from ((8, size) for size in vga_font.HEIGHTS[1:] if height % size == 0)


def _blocks(picture: Picture, height: int) -> Iterator[bytes]:
    """The pixels of each line of cells."""
    size = picture.width * 3 * height
    for start in range(0, len(picture.rgb) - size + 1, size):
        yield picture.rgb[start : start + size]


def _most_common(picture: Picture) -> Color:
    step = max(1, picture.width * picture.height // 2000) | 1
    rgb = picture.rgb
    found = Counter(rgb[at : at + 3] for at in range(0, len(rgb) - 2, step * 3))
    return found.most_common(1)[0][0] if found else b"\0\0\0"


def _cell(pixels: bytes, width: int, height: int, ground: Color) -> Cell:
    """What a cell shows. `ground` is the background where the cell has that colour at all, else the more common one."""
    colors = Counter(pixels[at : at + 3] for at in range(0, len(pixels), 3))
    if len(colors) == 1:
        (color,) = colors
        return " ", color, color, False
    if len(colors) > 2:
        return UNKNOWN, ground, ground, False
    (first, _), (second, _) = colors.most_common(2)
    if second == ground:
        first, second = second, first
    for behind, before in ((first, second), (second, first)):
        bits = _bits(pixels, width, height, before)
        char, cursor = _match(bits, width, height)
        if char is not None:
            return char, before, behind, cursor
    return UNKNOWN, second, first, False


def _bits(pixels: bytes, width: int, height: int, color: Color) -> list[int]:
    """A number for each line of the cell: ones where it has this colour, the leftmost pixel highest."""
    step = width * 3
    lines = []
    for start in range(0, step * height, step):
        bits = 0
        for at in range(start, start + step, 3):
            bits = bits << 1 | (pixels[at : at + 3] == color)
        lines.append(bits)
    return lines


def _match(bits: list[int], width: int, height: int) -> tuple[str | None, bool]:
    """The character; also below a cursor, which fills lines at the cell's bottom, and whether there is one."""
    known = _known(width, height, 0)
    if (found := known.get(tuple(bits))) is not None:
        return found, False
    full = (1 << width) - 1
    covered = 0
    for line in range(height - 1, height // 2, -1):
        if bits[line] == full:
            covered |= 1 << line
    if not covered:
        return None, False
    shown = tuple(0 if covered >> line & 1 else value for line, value in enumerate(bits))
    return _known(width, height, covered).get(shown), True


_tables: dict[tuple[int, int, int], dict[tuple[int, ...], str]] = {}


def _known(width: int, height: int, covered: int) -> dict[tuple[int, ...], str]:
    """Characters by the lines of their glyphs, less the lines that are covered (bits, the top line lowest)."""
    key = (width, height, covered)
    if key not in _tables:
        table: dict[tuple[int, ...], str] = {}
        # a letter is likelier than a sign that differs only below the cursor
        for code in sorted(range(256), key=lambda code: not 0x20 <= code < 0x7F):
            lines = (bits << (width - 8) for bits in vga_font.glyphs(height)[code])
            if width == 9 and vga_font.repeats(code):
                lines = (bits | bits >> 1 & 1 for bits in lines)
            shown = tuple(0 if covered >> line & 1 else bits for line, bits in enumerate(lines))
            table.setdefault(shown, vga_font.CHARACTERS[code])
        _tables[key] = table
    return _tables[key]


def _runs(line: list[Cell]) -> Iterator[Run]:
    """Blanks, whose colour is not seen, go with their neighbours on the same background."""
    text, color, ground = "", b"", b""
    for char, before, behind, _ in line:
        if text and behind == ground and (char == " " or before == color or text.isspace()):
            color = color if char == " " else before
            text += char
            continue
        if text:
            yield Run(text, color, ground)
        text, color, ground = char, before, behind
    yield Run(text, color, ground)
