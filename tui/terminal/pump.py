"""Joins the user's terminal with a console elsewhere.

It blocks the main thread on purpose, as nothing may draw or read meanwhile. It ends when the other side does, when the
user leaves, and at once on SIGTERM or SIGHUP; the terminal is then as it was before.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import termios
import time
from contextlib import suppress
from typing import Any

from backends.console import Console
from backends.text import clean
from tui.terminal.borrow import IN, Signals, borrowed, note
from tui.terminal.keys import CTRL_C, Keys, Leave
from tui.terminal.outcome import How, Outcome
from tui.terminal.reset import Screens

_MOST_TYPED = 1 << 16
"""Bytes that wait for a slow far end; then the keyboard waits."""
_TAIL = 2048
_READABLE = select.POLLIN | select.POLLHUP | select.POLLERR
_QUIET, _LONGEST_QUIET = 0.3, 2.0
"""Seconds without a key after which nobody is in the middle of typing; and how long that is waited for."""
_JUST_NOW = 5.0
_ENDS_A_LINE = b"\r\n\x04"


def show_console(console: Console, banner: str, leave: Leave) -> Outcome:
    """Join the user's terminal with a console until it ends; the console stays open."""
    with Signals() as signals:
        try:
            with borrowed(signals) as settings:
                signals.write(note(banner))
                pump = _Pump(console, signals, leave)
                termios.tcsetattr(IN, termios.TCSANOW, pump.settings(settings))
                try:
                    return pump.run()
                finally:
                    with suppress(OSError):
                        signals.write(pump.screen.way_back())
                    pump.await_quiet()
        except (OSError, termios.error) as error:
            # what of the console fails is an outcome of its own
            if signals.ended:
                return Outcome(How.SIGNAL, signal=signals.ended)
            return Outcome(How.GONE, signal=signal.SIGHUP, error=str(error))


class _Pump:
    """Copies both ways between the terminal and a console."""

    def __init__(self, console: Console, signals: Signals, leave: Leave) -> None:
        self._console = console
        self._signals = signals
        self._keys = Keys(leave, console)
        self._typed = b""
        self._tail = b""
        self._sending = console.takes_input
        self._cooked = console.takes_input and not console.terminal
        self._last_key = (0.0, 0)
        self._expected = False
        self.screen = Screens()

    def settings(self, settings: list[Any]) -> list[Any]:
        """The terminal's settings while it is joined: raw, or lines where nobody else edits and echoes them."""
        iflag, oflag, cflag, lflag, *speeds, characters = settings
        characters = list(characters)
        iflag &= ~(termios.IXON | termios.IXOFF)
        if self._cooked:
            # the keys that leave must end a line to be seen
            characters[termios.VEOL], characters[termios.VEOL2] = bytes([self._keys.last]), bytes([CTRL_C])
            return [iflag, oflag, cflag, lflag & ~termios.ISIG | termios.IEXTEN, *speeds, characters]
        iflag &= ~(
            termios.BRKINT
            | termios.ICRNL
            | termios.IGNCR
            | termios.INLCR
            | termios.INPCK
            | termios.ISTRIP
            | termios.PARMRK
        )
        if self._console.terminal:
            oflag &= ~termios.OPOST
        lflag &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.IEXTEN | termios.ISIG)
        characters[termios.VMIN], characters[termios.VTIME] = 1, 0
        return [iflag, oflag, cflag, lflag, *speeds, characters]

    def run(self) -> Outcome:
        console, signals = self._console, self._signals
        poll = select.poll()
        poll.register(signals, select.POLLIN)
        while True:
            if signals.ended:
                return Outcome(How.SIGNAL, signal=signals.ended, tail=self._tail)
            if signals.resized:
                signals.resized = False
                console.resize(*os.get_terminal_size(IN))
            poll.register(IN, select.POLLIN if len(self._typed) < _MOST_TYPED else 0)
            poll.register(console, select.POLLIN | (select.POLLOUT if self._typed else 0))
            ready = dict(poll.poll(0 if console.pending else None))
            if signals.fileno() in ready:
                signals.clear()
            if ready.get(IN, 0) & _READABLE and not self._take_keys():
                return Outcome(How.GONE, signal=signal.SIGHUP, tail=self._tail)
            if self._keys.left:
                self._send()
                self._expected = True
                return Outcome(How.LEFT, tail=self._tail)
            if self._typed and ready.get(console.fileno(), 0) & select.POLLOUT:
                self._send()
            if console.pending or ready.get(console.fileno(), 0) & _READABLE:
                ended = self._show()
                if ended is not None:
                    return ended

    def _show(self) -> Outcome | None:
        """What came, on the terminal; how it ended when it did."""
        try:
            data = self._console.recv()
        except OSError as error:
            return Outcome(How.LOST, error=clean(error.strerror or str(error), 200), tail=self._tail)
        if data is None:
            return None
        if not data:
            self._expected = self._last_key[1] in _ENDS_A_LINE and time.monotonic() - self._last_key[0] < _JUST_NOW
            return Outcome(How.FAR_END, tail=self._tail, typed=self._last_key[0] > 0)
        self._tail = (self._tail + data)[-_TAIL:]
        self.screen.feed(data)
        self._signals.write(data)
        return None

    def _take_keys(self) -> bool:
        """What was typed; False when there is no terminal any more."""
        try:
            data = os.read(IN, 4096)
            if not data:
                termios.tcgetattr(IN)
        except (OSError, termios.error) as error:
            return isinstance(error, OSError) and error.errno in {errno.EINTR, errno.EAGAIN}
        if not data:
            if self._cooked:
                self._console.end_input()
                self._sending = False
                return True
            return False
        self._last_key = (time.monotonic(), data[-1])
        kept = self._keys.take(data)
        if self._sending:
            self._typed += kept
        return True

    def _send(self) -> None:
        try:
            while self._typed and (sent := self._console.send(self._typed)):
                self._typed = self._typed[sent:]
        except OSError:
            # what is left to read tells why
            self._typed, self._sending = b"", False

    def await_quiet(self) -> None:
        """When it ended under the user's hands: what is still typed was not meant for boxtop."""
        deadline = time.monotonic() + _LONGEST_QUIET
        while not (self._expected or self._signals.ended) and time.monotonic() < deadline:
            ready, _, _ = select.select([IN, self._signals.fileno()], [], [], _QUIET)
            if IN not in ready:
                return
            with suppress(OSError):
                if not os.read(IN, 4096):
                    return
