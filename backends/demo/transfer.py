"""Exports of simulated VMs: a small file that says what it is, and VMs made from such files."""

from __future__ import annotations

import asyncio
import hashlib
import os
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from backends import vm_names
from backends.abilities.transfer import Package, Room, Transfer
from backends.base import ActionError
from backends.demo.curves import Profile
from backends.export_paths import check_new, words
from backends.model import VM, Kind, Ref, State
from backends.progress import Progress, Report
from backends.text import clean

if TYPE_CHECKING:
    from backends.demo.backend import DemoBackend

_MARK = "simulated OVA of boxtop's demo: "
_STEPS = 20
_STEP = 0.2
_LONGEST = 1000
_FREE = 180 << 30


class DemoTransfer(Transfer):
    suffix = ".ova"
    what = "one OVA file, simulated"

    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend

    async def room(self, vm: Ref, path: str) -> Room:
        item = self._off(vm)
        await asyncio.to_thread(check_new, path, self.suffix)
        notes = ("Its snapshots are not exported: the disks are as they are now.",) if item.snapshots else ()
        return Room(sum(disk.size for disk in self._backend.world.disks(vm)), _FREE, exact=False, notes=notes)

    async def export(self, vm: Ref, path: str, report: Report) -> str:
        item = self._off(vm)
        room = await self.room(vm, path)
        try:
            await asyncio.to_thread(_write, path, f"{_MARK}{item.name}\n")
        except OSError as error:
            raise ActionError(words(error)) from None
        try:
            await self._pass(f"writing {clean(os.path.basename(path), 200)}", room.needs or 0, report)  # noqa: PTH119
        except BaseException:
            with suppress(OSError):
                os.unlink(path)  # noqa: PTH108
            raise
        return f"{clean(path, 300)}, simulated"

    async def look(self, path: str) -> Package:
        try:
            text = await asyncio.to_thread(_read, path)
        except OSError as error:
            raise ActionError(words(error)) from None
        if not text.startswith(_MARK):
            raise ActionError("the demo imports only what it exported itself")
        return Package(clean(text[len(_MARK) :].strip(), 200), Room(8 << 30, _FREE, exact=False), "/srv/vms")

    async def name_taken(self, name: str) -> str:
        if problem := vm_names.problem(name):
            return problem
        return "there is a VM of this name" if self._backend.world.named(name) else ""

    async def bring(self, path: str, name: str, report: Report) -> str:
        await self.look(path)
        if taken := await self.name_taken(name):
            raise ActionError(taken)
        await self._pass("reading its disks", 8 << 30, report)
        world, now = self._backend.world, self._backend.clock()
        identity = hashlib.sha256(f"{name}{now}".encode()).hexdigest()
        ref = Ref(self._backend.engine, Kind.VM, str(uuid.UUID(identity[:32], version=4)))
        vm = VM(ref, name, State.OFF, "PoweredOff", "Debian 12 Bookworm (64-bit)", 2, 2 << 30, changed=now)
        world.admit(vm, Profile(cpu=0.3, memory=1 << 30))
        return f"made from {clean(path, 300)}"

    async def _pass(self, text: str, total: int, report: Report) -> None:
        for step in range(_STEPS):
            report.progress(Progress(text, total * step // _STEPS, total))
            await asyncio.sleep(_STEP * self._backend.world.options.pace)

    def _off(self, vm: Ref) -> VM:
        item = self._backend.world.items.get(vm)
        if not isinstance(item, VM):
            raise ActionError("the VM is gone")
        if item.state not in (State.OFF, State.CRASHED):
            word = "saved, and an OVA holds no memory" if item.state is State.SAVED else "not off"
            raise ActionError(f"it is {word}: shut it down first")
        return item


def _write(path: str, text: str) -> None:
    with Path(path).open("x", encoding="utf-8") as file:
        file.write(text)


def _read(path: str) -> str:
    with Path(path).open(encoding="utf-8", errors="replace") as file:
        return file.read(_LONGEST)
