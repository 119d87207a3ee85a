"""The kernel's files on one container: opened once, read in place, parsed by hand. Counters only, no rates.

cgroup v2: Documentation/admin-guide/cgroup-v2.rst; v1: admin-guide/cgroup-v1/{memory,cpuacct,blkio-controller}.rst;
/proc/<pid>/net/dev: proc_pid_net(5).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_SIZE = 16384
_V1_UNLIMITED = 1 << 60
"""v1 says "no limit" as the largest page-aligned 63-bit number."""


class Gone(Exception):
    """The cgroup is no more: its container ended or was started anew."""


@dataclass(slots=True)
class Counters:
    """One reading; None where the machine does not tell."""

    cpu: float | None = None
    """Seconds of CPU time used since the cgroup was made."""
    memory: int | None = None
    cache: int | None = None
    """Bytes of file cache charged to it, active or not."""
    network: tuple[int, int] | None = None
    """Bytes (received, sent)."""
    disk: tuple[int, int] | None = None
    """Bytes (read, written)."""
    pids: int | None = None


@dataclass(slots=True)
class Limits:
    cpu: float | None = None
    memory: int | None = None


class FileBudget:
    """How many files may be kept open; beyond it they are opened for each reading."""

    def __init__(self, files: int | None = None) -> None:
        self.left = _default_budget() if files is None else files


def _default_budget() -> int:
    """Half of what the process may open, so that connections and child processes always find room."""
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 4096 if soft == resource.RLIM_INFINITY else min(4096, soft // 2)


_LIMITS = frozenset({"memory_limit", "cpu_quota", "cpu_period"})
_NOT_KEPT = FileBudget(0)


class _File:
    __slots__ = ("_budget", "_fd", "_path")

    def __init__(self, path: str, budget: FileBudget) -> None:
        self._path = path
        self._budget = budget
        self._fd = -1

    def read(self) -> bytes:
        """The file's content now. Raises OSError."""
        if self._fd >= 0:
            return os.pread(self._fd, _SIZE, 0)
        fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        if self._budget.left > 0:
            self._budget.left -= 1
            self._fd = fd
            return os.pread(fd, _SIZE, 0)
        try:
            return os.pread(fd, _SIZE, 0)
        finally:
            os.close(fd)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._budget.left += 1
            self._fd = -1


class _Process:
    """A process of the container, held by its /proc folder: a pid used again by another process cannot be mistaken.

    Its net/dev is opened for each reading: kept open it would keep the network namespace, and devices moved into it,
    alive after the container.
    """

    __slots__ = ("_budget", "_folder")

    def __init__(self, proc: str, pid: int, budget: FileBudget) -> None:
        self._budget = budget
        self._folder = os.open(f"{proc}/{pid}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        budget.left -= 1

    def shares_network_with(self, other: str) -> bool:
        """Whether its network namespace is that of /proc/`other`: each has a file of its own."""
        return os.stat("net/dev", dir_fd=self._folder).st_ino == Path(other, "net/dev").stat().st_ino

    def network(self) -> bytes:
        fd = os.open("net/dev", os.O_RDONLY | os.O_CLOEXEC, dir_fd=self._folder)
        try:
            return os.read(fd, _SIZE)
        finally:
            os.close(fd)

    def close(self) -> None:
        if self._folder >= 0:
            os.close(self._folder)
            self._budget.left += 1
            self._folder = -1


class Group:
    """The open files of one container's cgroup."""

    def __init__(self, root: str, path: str, *, unified: bool, budget: FileBudget, proc: str = "/proc") -> None:
        self._unified = unified
        self._proc = proc
        self._budget = budget
        self._process: _Process | None = None
        self._no_network = False
        self._folders = [f"{root}/{path}"] if unified else [f"{root}/{name}/{path}" for name in ("memory", "pids")]
        names = _V2_FILES if unified else _V1_FILES
        self._files: dict[str, _File | None] = {}
        for key, choices in names.items():
            if unified:
                places = [f"{root}/{path}/{name}" for name in choices]
            else:
                places = [f"{root}/{name.replace('/', f'/{path}/', 1)}" for name in choices]
            found = next((place for place in places if os.access(place, os.R_OK)), None)
            # Limits are looked at rarely: not worth an open file
            self._files[key] = _File(found, _NOT_KEPT if key in _LIMITS else budget) if found else None
        if not any(self._files.values()):
            raise Gone

    def close(self) -> None:
        for file in self._files.values():
            if file is not None:
                file.close()
        self._let_go()

    def read(self) -> Counters:
        """Everything there is to know now. Raises Gone."""
        cpu, usage, stat = self._read("cpu"), self._read("memory"), self._read("memory_stat")
        disk, pids = self._read("disk"), self._read("pids")
        counters = Counters()
        if self._unified:
            micros = field(cpu, b"usage_usec ") if cpu else None
            counters.cpu = None if micros is None else micros / 1e6
        elif cpu:
            counters.cpu = int(cpu) / 1e9
        if usage:
            counters.memory = memory_in_use(
                int(usage), field(stat or b"", b"inactive_file " if self._unified else b"total_inactive_file ")
            )
        if stat:
            counters.cache = field(stat, b"file " if self._unified else b"total_cache ")
        if disk is not None:
            counters.disk = disk_v2(disk) if self._unified else disk_v1(disk)
        if pids:
            counters.pids = int(pids)
        counters.network = self._network()
        return counters

    def limits(self) -> Limits:
        """What it may use at most. Raises Gone."""
        memory, quota = self._read("memory_limit"), self._read("cpu_quota")
        if self._unified:
            return Limits(cpu_limit_v2(quota or b""), memory_limit(memory or b""))
        period = self._read("cpu_period")
        return Limits(cpu_limit_v1(quota or b"", period or b""), memory_limit(memory or b""))

    def _read(self, key: str) -> bytes | None:
        file = self._files.get(key)
        if file is None:
            return None
        try:
            return file.read()
        except OSError as error:
            raise Gone from error

    def _network(self) -> tuple[int, int] | None:
        if self._no_network:
            return None
        for _ in range(2):
            if self._process is None and not self._open_process():
                return None
            if self._no_network or self._process is None:
                return None
            try:
                return network_totals(self._process.network())
            except OSError:
                # That process ended; the container may have others
                self._let_go()
            finally:
                if self._budget.left < 0:
                    self._let_go()
        return None

    def _let_go(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None

    def _open_process(self) -> bool:
        for pid in self._pids():
            try:
                process = _Process(self._proc, pid, self._budget)
            except OSError:
                continue
            try:
                self._no_network = process.shares_network_with(f"{self._proc}/self")
            except OSError:
                process.close()
                continue
            if self._no_network:
                process.close()
            else:
                self._process = process
            return True
        return False

    def _pids(self) -> list[int]:
        """Its processes' ids, its first process likely first; with systemd Podman has them one level down."""
        for folder in self._folders:
            for place in (folder, f"{folder}/container"):
                try:
                    text = Path(place, "cgroup.procs").read_bytes()
                except OSError:
                    continue
                pids = sorted(pid for pid in map(int, text.split()) if pid > 0)
                if pids:
                    return pids
        return []


_V2_FILES = {
    "cpu": ("cpu.stat",),
    "memory": ("memory.current",),
    "memory_stat": ("memory.stat",),
    "disk": ("io.stat",),
    "pids": ("pids.current",),
    "memory_limit": ("memory.max",),
    "cpu_quota": ("cpu.max",),
}
# The first slash is where the container's path goes
_V1_FILES = {
    "cpu": ("cpuacct/cpuacct.usage", "cpu,cpuacct/cpuacct.usage"),
    "memory": ("memory/memory.usage_in_bytes",),
    "memory_stat": ("memory/memory.stat",),
    "disk": ("blkio/blkio.throttle.io_service_bytes_recursive", "blkio/blkio.throttle.io_service_bytes"),
    "pids": ("pids/pids.current",),
    "memory_limit": ("memory/memory.limit_in_bytes",),
    "cpu_quota": ("cpu/cpu.cfs_quota_us", "cpu,cpuacct/cpu.cfs_quota_us"),
    "cpu_period": ("cpu/cpu.cfs_period_us", "cpu,cpuacct/cpu.cfs_period_us"),
}


def field(data: bytes, key: bytes) -> int | None:
    """The number after `key` (which ends in a space) at the start of a line."""
    if data.startswith(key):
        start = len(key)
    else:
        start = data.find(b"\n" + key)
        if start < 0:
            return None
        start += len(key) + 1
    end = data.find(b"\n", start)
    return int(data[start : end if end >= 0 else len(data)])


def memory_in_use(usage: int, inactive_file: int | None) -> int:
    """As `docker stats` (CLI 20.10 calculateMemUsageUnixNoCache): less inactive file cache where that is smaller."""
    if inactive_file is not None and inactive_file < usage:
        return usage - inactive_file
    return usage


def memory_limit(data: bytes) -> int | None:
    text = data.strip()
    if not text or text == b"max":
        return None
    limit = int(text)
    return None if limit >= _V1_UNLIMITED else limit


def cpu_limit_v2(data: bytes) -> float | None:
    words = data.split()
    if len(words) != 2 or words[0] == b"max":
        return None
    return int(words[0]) / int(words[1])


def cpu_limit_v1(quota: bytes, period: bytes) -> float | None:
    if not quota.strip() or not period.strip() or int(quota) <= 0:
        return None
    return int(quota) / int(period)


def disk_v2(data: bytes) -> tuple[int, int]:
    """Bytes read and written over all devices of io.stat."""
    read = written = 0
    for word in data.split():
        if word.startswith(b"rbytes="):
            read += int(word[7:])
        elif word.startswith(b"wbytes="):
            written += int(word[7:])
    return read, written


def disk_v1(data: bytes) -> tuple[int, int]:
    """The same of blkio.throttle.io_service_bytes_recursive: `8:0 Read 4096`."""
    read = written = 0
    for line in data.splitlines():
        words = line.split()
        if len(words) != 3:
            continue
        if words[1] == b"Read":
            read += int(words[2])
        elif words[1] == b"Write":
            written += int(words[2])
    return read, written


def network_totals(data: bytes) -> tuple[int, int]:
    """Bytes received and sent over all interfaces but loopback."""
    received = sent = 0
    for line in data.splitlines()[2:]:
        name, _, figures = line.partition(b":")
        if name.strip() == b"lo":
            continue
        words = figures.split()
        received += int(words[0])
        sent += int(words[8])
    return received, sent
