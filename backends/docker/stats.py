"""Live load of a remote engine's containers from its stats API, one sample a request, rates kept here.

Docker Engine API 1.41 `GET /containers/{id}/stats?stream=false&one-shot=true`: without `one-shot` the engine waits a
second for a second sample of its own.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from backends.docker.counters import Counters, Limits, memory_in_use
from backends.docker.sampler import Reading, usage_between
from backends.model import Usage

_KEPT = 60.0


class StatsRates:
    """Turns successive answers into usage. Used from one thread at a time."""

    def __init__(self, machine_memory: int | None = None) -> None:
        self._machine_memory = machine_memory
        self._last: dict[str, tuple[float, Reading, Usage]] = {}

    def usage(self, container: str, answer: Mapping[str, Any]) -> Usage | None:
        """None for a container that is not running."""
        moment = _moment(answer.get("read"))
        if moment is None:
            return None
        now = time.monotonic()
        kept = self._last.get(container)
        if kept is not None and now - kept[0] > _KEPT:
            kept = None
        if kept is not None and moment == kept[1].time:
            # Podman and busy engines may answer from the same sample twice
            return kept[2]
        reading = Reading(moment, counters(answer))
        usage = usage_between(kept[1] if kept else None, reading, self._limits(answer))
        self._last[container] = (now, reading, usage)
        if len(self._last) > 1024:
            self._last = {key: value for key, value in self._last.items() if now - value[0] <= _KEPT}
        return usage

    def _limits(self, answer: Mapping[str, Any]) -> Limits:
        """The answer names the machine's whole memory where there is no limit."""
        limit = (answer.get("memory_stats") or {}).get("limit")
        if not limit or (self._machine_memory and limit >= self._machine_memory) or limit >= 1 << 60:
            return Limits()
        return Limits(memory=int(limit))


def counters(answer: Mapping[str, Any]) -> Counters:
    """The counters in one answer, as `docker stats` reads them."""
    cpu = ((answer.get("cpu_stats") or {}).get("cpu_usage") or {}).get("total_usage")
    memory_stats = answer.get("memory_stats") or {}
    usage, details = memory_stats.get("usage"), memory_stats.get("stats") or {}
    networks = answer.get("networks")
    return Counters(
        cpu=None if cpu is None else cpu / 1e9,
        memory=None
        if usage is None
        else memory_in_use(int(usage), details.get("total_inactive_file", details.get("inactive_file"))),
        cache=next((int(details[name]) for name in ("file", "total_cache", "cache") if name in details), None),
        network=None
        if networks is None
        else (
            sum(int(network.get("rx_bytes", 0)) for network in networks.values()),
            sum(int(network.get("tx_bytes", 0)) for network in networks.values()),
        ),
        disk=_disk((answer.get("blkio_stats") or {}).get("io_service_bytes_recursive")),
        pids=(answer.get("pids_stats") or {}).get("current"),
    )


def _disk(entries: Any) -> tuple[int, int] | None:
    if entries is None:
        return None
    totals = {"read": 0, "write": 0}
    for entry in entries:
        operation = str(entry.get("op", "")).lower()
        if operation in totals:
            totals[operation] += int(entry.get("value", 0))
    return totals["read"], totals["write"]


def _moment(text: Any) -> float | None:
    """Unix time of an RFC 3339 text with nanoseconds; None for Go's zero time, which a stopped container has."""
    if not isinstance(text, str) or text.startswith("0001"):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
