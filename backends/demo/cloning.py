"""Simulated clones of VMs."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from backends import vm_names
from backends.abilities.cloning import CloneOffer, CloneSource, CloneSpec, Cloning, offer_objections
from backends.abilities.snapshots import Snapshots
from backends.base import ActionError
from backends.demo.catalog import Disk, vm_profile
from backends.demo.machinery import FOLDER, SPACE, machinery
from backends.model import VM, Kind, Ref, State
from backends.progress import Progress, Report

if TYPE_CHECKING:
    from backends.demo.backend import DemoBackend

_RUNS = "it runs, and its disks change while they are copied: choose a snapshot, or shut it down"
_NEEDS_SNAPSHOT = "VirtualBox links to a snapshot, never to a state that goes on: choose one, or take one first"
_STEPS = 40


class DemoCloning(Cloning):
    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend

    async def offer(self, vm: Ref) -> CloneOffer:
        item = self._vm(vm)
        full = _RUNS if item.state in {State.RUNNING, State.PAUSED} else ""
        snapshots = self._backend.ability(Snapshots)
        assert snapshots is not None  # noqa: S101
        found = (await snapshots.tree(vm)).snapshots
        return CloneOffer(
            (
                CloneSource("", "as it is now", full, _NEEDS_SNAPSHOT),
                *(CloneSource(one.id, one.name) for one in reversed(found)),
            ),
            sum(disk.size for disk in self._backend.world.disks(vm)),
            SPACE,
            FOLDER,
            ("Its saved memory is copied with it.",) if item.state is State.SAVED else (),
            "The snapshot it rests on cannot be deleted as long as the clone is there.",
        )

    async def objections(self, vm: Ref, spec: CloneSpec) -> Mapping[str, str]:
        found: dict[str, str] = {}
        names = {item.name for item in self._backend.world.items.values() if isinstance(item, VM)}
        if words := vm_names.problem(spec.name):
            found["name"] = words
        elif spec.name in names:
            found["name"] = f"{FOLDER}/{spec.name} is there already"
        return found | offer_objections(await self.offer(vm), spec)

    async def clone(self, vm: Ref, spec: CloneSpec, report: Report) -> Ref:
        for reason in (await self.objections(vm, spec)).values():
            raise ActionError(reason)
        size = sum(disk.size for disk in self._backend.world.disks(vm)) or 1
        text = "linking its disks" if spec.linked else "copying"
        steps = 4 if spec.linked else _STEPS
        for step in range(steps):
            report.progress(Progress(text, size * step // steps, size))
            await asyncio.sleep(0.15 * self._backend.world.options.pace)
        item, own = self._vm(vm), machinery(self._backend)
        ref = Ref(self._backend.engine, Kind.VM, own.identity(spec.name))
        made = replace(
            item,
            ref=ref,
            name=spec.name,
            state=State.OFF,
            state_word="PoweredOff",
            started=None,
            changed=self._backend.clock(),
            snapshots=0,
            autostart=False,
        )
        world = self._backend.world
        world.admit(made, vm_profile(made.cpus, made.memory))
        disk = Disk(own.identity(f"{spec.name}/disk"), f"{FOLDER}/{spec.name}/{spec.name}.vdi", size)
        world.set_disks(ref, (replace(disk, size=2 << 20) if spec.linked else disk,))
        return ref

    def _vm(self, ref: Ref) -> VM:
        item = self._backend.world.items.get(ref)
        if not isinstance(item, VM):
            raise ActionError("the VM is gone")
        return item
