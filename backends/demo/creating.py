"""Simulated VMs made anew."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from backends.abilities.creating import GB, MB, Creating, DiskFrom, Limits, NewVM, OSType
from backends.base import ActionError
from backends.demo.catalog import Disk, vm_profile
from backends.demo.machinery import OS_TYPES, machinery
from backends.model import VM, Kind, Ref, State
from backends.progress import Progress
from backends.undoing import undone_on_failure

if TYPE_CHECKING:
    from backends.demo.backend import DemoBackend
    from backends.progress import Report

_STEPS = 20


class DemoCreating(Creating):
    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend

    async def os_types(self) -> tuple[OSType, ...]:
        return OS_TYPES

    async def limits(self) -> Limits:
        return machinery(self._backend).limits()

    async def objections(self, spec: NewVM) -> Mapping[str, str]:
        own = machinery(self._backend)
        found: dict[str, str] = {}
        if "/" in spec.name or not spec.name:
            found["name"] = "no / in a name" if spec.name else "a name of letters, digits and signs"
        elif any(machine.name == spec.name for machine in own.machines()):
            found["name"] = "there is a VM of this name already"
        disks = own.disks()
        if spec.disk not in {DiskFrom.NEW, DiskFrom.NONE} and spec.image:
            if spec.image not in disks and spec.image not in own.images:
                found["image"] = "VirtualBox cannot read it: No such file or directory"
            elif spec.disk is not DiskFrom.COPY and spec.image in disks:
                found["image"] = f"it is in use by {', '.join(disks[spec.image][1])}"
        if spec.iso and spec.iso not in own.isos:
            found["iso"] = "VirtualBox cannot read it: No such file or directory"
        return found

    async def create(self, spec: NewVM, report: Report) -> Ref:
        own, world = machinery(self._backend), self._backend.world
        for field, reason in (await self.objections(spec)).items():
            raise ActionError(f"{field}: {reason}")
        ref = Ref(self._backend.engine, Kind.VM, own.identity(spec.name))
        kind = next((entry.name for entry in OS_TYPES if entry.id == spec.os_type), spec.os_type)
        now = self._backend.clock()
        made = VM(ref, spec.name, State.OFF, "PoweredOff", kind, spec.cpus, spec.memory, changed=now, groups=("/",))

        async def drop() -> bool:
            world.drop(ref)
            return True

        async with undone_on_failure(report) as undo:
            undo.later(f"the VM {spec.name}", drop)
            world.admit(made, vm_profile(spec.cpus, spec.memory))
            disk = await self._disk(spec, report)
            world.set_disks(ref, (disk,) if disk else ())
            undo.forget()
        return ref

    async def _disk(self, spec: NewVM, report: Report) -> Disk | None:
        if spec.disk is DiskFrom.NONE:
            return None
        own, path = machinery(self._backend), f"/srv/vms/{spec.name}/{spec.name}.vdi"
        identity = own.identity(f"{spec.name}/disk")
        if spec.disk is DiskFrom.EXISTING:
            return Disk(identity, spec.image, own.images.pop(spec.image, (0, 0))[1])
        size = spec.size if spec.disk is DiskFrom.NEW and spec.fixed else 2 * MB
        if spec.disk is DiskFrom.COPY:
            size = own.images[spec.image][1] if spec.image in own.images else own.disks()[spec.image][0].size
        text = f"{'copying' if spec.disk is DiskFrom.COPY else 'making'} the disk {path}"
        report.line(text)
        steps = _STEPS if size > GB else 1
        for step in range(steps):
            report.progress(Progress(text, size * step // steps, size))
            await asyncio.sleep((0.25 if steps > 1 else 0.1) * self._backend.world.options.pace)
        return Disk(identity, path, size)
