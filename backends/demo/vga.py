"""A simulated VGA in text mode: 80x25 characters in the standard font, and the escape sequences of a console."""

from __future__ import annotations

import re
from functools import lru_cache

from backends import vga_font
from backends.abilities.screens import Picture

COLUMNS, ROWS = 80, 25
_WIDTH, _HEIGHT = 9, 16
PALETTE = tuple(
    bytes(0x55 * bright + 0xAA * (number >> bit & 1) for bit in (2, 1, 0)) for bright in (0, 1) for number in range(8)
)
"""The sixteen colours as the VGA's attributes number them, but for its brown."""
_GREY = 7
_CODES = {char: code for code, char in enumerate(vga_font.CHARACTERS) if code}
_ANSI = {30: 0, 31: 4, 32: 2, 33: 6, 34: 1, 35: 5, 36: 3, 37: 7}
_SEQUENCE = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])")

Attribute = tuple[int, int]
"""Colour of the sign and of the ground, 0 to 15."""


class TextScreen:
    """What stands on the screen, written to as a console is."""

    def __init__(self) -> None:
        self._cells: list[list[tuple[str, Attribute]]] = []
        self._attribute: Attribute = (_GREY, 0)
        self._x = self._y = 0
        self.clear()

    def clear(self) -> None:
        self._cells = [[(" ", (_GREY, 0))] * COLUMNS for _ in range(ROWS)]
        self._x = self._y = 0

    def write(self, text: str) -> None:
        """Signs, CR, LF, BS and a few sequences: colours, clearing."""
        at = 0
        while at < len(text):
            if found := _SEQUENCE.match(text, at):
                self._sequence(found[1], found[2])
                at = found.end()
                continue
            self._put(text[at])
            at += 1

    def _put(self, char: str) -> None:
        if char == "\n":
            self._down()
        elif char == "\r":
            self._x = 0
        elif char == "\b":
            self._x = max(0, self._x - 1)
        elif char >= " ":
            if self._x == COLUMNS:
                self._x = 0
                self._down()
            self._cells[self._y][self._x] = (char if char in _CODES else "?", self._attribute)
            self._x += 1

    def _down(self) -> None:
        self._y += 1
        if self._y == ROWS:
            self._y -= 1
            self._cells = [*self._cells[1:], [(" ", (_GREY, 0))] * COLUMNS]

    def _sequence(self, numbers: str, letter: str) -> None:
        if letter == "J":
            self.clear()
        elif letter == "K":
            self._cells[self._y][self._x :] = [(" ", self._attribute)] * (COLUMNS - self._x)
        elif letter == "H":
            self._x = self._y = 0
        elif letter == "m":
            for number in map(int, numbers.split(";") if numbers else ("0",)):
                self._color(number)

    def _color(self, number: int) -> None:
        color, ground = self._attribute
        if number == 0:
            self._attribute = (_GREY, 0)
        elif number == 1:
            self._attribute = (color | 8, ground)
        elif number in _ANSI:
            self._attribute = (_ANSI[number] | color & 8, ground)
        elif number - 10 in _ANSI:
            self._attribute = (color, _ANSI[number - 10])

    def picture(self) -> Picture:
        """720x400 pixels, with the cursor."""
        lines = []
        for row, cells in enumerate(self._cells):
            drawn = [_drawn(_CODES.get(char, 0x20), attribute) for char, attribute in cells]
            if row == self._y:
                at = min(self._x, COLUMNS - 1)
                drawn[at] = _under_cursor(drawn[at], cells[at][1][0])
            lines += [b"".join([cell[line] for cell in drawn]) for line in range(_HEIGHT)]
        return Picture(COLUMNS * _WIDTH, ROWS * _HEIGHT, b"".join(lines))


@lru_cache(4096)
def _drawn(code: int, attribute: Attribute) -> tuple[bytes, ...]:
    """The cell's pixels, line by line."""
    color, ground = PALETTE[attribute[0]], PALETTE[attribute[1]]
    lines = []
    for bits in vga_font.glyphs(_HEIGHT)[code]:
        nine = bits << 1 | (bits & 1 if vga_font.repeats(code) else 0)
        lines.append(b"".join(color if nine >> at & 1 else ground for at in range(8, -1, -1)))
    return tuple(lines)


def _under_cursor(cell: tuple[bytes, ...], color: int) -> tuple[bytes, ...]:
    return (*cell[:13], *[PALETTE[color] * _WIDTH] * 2, *cell[15:])
