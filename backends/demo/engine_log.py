"""Logs of simulated VMs, in the words of VirtualBox."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from backends.abilities.engine_log import EngineLog, LogMark, LogPart
from backends.base import ActionError
from backends.model import VM, Ref, State

if TYPE_CHECKING:
    from backends.demo.backend import DemoBackend

_EVERY = 20.0
_LAST = ("VMMDev: Guest Log: VBoxService 7.2.4 r170995 (verbosity: 0) linux.amd64 started",)
_LIVELY = (
    "AHCI#0P0: Flush of the disk took 1.2 s: the host's disk is slow",
    "TM: Giving up catch-up attempt at a 60 000 000 000 ns lag; new total: 60 000 000 000 ns",
    "NAT: DHCP offered IP address 10.0.2.15",
    "VMMDev: Guest Log: vmsvga: fifo resized",
)


class DemoLog(EngineLog):
    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend

    async def read(self, ref: Ref, after: LogMark | None = None) -> LogPart:
        item = self._backend.world.items.get(ref)
        if not isinstance(item, VM):
            raise ActionError("the VM is gone")
        lines = _lines(item, self._backend.clock())
        known = after.offset if after is not None else 0
        anew = known > len(lines)
        fresh = tuple(line.encode() for line in lines[0 if anew else known :])
        return LogPart(fresh, LogMark(offset=len(lines)), f"/srv/vms/{item.name}/Logs/VBox.log", anew=anew)


def _lines(item: VM, now: float) -> list[str]:
    began = item.started or item.changed or now
    live = item.state in (State.RUNNING, State.PAUSED)
    words = [
        "VirtualBox VM 7.2.4 r170995 linux.amd64 (Oct 15 2025 11:42:10) release log",
        "Log opened; Process ID: 4211",
        "DMI Product Name: ThinkStation P3; Host RAM: 64093MB (62.5GB)",
        "************************* CFGM dump *************************",
        f"  Name        <string>  = {item.name!r}",
        f"  NumCPUs     <integer> = {item.cpus}",
        f"  RamSize     <integer> = {item.memory:#x} ({item.memory >> 20} MB)",
        f"  UUID        <string>  = {item.ref.id}",
        "********************* End of CFGM dump **********************",
        "HM: HMR3Init: VT-x w/ nested paging and unrestricted guest execution hw support",
        "CPUM: SetGuestCpuIdFeature: Enabled SYSENTER/EXIT, NX, LAHF/SAHF",
        "VD: Opening the disk took 1320931 ns",
        "NAT: Guest address guess set to 10.0.2.15 by initialization",
        "Changing the VM state from 'CREATED' to 'POWERING_ON'",
        "Changing the VM state from 'POWERING_ON' to 'RUNNING'",
        f"Console: Machine state changed to 'Running' ({item.os_type})",
        *_LAST,
    ]
    if item.state is State.PAUSED:
        words.append("Console: Machine state changed to 'Paused'")
    if item.state is State.CRASHED:
        words += ["!! Guru Meditation 1155 (VINF_EM_TRIPLE_FAULT)", "The VM process ended: Aborted"]
    shown = [f"{_moment(number * 0.021)} {text}" for number, text in enumerate(words)]
    for number in range(min(400, int((now - began) / _EVERY)) if live and item.state is State.RUNNING else 0):
        pick = hashlib.sha256(f"{item.name}{number}".encode()).digest()[0] % len(_LIVELY)
        shown.append(f"{_moment((number + 1) * _EVERY)} {_LIVELY[pick]}")
    return shown


def _moment(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes) // 60:02}:{int(minutes) % 60:02}:{rest:09.6f}"
