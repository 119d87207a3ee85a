"""The load of VMs, from their own processes in /proc."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any


class Processes:
    """The VMs' own processes on this machine, and their load.

    IPerformanceCollector counts the same processes in VBoxSVC every period, reports nothing in driverless mode, and
    setupMetrics on stopped VMs crashed VBoxSVC 7.2.22, which aborts running VMs.
    """

    def __init__(self) -> None:
        self.known: dict[str, tuple[int, int]] = {}
        self.ticks = os.sysconf("SC_CLK_TCK")
        self.page = os.sysconf("SC_PAGE_SIZE")
        self.boot = self._boot_time()

    @staticmethod
    def _boot_time() -> float | None:
        try:
            with Path("/proc/stat").open() as text:
                return next(float(line.split()[1]) for line in text if line.startswith("btime "))
        except (OSError, StopIteration, ValueError):
            return None

    def forget(self, ids: set[str]) -> None:
        for machine_id in ids:
            self.known.pop(machine_id, None)

    def _process(self, machine_id: str, machine: Any) -> tuple[int, int] | None:
        """(pid, start time in ticks) of a VM's process on this machine, else None."""
        known = self.known.get(machine_id)
        if known is not None:
            return known
        pid = machine.sessionPID
        if not 0 < pid < 0x7FFFFFFF:
            return None
        try:
            with Path(f"/proc/{pid}/cmdline").open("rb") as text:
                command = text.read(65536)
                if b"VBox" not in command and b"VirtualBox" not in command:
                    return None
            start = self._stat(pid)[18]
        except (OSError, IndexError):
            return None
        self.known[machine_id] = (pid, start)
        return self.known[machine_id]

    @staticmethod
    def _stat(pid: int) -> list[int]:
        """Fields of /proc/<pid>/stat from the fourth on: 10 and 11 CPU ticks, 18 the start, 20 resident pages."""
        with Path(f"/proc/{pid}/stat").open("rb") as text:
            return [int(field) for field in text.read().rpartition(b") ")[2].split()[1:22]]

    def started(self, machine_id: str, machine: Any) -> float | None:
        process = self._process(machine_id, machine)
        if process is None or self.boot is None:
            return None
        return self.boot + process[1] / float(self.ticks)

    def counters(self, machine_id: str, machine: Any) -> dict[str, Any] | None:
        process = self._process(machine_id, machine)
        if process is None:
            return None
        pid, start = process
        try:
            fields = self._stat(pid)
        except (OSError, IndexError):
            fields = None
        if not fields or fields[18] != start:
            self.known.pop(machine_id, None)
            return None
        counters = {
            "process": f"{pid}-{start}",
            "at": time.monotonic(),
            "cpu": (fields[10] + fields[11]) / float(self.ticks),
            "memory": fields[20] * self.page,
        }
        counters.update(self._disk(pid))
        return counters

    @staticmethod
    def _disk(pid: int) -> dict[str, int]:
        # Readable for the same user only, and not where VirtualBox runs its VMs hardened
        try:
            with Path(f"/proc/{pid}/io").open() as text:
                io = dict(line.split(": ") for line in text.read().splitlines())
            return {"read": int(io["read_bytes"]), "written": int(io["write_bytes"])}
        except (OSError, ValueError, KeyError):
            return {}
