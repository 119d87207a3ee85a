"""A domain's live load from two readings of libvirt's counters (virConnectGetAllDomainStats, libvirt 9.0)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from backends.model import Usage


class Rates:
    """Keeps the last reading of each domain. CPU as a fraction of one core, memory and rates in bytes."""

    def __init__(self) -> None:
        self._before: dict[str, tuple[float, Mapping[str, Any]]] = {}

    def keep_only(self, ids: Collection[str]) -> None:
        self._before = {identity: reading for identity, reading in self._before.items() if identity in ids}

    def usage(self, identity: str, at: float, stats: Mapping[str, Any], *, now: float) -> Usage:
        """`at`: monotonic seconds of the reading; `now`: Unix time. Rates need two readings of one run."""
        last = self._before.get(identity)
        self._before[identity] = (at, stats)
        before = last[1] if last and _total(stats, "cpu.time") >= _total(last[1], "cpu.time") else None
        seconds = at - last[0] if last else 0.0

        def rate(*names: str) -> float | None:
            if before is None or seconds <= 0 or all(_sum(stats, name) is None for name in names):
                return None
            gained = sum((_sum(stats, name) or 0) - (_sum(before, name) or 0) for name in names)
            return max(0.0, gained / seconds)

        cpu = rate("cpu.time")
        resident = stats.get("balloon.rss") or stats.get("balloon.current")
        # what it has now: the most it can be given may lie far above
        most = stats.get("balloon.current") or stats.get("balloon.maximum")
        return Usage(
            time=now,
            cpu=None if cpu is None else cpu / 1e9,
            cpu_limit=float(stats["vcpu.current"]) if stats.get("vcpu.current") else None,
            memory=int(resident) << 10 if resident else None,
            memory_limit=int(most) << 10 if most else None,
            network_receive=rate("net.rx.bytes"),
            network_transmit=rate("net.tx.bytes"),
            disk_read=rate("block.rd.bytes"),
            disk_write=rate("block.wr.bytes"),
        )


def _total(stats: Mapping[str, Any], name: str) -> int:
    return int(stats.get(name) or 0)


def _sum(stats: Mapping[str, Any], name: str) -> int | None:
    """A counter; `net.rx.bytes` is that of all interfaces, `net.0.rx.bytes` and on. None where there is none."""
    group, _, field = name.partition(".")
    if group not in {"net", "block"}:
        return stats.get(name)
    count = stats.get(f"{group}.count")
    if count is None:
        return None
    return sum(int(stats.get(f"{group}.{index}.{field}") or 0) for index in range(int(count)))
