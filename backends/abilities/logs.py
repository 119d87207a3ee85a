"""What containers wrote: followed as it comes, and older lines asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from backends.model import Ref

LONGEST = 32_768
"""Bytes of a line that are kept; a longer one ends in words that say how much is missing."""


def _no_stamps() -> array[int]:
    return array("q")


@dataclass(frozen=True, slots=True)
class LogPosition:
    """Where a stream stood, so that it can be gone on with: no line twice, none left out."""

    stamp: int = 0
    """The newest line's time, Unix nanoseconds."""
    seen: int = 0
    """How many lines of exactly that time were seen."""


@dataclass(frozen=True, slots=True)
class LogBatch:
    """Lines in the engine's order, as their container wrote them.

    The texts are raw bytes without line ends and are NOT safe to draw: of a flood only the lines on screen are cleaned
    (`backends.log_text`).
    """

    texts: list[bytes] = field(default_factory=list)
    stamps: array[int] = field(default_factory=_no_stamps)
    """Unix nanoseconds, one a line."""
    errors: bytes = b""
    """One byte a line: 1 where it went to stderr."""
    dropped: int = 0
    """Lines before these that nobody took in time."""
    gap: bool = False
    """The engine no longer had, or could not hand over in time, what came before these lines: how many is unknown."""
    position: LogPosition = LogPosition()
    """Where the stream stands after these lines."""


class Logs(ABC):
    @abstractmethod
    def follow(
        self, ref: Ref, *, tail: int = 1000, since: int = 0, after: LogPosition | None = None
    ) -> AsyncIterator[LogBatch]:
        """The last `tail` lines, none older than `since` (Unix nanoseconds), then every new one until it stops.

        Ends when the container does. `after`: go on from there in place of a tail. Close the iterator to end the
        stream. Raises ActionError when its logs cannot be read, EngineError when the connection is lost.
        """

    @abstractmethod
    async def before(self, ref: Ref, oldest: LogPosition, count: int, *, newer: int = 0, since: int = 0) -> LogBatch:
        """At most `count` lines before those known, the newest of them; empty at the very start.

        `oldest`: the oldest known time, and how many lines of just that time are known. `newer`: about how many lines
        are known from it on, which spares the engine a search. Raises as `follow`.
        """
