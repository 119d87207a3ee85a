"""The terminal lent out: signals as something to wait for, and all of its settings put back at the end."""

from __future__ import annotations

import os
import select
import signal
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from tui.terminal.reset import KEEP_TITLE, RESET, TITLE_BACK

IN, OUT = 0, 1
_STUCK = 0.2
"""Seconds after which a terminal that takes nothing gets nothing any more, once boxtop is to end."""
_ENDING = (signal.SIGTERM, signal.SIGHUP)


class _Interrupted(Exception):
    """A signal to end came while output waited for the terminal."""


class Signals:
    """Signals as something to wait for with other files, from `with` to its end. Only in the main thread.

    SIGINT is for whoever has the terminal and does nothing here: by a function, as a child would inherit SIG_IGN.
    """

    def __init__(self) -> None:
        self.ended = 0
        """The signal that told boxtop to end; 0: none."""
        self.resized = False
        self._writing = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        self._read, self._write = os.pipe()
        for end in (self._read, self._write):
            os.set_blocking(end, False)
        self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGWINCH, *_ENDING):
            self._before[number] = signal.signal(number, self._came)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        os.close(self._read)
        os.close(self._write)

    def _came(self, number: int, frame: FrameType | None) -> None:
        del frame
        if number == signal.SIGWINCH:
            self.resized = True
        elif number in _ENDING:
            self.ended = number
            if self._writing:
                raise _Interrupted

    def fileno(self) -> int:
        return self._read

    def wait(self, seconds: float) -> None:
        """Until then, or until a signal comes."""
        select.select([self._read], [], [], seconds)
        self.clear()

    def clear(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._read, 4096)

    def write(self, data: bytes) -> None:
        """Bytes for the terminal, which may be slow: also then a signal ends it. Raises OSError when it is gone."""
        if self.ended and not select.select([], [OUT], [], _STUCK)[1]:
            return
        self._writing = True
        try:
            while data:
                data = data[os.write(OUT, data) :]
        except _Interrupted:
            pass
        finally:
            self._writing = False


@contextmanager
def borrowed(signals: Signals) -> Iterator[list[Any]]:
    """The terminal's settings, put back at the end together with all modes a program may have left."""
    before = termios.tcgetattr(IN)
    with suppress(OSError):
        signals.write(KEEP_TITLE)
    try:
        yield termios.tcgetattr(IN)
    finally:
        with suppress(OSError, termios.error):
            termios.tcsetattr(IN, termios.TCSANOW, before)
        with suppress(OSError):
            signals.write(RESET + TITLE_BACK + b"\r\n")
        with suppress(OSError, termios.error):
            termios.tcflush(IN, termios.TCIFLUSH)


def note(text: str) -> bytes:
    """A line of boxtop's own among what others write."""
    return f"\r\n\x1b[2m{text}\x1b[0m\r\n".encode() if text else b""
