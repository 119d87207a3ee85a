"""When containers started and ended: the listing says it coarsely ("Up 3 days"), events exactly; kept steady here."""

from __future__ import annotations

import re
import threading
from collections.abc import Collection
from dataclasses import dataclass

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
WEEK, MONTH, YEAR = 7 * DAY, 30 * DAY, 365 * DAY
_UNITS = {"second": 1.0, "minute": MINUTE, "hour": HOUR, "day": DAY, "week": WEEK, "month": MONTH, "year": YEAR}
_DURATION = re.compile(r"(?:(Less than a|About an?|\d+) (second|minute|hour|day|week|month|year)s?)")


@dataclass(frozen=True, slots=True)
class Age:
    """How long ago something was, in seconds, give or take `unit`."""

    seconds: float
    unit: float


def parse_age(text: str) -> Age | None:
    """The duration in a listing's status, in the words of Go's docker/go-units `HumanDuration` (0.5.0).

    It truncates seconds, minutes, days and above and rounds hours, so the middle of what it may mean is returned.
    """
    match = _DURATION.search(text)
    if match is None:
        return None
    amount, name = match.groups()
    unit = _UNITS[name]
    if amount == "Less than a":
        return Age(unit / 2, unit)
    count = int(amount) if amount.isdigit() else 1
    return Age(count * unit if name == "hour" else (count + 0.5) * unit, unit)


class Moments:
    """One moment per container, steady as long as what is said of it agrees with what is known. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, float] = {}

    def saw(self, container: str, time: float) -> None:
        """An event told the exact Unix time."""
        with self._lock:
            self._known[container] = time

    def settle(self, container: str, age: Age | None, now: float) -> float | None:
        """The moment a listing of time `now` means: the known one where it fits, else a new guess."""
        with self._lock:
            known = self._known.get(container)
            if age is None:
                return known
            guess = now - age.seconds
            if known is not None and abs(known - guess) <= age.unit + 1.0:
                return known
            self._known[container] = guess
            return guess

    def forget(self, container: str) -> None:
        with self._lock:
            self._known.pop(container, None)

    def keep_only(self, containers: Collection[str]) -> None:
        """Forget all others."""
        with self._lock:
            for container in self._known.keys() - set(containers):
                del self._known[container]
