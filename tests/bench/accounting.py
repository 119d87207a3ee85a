"""What processes cost: CPU seconds and memory, read from the kernel."""

from __future__ import annotations

import contextlib
import os
import re
import time
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_of(pid: int) -> float:
    """CPU seconds a process has used so far; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def busy_seconds() -> float:
    """CPU seconds all cores together have been busy since boot."""
    user, nice, system, _, _, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / _TICKS


def wait_quiet(limit: float = 0.3, patience: float = 60.0) -> float:
    """Wait until the machine uses less than `limit` cores, at most `patience` seconds. Returns what it uses."""
    deadline = time.monotonic() + patience
    while True:
        before, began = busy_seconds(), time.monotonic()
        time.sleep(2)
        used = (busy_seconds() - before) / (time.monotonic() - began)
        if used < limit or time.monotonic() > deadline:
            return used


class ProcessGroup:
    """A cgroup v2 leaf that counts a process tree, its dead members too. Needs root and a mounted cgroup2."""

    def __init__(self, name: str) -> None:
        self._path = _cgroup2() / f"boxtop-bench-{name}-{os.getpid()}-{time.monotonic_ns()}"
        self._path.mkdir()

    def enter(self) -> None:
        """Put the calling process in."""
        (self._path / "cgroup.procs").write_text("0")

    def pids(self) -> list[int]:
        return [int(pid) for pid in (self._path / "cgroup.procs").read_text().split()]

    def cpu(self) -> float:
        """CPU seconds used so far."""
        found = re.match(r"usage_usec (\d+)", (self._path / "cpu.stat").read_text())
        assert found is not None
        return int(found[1]) / 1e6

    def memory(self) -> int:
        """PSS in bytes: shared pages are counted by halves, thirds and so on."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
                total += int(found[1]) * 1024 if found else 0
        return total

    def remove(self) -> None:
        """Remove the leaf once its processes are gone."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            try:
                self._path.rmdir()
            except OSError:
                time.sleep(0.05)
            else:
                return


def _cgroup2() -> Path:
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, mount, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(mount)
    raise SystemExit("the benchmark counts CPU with cgroup v2, which is not mounted: mount -t cgroup2 none /mnt")
