"""How a foreground session ended."""

from __future__ import annotations

import signal
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from backends.text import clean


class How(Enum):
    """How a foreground session ended."""

    FAR_END = "the other side ended it"
    LEFT = "the user left it"
    LOST = "the connection broke"
    TIMEOUT = "it took too long"
    SIGNAL = "boxtop was told to end"
    GONE = "the terminal vanished"


@dataclass(frozen=True, slots=True)
class Outcome:
    how: How
    status: int | None = None
    """A program's exit status, negative for a signal; None for consoles."""
    signal: int = 0
    """What told boxtop to end."""
    error: str = ""
    """Why the connection broke."""
    tail: bytes = b""
    """The last of what a console showed."""
    typed: bool = False
    """The user typed something meanwhile."""

    @property
    def last_line(self) -> str:
        lines = [line for line in clean_lines(self.tail) if line.strip()]
        return lines[-1] if lines else ""


def clean_lines(data: bytes) -> list[str]:
    return [clean(line, 500) for line in data.decode(errors="replace").replace("\r", "\n").split("\n")]


def ending(outcome: Outcome) -> str:
    """How a program ended, in words."""
    status = outcome.status
    if outcome.how is How.TIMEOUT:
        return "ended, as it took too long"
    if status is None:
        return "ended"
    if status < 0:
        with suppress(ValueError):
            return f"ended by {signal.Signals(-status).name}"
        return f"ended by signal {-status}"
    return f"ended with exit status {status}"
