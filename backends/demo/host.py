"""A simulated machine for the host strip, in the place of the real one's sampler."""

from __future__ import annotations

import time
from collections.abc import Callable

from backends.demo.catalog import HOST_MEMORY
from backends.demo.curves import GB, MB, wave
from backends.model import FileSystem, HostUsage

_CORES = 8


class DemoHost:
    """Same figures for the same time, like every load of the demo."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._boot = clock() - 23 * 86400.0 - 4 * 3600.0

    async def sample(self) -> HostUsage:
        now = self._clock()
        cores = tuple(round(0.08 + 0.6 * wave(now * (1 + core / 9), core * 1.7) ** 2, 4) for core in range(_CORES))
        busy = sum(cores)
        return HostUsage(
            time=now,
            name="demo",
            boot=self._boot,
            cpu=round(busy / _CORES, 4),
            cores=cores,
            memory_used=int(HOST_MEMORY * (0.52 + 0.06 * wave(now * 0.1, 2.0))),
            memory_total=HOST_MEMORY,
            swap_used=412 * MB,
            swap_total=8 * GB,
            load=(round(busy * 1.1, 2), round(1.9 + wave(now * 0.2, 0.5), 2), round(2.1 + wave(now * 0.06, 0.7), 2)),
            disk_read=float(int(2.4 * MB * wave(now, 3.0) ** 3)),
            disk_write=float(int(5.1 * MB * wave(now * 1.3, 4.0) ** 2)),
            network_receive=float(int(3.2 * MB * wave(now, 5.0) ** 2)),
            network_transmit=float(int(1.7 * MB * wave(now * 1.1, 6.0) ** 2)),
            file_systems=(
                FileSystem("/", "/dev/nvme0n1p2", "ext4", 141 * GB, 234 * GB),
                FileSystem("/srv", "/dev/nvme1n1p1", "xfs", 803 * GB, 931 * GB),
            ),
            temperatures=(
                ("cpu", round(44 + 18 * wave(now * 0.5, 1.0), 1)),
                ("nvme", round(38 + 4 * wave(now * 0.1, 2.0), 1)),
            ),
        )

    async def close(self) -> None:
        return


def demo_host(clock: Callable[[], float] = time.time) -> DemoHost:
    """A source of HostUsage for `--demo`; `clock` gives Unix time."""
    return DemoHost(clock)
