"""What engines tell of themselves as it happens, kept in bounded rings from the start of the program."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

KEPT = 2000
"""So many events of an engine are kept."""
KEPT_CHATTER = 500
"""So many of those that tell nobody anything, beside them: health checks alone make thousands an hour."""
OWN = "boxtop"
"""The type of what boxtop notes itself: that it began to listen, so that a gap is seen as one."""


@dataclass(frozen=True, slots=True)
class EngineEvent:
    """One thing an engine told. All texts are clean; attributes may hold secrets, as labels and commands do."""

    time: float
    """Unix time."""
    engine: str
    type: str
    """What it is about: `container`, `image`, `volume`, `network`, `vm`, ..."""
    action: str
    name: str
    """The object's name, or its id where it has none."""
    id: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    chatter: bool = False
    """It goes on all the time and changes nothing: commands of health checks, listings of processes."""


class EventRing:
    """The last events of one engine. Added to by one thread, read by another; both are cheap."""

    def __init__(self, kept: int = KEPT, kept_chatter: int = KEPT_CHATTER) -> None:
        self._lock = threading.Lock()
        self._told: deque[tuple[int, EngineEvent]] = deque(maxlen=kept)
        self._chatter: deque[tuple[int, EngineEvent]] = deque(maxlen=kept_chatter)
        self.added = 0
        """How many there ever were: it tells whether to read again."""
        self._chattered = 0

    def add(self, event: EngineEvent) -> None:
        with self._lock:
            self.added += 1
            self._chattered += event.chatter
            (self._chatter if event.chatter else self._told).append((self.added, event))

    def read(self, *, chatter: bool = False, after: int = 0) -> tuple[list[tuple[int, EngineEvent]], int]:
        """The events kept, oldest first, each with its number; and how many older ones are kept no more.

        `after`: only those of higher numbers.
        """
        with self._lock:
            found = _tail(self._told, after)
            dropped = self.added - self._chattered - len(self._told)
            if chatter:
                found = sorted([*found, *_tail(self._chatter, after)], key=lambda entry: entry[0])
                dropped += self._chattered - len(self._chatter)
        return found, dropped


def _tail(events: deque[tuple[int, EngineEvent]], after: int) -> list[tuple[int, EngineEvent]]:
    if not after:
        return list(events)
    found = []
    for entry in reversed(events):
        if entry[0] <= after:
            break
        found.append(entry)
    return found[::-1]
