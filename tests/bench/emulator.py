"""A terminal's screen from the bytes a program wrote: pyte, with what modern programs send and pyte lacks."""

from __future__ import annotations

import re
from typing import Any

import pyte

# private modes' queries, kitty's keyboard protocol, device control strings, titles: nothing to see in them
_INVISIBLE = re.compile(
    rb"\x1b\[[<>=][0-9;]*u|\x1b\[\?[0-9;]*\$p|\x1b\[>[0-9;]*[a-z]|\x1b[()][AB0]"
    rb"|\x1bP[^\x1b]*\x1b\\|\x1b_[^\x1b]*\x1b\\|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"
)
_COMPLETE = re.compile(rb"\x1b(\[[0-?]*[ -/]*[@-~]|[\]P_^X][^\x07\x1b]*(\x07|\x1b\\)|[ -/]+[0-~]|[0-OQ-WYZ`-~\\])")
_LONGEST = 4096
"""Bytes; what is no whole sequence by then is none."""


class _Screen(pyte.Screen):
    last = " "

    def draw(self, data: str) -> None:
        super().draw(data)
        self.last = data[-1:] or self.last

    def repeat(self, count: int = 1, **_: Any) -> None:
        self.draw(self.last * (count or 1))

    def scroll_up(self, count: int = 1, **_: Any) -> None:
        self._scroll(count, (self.margins.bottom if self.margins else self.lines - 1), self.index)

    def scroll_down(self, count: int = 1, **_: Any) -> None:
        self._scroll(count, (self.margins.top if self.margins else 0), self.reverse_index)

    def _scroll(self, count: int, edge: int, step: Any) -> None:
        row, column = self.cursor.y, self.cursor.x
        for _ in range(count or 1):
            self.cursor.y = edge
            step()
        self.cursor.y, self.cursor.x = row, column

    def report_device_attributes(self, *_: Any, **__: Any) -> None:
        """The program's own reader answers."""

    def report_device_status(self, *_: Any, **__: Any) -> None:
        """The program's own reader answers."""


class _Stream(pyte.Stream):
    csi = pyte.Stream.csi | {"b": "repeat", "S": "scroll_up", "T": "scroll_down"}
    events = pyte.Stream.events | {"repeat", "scroll_up", "scroll_down"}


class Emulator:
    """Feed it bytes in any portions; ask it for text and for the look of rows."""

    def __init__(self, columns: int, rows: int) -> None:
        self._screen = _Screen(columns, rows)
        self._stream = _Stream(self._screen)
        self._rest = b""

    def feed(self, data: bytes) -> None:
        data = self._rest + data
        end = _whole(data)
        self._rest = data[end:]
        self._stream.feed(_INVISIBLE.sub(b"", data[:end]).decode(errors="replace"))

    @property
    def lines(self) -> list[str]:
        return list(self._screen.display)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines)

    def bars(self) -> tuple[object, ...]:
        """The backgrounds of every row: they change when a cursor bar moves, and not when figures do."""
        screen = self._screen
        return tuple(
            tuple(
                (screen.buffer[row][column].bg, screen.buffer[row][column].reverse)
                for column in range(0, screen.columns, 2)
            )
            for row in range(screen.lines)
        )

    def shape(self, name: str) -> tuple[object, ...] | None:
        """What the leftmost row with `name` looks like less its figures and charts: words and colours. None: no row."""
        hits = sorted((line.find(name), row) for row, line in enumerate(self.lines) if name in line)
        if not hits:
            return None
        column, row = hits[0]
        line, cells = self.lines[row], self._screen.buffer[row]
        words = re.sub(r"[\d.%,/+-]|[\u2500-\u259f\u2800-\u28ff]|[KMGT]?i?B?\b", "", line).split()
        marks = [index for index, character in enumerate(line) if not character.isspace()][:3]
        return tuple(words), tuple(cells[index].fg for index in marks), cells[column].fg


def _whole(data: bytes) -> int:
    """How much of `data` ends neither inside an escape sequence nor inside a UTF-8 character."""
    escape = data.find(b"\x1b")
    while escape >= 0:
        sequence = _COMPLETE.match(data, escape)
        if sequence is None and len(data) - escape < _LONGEST:
            return escape
        escape = data.find(b"\x1b", sequence.end() if sequence else escape + 1)
    for back in range(1, min(4, len(data) + 1)):
        byte = data[-back]
        if byte >= 0xC0:
            length = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return len(data) - back if back < length else len(data)
        if byte < 0x80:
            break
    return len(data)
