"""Containers that an event called ended while the listing still calls them running: they are asked about again.

Docker 20.10 tells `die` before its listing knows, by a second and more on a busy disk.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from backends.model import Container, Item, Ref, State

_PATIENCE = 10.0
"""Seconds a listing may be behind; after that it is believed."""


class Lagging:
    """The ends that events told and no listing confirmed yet. Thread-safe; `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._ended: dict[str, float] = {}

    def saw(self, container: str, action: str) -> None:
        """An event told this of a container."""
        with self._lock:
            if action in {"die", "died"}:
                self._ended[container] = self._clock()
            elif action in {"start", "destroy", "remove"}:
                self._ended.pop(container, None)

    def behind(self, listed: Iterable[Item]) -> frozenset[Ref]:
        """Those among the listed that ended already, by an event, and are not listed so."""
        found = set()
        with self._lock:
            for item in listed:
                if not isinstance(item, Container) or (ended := self._ended.get(item.ref.id)) is None:
                    continue
                if item.state is State.RUNNING and self._clock() - ended < _PATIENCE:
                    found.add(item.ref)
                else:
                    del self._ended[item.ref.id]
        return frozenset(found)
