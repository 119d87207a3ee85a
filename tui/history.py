"""Bounded histories of live figures, small enough to keep for every box."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

from backends.model import HostUsage, Usage

SAMPLES = 300

FIELDS = ("cpu", "memory", "memory_cache", "network_receive", "network_transmit", "disk_read", "disk_write", "pids")
HOST_FIELDS = (
    "cpu",
    "memory_used",
    "swap_used",
    "network_receive",
    "network_transmit",
    "disk_read",
    "disk_write",
)


class Ring:
    """The last `size` samples of one figure, oldest first; unknown ones are None."""

    __slots__ = ("_size", "_values")

    def __init__(self, size: int = SAMPLES) -> None:
        self._size = size
        self._values = array("f")

    def push(self, value: float | None) -> None:
        self._values.append(math.nan if value is None else value)
        # dropping in lumps keeps a push cheap
        if len(self._values) >= self._size + 64:
            del self._values[: len(self._values) - self._size]

    def last(self, count: int = SAMPLES) -> list[float | None]:
        start = max(0, len(self._values) - min(count, self._size))
        return [None if math.isnan(value) else value for value in self._values[start:]]

    def mean(self, count: int = SAMPLES) -> float | None:
        known = [value for value in self.last(count) if value is not None]
        return sum(known) / len(known) if known else None

    def __len__(self) -> int:
        return min(len(self._values), self._size)


class History:
    """One ring for each figure of a Usage or HostUsage, made when the figure is first known."""

    __slots__ = ("_fields", "_rings", "_samples")

    def __init__(self, fields: Sequence[str] = FIELDS) -> None:
        self._fields = tuple(fields)
        self._rings: dict[str, Ring] = {}
        self._samples = 0

    def push(self, usage: Usage | HostUsage) -> None:
        for field in self._fields:
            value = getattr(usage, field)
            ring = self._rings.get(field)
            if ring is None:
                if value is None:
                    continue
                ring = self._rings[field] = Ring()
            ring.push(value)
        self._samples += 1

    def last(self, field: str, count: int = SAMPLES) -> list[float | None]:
        ring = self._rings.get(field)
        return ring.last(count) if ring else []

    def __len__(self) -> int:
        return min(self._samples, SAMPLES)
