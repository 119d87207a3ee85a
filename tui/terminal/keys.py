"""The keys that leave a console, found in what is typed."""

from __future__ import annotations

import time
from dataclasses import dataclass

from backends.console import Console

CTRL_C = 0x03


@dataclass(frozen=True, slots=True)
class Leave:
    """The keys that leave a console from this side."""

    keys: bytes
    text: str
    """Their names for the user."""
    within: float | None = None
    """Seconds in which all of them must come, being passed on all the same; None: they are kept back until they
    turn out to be something else."""


THRICE = Leave(b"\x1d\x1d\x1d", "Ctrl-] three times", 1.0)
"""For shells, which need every key: a way out when nothing answers any more."""
DETACH = Leave(b"\x10\x11", "Ctrl-P Ctrl-Q")
"""As the docker CLI has it."""


class Keys:
    """Looks for the keys that leave among what is typed."""

    def __init__(self, leave: Leave, console: Console) -> None:
        self._leave = leave
        self._matched = 0
        self._began = 0.0
        self._listening = console.takes_input
        self._lines = not console.terminal
        self.left = False

    @property
    def last(self) -> int:
        return self._leave.keys[-1]

    def take(self, data: bytes) -> bytes:
        """What of it is for the far end."""
        passed = bytearray()
        for byte in data:
            if self._matches(byte, passed):
                break
        return bytes(passed)

    def _matches(self, byte: int, passed: bytearray) -> bool:
        keys, within = self._leave.keys, self._leave.within
        now = time.monotonic()
        if within is not None and self._matched and now - self._began > within:
            self._matched = 0
        if byte != keys[self._matched]:
            if within is None:
                passed += keys[: self._matched]
            self._matched = 0
        if byte == keys[self._matched]:
            self._began = self._began if self._matched else now
            self._matched += 1
            if within is not None:
                passed.append(byte)
            self.left = self._matched == len(keys)
        else:
            passed.append(byte)
            # without a terminal there is nobody whom Ctrl-C would interrupt
            plain = byte == CTRL_C and (self._lines or not self._listening)
            self.left = plain or (not self._listening and byte in b"q")
        return self.left
