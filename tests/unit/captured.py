"""A machine's cgroup v2 files as a kernel wrote them (tests/engines/capture_cgroup_v2.sh), laid out in a folder."""

from __future__ import annotations

import re
from pathlib import Path

DATA = Path(__file__).parent / "data/cgroup_v2"
_HEADER = re.compile(r"(?:^|\n)==> (\S+) <==\n")
_TICKS = 100
"""USER_HZ: what /proc/<pid>/stat counts in, on every architecture but alpha."""


class CapturedMachine:
    """/sys/fs/cgroup and /proc of one moment; `show` moves on to another, in the files that are there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.root, self.proc = folder / "sys/fs/cgroup", folder / "proc"
        self.show("first")

    def show(self, snapshot: str) -> None:
        """Fill the files with `snapshot` (a file's name in DATA, written by `head -v`)."""
        _, *parts = _HEADER.split((DATA / f"{snapshot}.txt").read_text())
        for name, content in zip(parts[::2], parts[1::2], strict=True):
            place = self._folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(content)

    def uptime(self) -> float:
        """Seconds since the machine's start, in hundredths."""
        return float((self.proc / "uptime").read_text().split()[0])

    def value(self, path: str) -> str:
        return (self.root / path).read_text().strip()

    def table(self, path: str) -> dict[str, int]:
        """A flat keyed file, as memory.stat and cpu.stat."""
        return {key: int(number) for key, number in map(str.split, (self.root / path).read_text().splitlines())}

    def processes(self, group: str) -> list[int]:
        """Of the cgroup and those below it."""
        return [int(pid) for file in (self.root / group).rglob("cgroup.procs") for pid in file.read_text().split()]

    def cpu_seconds(self, group: str) -> float:
        """What its processes and their ended children used, by proc_pid_stat(5): fields 14 to 17."""
        ticks = 0
        for pid in self.processes(group):
            _, _, after_name = (self.proc / f"{pid}/stat").read_text().rpartition(")")
            ticks += sum(map(int, after_name.split()[11:15]))
        return ticks / _TICKS

    def disk_bytes(self, group: str) -> tuple[int, int]:
        """What its processes had the disks read and write, by proc_pid_io(5)."""
        read = written = 0
        for pid in self.processes(group):
            lines = (self.proc / f"{pid}/io").read_text().splitlines()
            figures = {key: int(number) for key, number in (line.split(": ") for line in lines)}
            read += figures["read_bytes"]
            written += figures["write_bytes"]
        return read, written
