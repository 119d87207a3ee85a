"""Pictures of the desktops of simulated VMs: plain surfaces, made line by line."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache

from backends import vga_font
from backends.abilities.screens import Picture

_WIDTH, _HEIGHT = 1024, 768
_BAR = 40

Color = tuple[int, int, int]
Box = tuple[int, int, int, int]
"""Left, top, width, height."""


def desktop(os_type: str) -> Callable[[float], Picture] | None:
    """What draws the desktop of this guest at a Unix time; None for a guest with a console."""
    if "Windows XP" in os_type:
        return lambda now: _drawn("xp", int(now // 60))
    if "Windows" in os_type:
        return lambda now: _drawn("11", int(now // 60))
    return None


@lru_cache(4)
def _drawn(style: str, minute: int) -> Picture:
    rows = _hills() if style == "xp" else _bloom()
    bar: Color = (36, 94, 220) if style == "xp" else (32, 34, 44)
    _fill(rows, (0, _HEIGHT - _BAR, _WIDTH, _BAR), bar)
    clock = time.strftime("%H:%M", time.gmtime(minute * 60))
    if style == "xp":
        _fill(rows, (0, _HEIGHT - _BAR, 128, _BAR), (60, 146, 60))
        _write(rows, 16, _HEIGHT - 36, "start", (255, 255, 255))
        _write(rows, _WIDTH - 96, _HEIGHT - 36, clock, (255, 255, 255))
        _window(rows, 300, 220, "Label printer", ["Queue: 3 labels", "Status: ready"])
    else:
        for at in range(4):
            x, y = _WIDTH // 2 - 20 + at % 2 * 18, _HEIGHT - 36 + at // 2 * 16
            _fill(rows, (x, y, 16, 14), (88, 166, 255))
        _write(rows, _WIDTH - 96, _HEIGHT - 36, clock, (255, 255, 255))
        _window(rows, 120, 90, "Build", ["> sign.exe setup.msi", "Signing ... done", "> pack.exe", "Packing 71 %"])
    return Picture(_WIDTH, _HEIGHT, b"".join(rows))


def _bloom() -> list[bytearray]:
    rows = []
    for y in range(_HEIGHT):
        share = y / _HEIGHT
        rows.append(bytearray(bytes((int(20 + 40 * share), int(60 + 90 * share), int(140 + 80 * share))) * _WIDTH))
    return rows


def _hills() -> list[bytearray]:
    rows = []
    for y in range(_HEIGHT):
        sky = bytes((int(70 + y / 6), int(130 + y / 8), 235))
        grass = bytes((70, max(90, 190 - y // 8), 50))
        # a parabola for a hill
        edge = (y - 430) * 9
        left = max(0, min(_WIDTH, 560 - edge)) if edge > 0 else _WIDTH
        right = max(left, min(_WIDTH, 560 + edge)) if edge > 0 else _WIDTH
        rows.append(bytearray(sky * left + grass * (right - left) + sky * (_WIDTH - right)))
    return rows


def _window(rows: list[bytearray], x: int, y: int, title: str, lines: list[str]) -> None:
    _fill(rows, (x, y, 420, 260), (242, 242, 242))
    _fill(rows, (x, y, 420, 36), (30, 80, 180))
    _write(rows, x + 10, y + 2, title, (255, 255, 255))
    for at, text in enumerate(lines):
        _write(rows, x + 14, y + 52 + at * 40, text, (20, 20, 20))


def _fill(rows: list[bytearray], box: Box, color: Color) -> None:
    x, y, width, height = box
    for row in rows[y : y + height]:
        row[x * 3 : (x + width) * 3] = bytes(color) * width


def _write(rows: list[bytearray], x: int, y: int, text: str, color: Color) -> None:
    """In the VGA's letters, each pixel two wide and high."""
    for at, char in enumerate(text):
        for line, bits in enumerate(vga_font.glyphs(16)[ord(char)]):
            for column in range(8):
                if bits >> (7 - column) & 1:
                    _fill(rows, (x + (at * 8 + column) * 2, y + line * 2, 2, 2), color)
