"""What brings a terminal back to plain settings, whatever a program left it in."""

from __future__ import annotations

import re

_MODES = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")
_LONGEST = 32
"""Bytes of a sequence that may be cut in two by the end of a portion."""
_ALTERNATE, _ORIGIN = {47, 1047, 1049}, {6}

_OFF = (1, 5, 9, 66, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004, 2026, 2031, 2048)
"""Private modes: cursor keys, reverse screen, keypad, mouse, focus, paste, synchronized output, reports."""

KEEP_TITLE, TITLE_BACK = b"\x1b[22;0t", b"\x1b[23;0t"

_LEAVE_STRINGS = b"\x18\x1b\\"
"""Ends an escape sequence or a control string that was cut off, which would swallow what follows."""

RESET = b"".join(
    (
        _LEAVE_STRINGS,
        b"\x1b[0m\x1b(B\x1b)B\x0f",  # colours, character sets
        b"\x1b7\x1b[r\x1b8",  # the scroll region; setting it moves the cursor
        b"\x1b[4l\x1b[20l\x1b[?7h\x1b[?25h\x1b>",  # insert, line feeds, wrapping, cursor, keypad
        b"".join(b"\x1b[?%dl" % mode for mode in _OFF),
        b"\x1b[>4;0m\x1b[=0u",  # keys as xterm and kitty report them on wish
        b"\x1b[0 q",  # the cursor's shape
    )
)


class Screens:
    """Follows in a stream of output what can be undone only when it was done: leaving either moves the cursor."""

    def __init__(self) -> None:
        self._alternate = False
        self._origin = False
        self._end = b""

    def feed(self, data: bytes) -> None:
        data = self._end + data
        for numbers, word in _MODES.findall(data):
            modes = {int(number) for number in numbers.split(b";") if number}
            if modes & _ALTERNATE:
                self._alternate = word == b"h"
            if modes & _ORIGIN:
                self._origin = word == b"h"
        # from the last ESC on, unless it is long past
        start = data.rfind(b"\x1b", max(0, len(data) - _LONGEST))
        self._end = b"" if start < 0 else data[start:]

    def way_back(self) -> bytes:
        """Out of the alternate screen, and out of positions that count from the scroll region."""
        found = b"\x1b[?1049l" if self._alternate else b""
        found += b"\x1b[?6l\x1b[999;1H" if self._origin else b""
        return _LEAVE_STRINGS + found if found else b""
