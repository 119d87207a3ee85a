"""The load of the machine boxtop runs on, from the kernel's own files by way of psutil."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from backends.filesystems import FileSystems
from backends.model import HostUsage
from backends.probe import Probe
from backends.text import clean

_Answer = TypeVar("_Answer")

_SYS = Path("/sys")
# bridges, their ports, tunnels, bonds and VLANs carry what a physical interface has counted already
_VIRTUAL_INTERFACE = re.compile(
    r"(lo$|veth|br-|br\d|docker|podman|cni|flannel|cali|cilium|lxc|lxd|virbr|vnet|vboxnet|vmnet|tap|tun|wg|tailscale|"
    r"zt|ifb|dummy|bond|team|macvtap|sit|ip6tnl|gre|erspan|nlmon)|.*[.@]"
)
_VIRTUAL_DISK = re.compile(r"(loop|ram|zram|dm-|md|sr|fd|nbd|drbd|zd|bcache)\d*")
_PARTITION = re.compile(r"((?:nvme\d+n|mmcblk|nbd)\d+)p\d+$|((?:[shv]|xv)d[a-z]+)\d+$")


@dataclass(frozen=True, slots=True)
class _Counters:
    time: float
    """Monotonic seconds."""
    cores: tuple[tuple[float, float], ...]
    """(busy, total) seconds of each core since boot."""
    disks: Mapping[str, tuple[int, int]]
    """Bytes read and written, by whole disk."""
    interfaces: Mapping[str, tuple[int, int]]
    """Bytes received and sent, by interface."""


class HostSampler:
    """What cannot be known here (in a container, on an odd kernel) is None or empty; nothing raises.

    `first_wait` is how long the first sample takes: load and rates are differences. File systems are measured every
    `file_system_period` seconds, sensors every `sensor_period`, each in threads of their own that may hang.
    """

    def __init__(
        self, first_wait: float = 0.1, file_system_period: float = 30.0, sensor_period: float = 5.0, sys: Path = _SYS
    ) -> None:
        self._first_wait = first_wait
        self._sensor_period = sensor_period
        self._sys = sys
        self._file_systems = FileSystems(file_system_period)
        self._sensors: Probe[tuple[tuple[str, float], ...]] = Probe(temperatures, "sensors")
        self._sensors_due = 0.0
        self._last: _Counters | None = None
        self._cores: tuple[float, ...] = ()
        self._rates: tuple[float | None, ...] = (None, None, None, None)
        self._boot: float | None = None
        self._interface_names: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
        self._disk_names: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())

    async def sample(self) -> HostUsage:
        """The load since the sample before this one. Costs about a millisecond; only the first one waits."""
        if self._last is None:
            self._last = self._count()
            self._start_slow()
            await asyncio.sleep(self._first_wait)
        return self._measure()

    async def close(self) -> None:
        """Nothing has to end: a thread that hangs in a dead mount does not keep the program."""

    def _start_slow(self) -> None:
        self._file_systems.current()
        now = time.monotonic()
        if now >= self._sensors_due:
            self._sensors_due = now + self._sensor_period
            self._sensors.start()

    def _measure(self) -> HostUsage:
        import psutil

        now, last = self._count(), self._last
        elapsed = now.time - last.time if last else 0.0
        # two samples within the kernel's clock tick say nothing new
        if last and elapsed >= 0.02:
            self._cores = core_fractions(last.cores, now.cores)
            self._rates = (*rates(last.disks, now.disks, elapsed), *rates(last.interfaces, now.interfaces, elapsed))
            self._last = now
        self._start_slow()
        if self._boot is None:
            self._boot = _known(psutil.boot_time, 0.0)
        memory: Any = _known(psutil.virtual_memory, None)
        swap: Any = _known(psutil.swap_memory, None)
        load = _known(os.getloadavg, None)
        return HostUsage(
            time=time.time(),
            name=clean(_known(socket.gethostname, ""), 255),
            boot=self._boot,
            cpu=sum(self._cores) / len(self._cores) if self._cores else 0.0,
            cores=self._cores,
            memory_used=max(0, memory.total - memory.available) if memory else 0,
            memory_total=memory.total if memory else 0,
            swap_used=swap.used if swap else 0,
            swap_total=swap.total if swap else 0,
            load=load,
            disk_read=self._rates[0],
            disk_write=self._rates[1],
            network_receive=self._rates[2],
            network_transmit=self._rates[3],
            file_systems=self._file_systems.current(),
            temperatures=self._sensors.value(patience=5.0) or (),
        )

    def _count(self) -> _Counters:
        import psutil

        unknown: tuple[tuple[float, float], ...] = ()
        cores = _known(lambda: tuple(map(_busy, psutil.cpu_times(percpu=True))), unknown)
        disks: Mapping[str, Any] = _known(lambda: psutil.disk_io_counters(perdisk=True, nowrap=False), {}) or {}
        interfaces: Mapping[str, Any] = _known(lambda: psutil.net_io_counters(pernic=True, nowrap=False), {}) or {}
        if self._disk_names[0] != disks.keys():
            self._disk_names = (frozenset(disks), whole_disks(disks, self._sys))
        if self._interface_names[0] != interfaces.keys():
            self._interface_names = (frozenset(interfaces), physical_interfaces(interfaces, self._sys))
        return _Counters(
            time=time.monotonic(),
            cores=cores,
            disks={name: (disks[name].read_bytes, disks[name].write_bytes) for name in self._disk_names[1]},
            interfaces={
                name: (interfaces[name].bytes_recv, interfaces[name].bytes_sent) for name in self._interface_names[1]
            },
        )


def _known(ask: Callable[[], _Answer], otherwise: _Answer) -> _Answer:
    """psutil's functions are missing or raise where a kernel hides a file; the rest is still worth showing."""
    try:
        return ask()
    except Exception:
        return otherwise


def _busy(times: Any) -> tuple[float, float]:
    # guest time is part of user time already (proc_stat(5))
    idle = times.idle + getattr(times, "iowait", 0.0)
    busy = sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq", "steal"))
    return busy, busy + idle


def core_fractions(before: Sequence[tuple[float, float]], after: Sequence[tuple[float, float]]) -> tuple[float, ...]:
    """How busy each core was, 0 to 1, from (busy, total) seconds; empty when the number of cores changed."""
    if len(before) != len(after):
        return ()
    return tuple(
        min(1.0, max(0.0, (busy - busy_before) / (total - total_before))) if total > total_before else 0.0
        for (busy_before, total_before), (busy, total) in zip(before, after, strict=True)
    )


def rates(
    before: Mapping[str, tuple[int, int]], after: Mapping[str, tuple[int, int]], elapsed: float
) -> tuple[float | None, float | None]:
    """Bytes a second, both ways, over the devices in both samples. None without any; a counter that fell counts 0."""
    both = before.keys() & after.keys()
    if not both or elapsed <= 0:
        return None, None
    first = sum(max(0, after[name][0] - before[name][0]) for name in both)
    second = sum(max(0, after[name][1] - before[name][1]) for name in both)
    return first / elapsed, second / elapsed


def physical_interfaces(names: Collection[str], sys: Path = _SYS) -> frozenset[str]:
    """Those whose sum is the machine's traffic: with hardware behind them; without any, those not known as virtual;
    without any, all but the loopback."""
    choices: Iterable[list[str]] = (
        [name for name in names if (sys / "class/net" / name / "device").exists()],
        [name for name in names if not _VIRTUAL_INTERFACE.match(name)],
        [name for name in names if name != "lo"],
    )
    return frozenset(next(filter(None, choices), []))


def whole_disks(names: Collection[str], sys: Path = _SYS) -> frozenset[str]:
    """Those whose sum is the machine's disk traffic: no partitions, and no loops, mappings or arrays on top of others
    unless there is nothing else."""
    blocks = [name for name in names if (sys / "block" / name.replace("/", "!")).exists()]
    if not blocks:
        blocks = [name for name in names if not _PARTITION.match(name)]
    choices: Iterable[list[str]] = (
        [name for name in blocks if not _VIRTUAL_DISK.match(name)],
        [name for name in blocks if not name.startswith(("loop", "ram", "zram"))],
    )
    return frozenset(next(filter(None, choices), []))


def temperatures() -> tuple[tuple[str, float], ...]:
    """The hottest sensor of each chip, degrees Celsius. Some drivers take their time."""
    import psutil

    chips: Mapping[str, Any] = psutil.sensors_temperatures()
    found = []
    for chip, sensors in sorted(chips.items()):
        # an absent probe reads 0, -128 or beyond what silicon survives
        plausible = [sensor.current for sensor in sensors if sensor.current is not None and 0 < sensor.current < 150]
        if plausible:
            found.append((clean(chip, 60), float(max(plausible))))
    return tuple(found)
