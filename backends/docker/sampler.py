"""Live load from counters: rates between two readings, kept per container by monotonic time."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from backends.docker.cgroup_paths import DEFAULT_ROOT, CgroupFinder
from backends.docker.counters import Counters, FileBudget, Gone, Group, Limits
from backends.model import Usage

_SHORTEST = 0.2
"""Seconds between two readings of a rate: shorter ones measure the scheduler's tick."""
_LIMITS_EVERY = 8
"""Readings between two looks at the limits, which only `docker update` changes."""
_KEPT = 30.0
"""Seconds a container's files stay open without being asked for."""


@dataclass(slots=True)
class Reading:
    time: float
    counters: Counters


@dataclass(slots=True)
class _Watched:
    group: Group
    limits: Limits
    asked: float
    count: int = 0
    last: Reading | None = None
    usage: Usage | None = None


class CgroupSampler:
    """Usage of containers on this machine, from the kernel alone. Used from one thread at a time."""

    def __init__(
        self,
        root: str = DEFAULT_ROOT,
        proc: str = "/proc",
        *,
        files: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.finder = CgroupFinder(root, proc)
        self._proc = proc
        self._budget = FileBudget(files)
        self._clock = clock
        self._watched: dict[str, _Watched] = {}

    def sample(self, containers: Collection[str]) -> dict[str, Usage]:
        """Usage by id of those whose cgroup is here."""
        now = self._clock()
        new = [container for container in containers if container not in self._watched]
        if new:
            self._open(new, now)
        found: dict[str, Usage] = {}
        for container in containers:
            usage = self._one(container)
            if usage is not None:
                found[container] = usage
        for container in [key for key, watched in self._watched.items() if now - watched.asked > _KEPT]:
            self._drop(container)
        return found

    def close(self) -> None:
        for container in list(self._watched):
            self._drop(container)

    def _open(self, containers: list[str], now: float) -> None:
        for container, path in self.finder.find(containers, now).items():
            try:
                group = Group(self.finder.root, path, unified=self.finder.unified, budget=self._budget, proc=self._proc)
            except Gone:
                self.finder.forget(container)
                continue
            try:
                self._watched[container] = _Watched(group, group.limits(), now)
            except Gone:
                group.close()
                self.finder.forget(container)

    def _one(self, container: str) -> Usage | None:
        for _ in range(2):
            watched = self._watched.get(container)
            if watched is None:
                return None
            now = self._clock()
            watched.asked = now
            if watched.usage is not None and watched.last is not None and now - watched.last.time < _SHORTEST:
                return watched.usage
            try:
                watched.count += 1
                if watched.count % _LIMITS_EVERY == 0:
                    watched.limits = watched.group.limits()
                counters = watched.group.read()
            except Gone:
                # Started anew: the same id has a new cgroup, whose counters begin at zero
                self._drop(container)
                self._open([container], now)
                continue
            reading = Reading(now, counters)
            watched.usage = usage_between(watched.last, reading, watched.limits)
            watched.last = reading
            return watched.usage
        return None

    def _drop(self, container: str) -> None:
        watched = self._watched.pop(container, None)
        if watched is not None:
            watched.group.close()
            self.finder.forget(container)


def usage_between(last: Reading | None, now: Reading, limits: Limits) -> Usage:
    """Levels of `now` and rates since `last`; a counter that went backwards was reset and gives no rate."""
    counters = now.counters
    cpu = receive = transmit = read = written = None
    if last is not None and now.time > last.time:
        elapsed, before = now.time - last.time, last.counters
        cpu = _rate(before.cpu, counters.cpu, elapsed)
        if before.network and counters.network:
            receive = _rate(before.network[0], counters.network[0], elapsed)
            transmit = _rate(before.network[1], counters.network[1], elapsed)
        if before.disk and counters.disk:
            read = _rate(before.disk[0], counters.disk[0], elapsed)
            written = _rate(before.disk[1], counters.disk[1], elapsed)
    return Usage(
        time=time.time(),
        cpu=cpu,
        cpu_limit=limits.cpu,
        memory=counters.memory,
        memory_limit=limits.memory,
        memory_cache=counters.cache,
        network_receive=receive,
        network_transmit=transmit,
        disk_read=read,
        disk_write=written,
        pids=counters.pids,
    )


def _rate(before: float | None, now: float | None, elapsed: float) -> float | None:
    if before is None or now is None or now < before:
        return None
    return (now - before) / elapsed
