"""Simulated snapshots: trees with branches, taken, restored, deleted and described."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from backends import vm_names
from backends.abilities.snapshots import Op, Refusals, Snapshots, SnapshotTree, VmSnapshot, refusal
from backends.base import ActionError
from backends.demo.actions import settled
from backends.model import VM, Ref, State
from backends.progress import Progress, Report

if TYPE_CHECKING:
    from backends.demo.backend import DemoBackend

_HOUR, _DAY = 3600.0, 86400.0
_MB, _GB = 1 << 20, 1 << 30
_LIVE = (State.RUNNING, State.PAUSED)
_STEPS = 20
# (name, index of the parent, age in seconds, with memory, bytes, description)
_Seed = tuple[str, int, float, bool, int, str]
_SEEDS: dict[str, Sequence[_Seed]] = {
    "build-win11": (
        ("clean install", -1, 61 * _DAY, False, 19 * _GB, "Windows 11 24H2, all updates, activated"),
        ("toolchain 17.10", 0, 6 * _DAY, True, 4 * _GB + 300 * _MB, "Build tools, and the signing key's driver"),
    ),
    "build-debian": (("before bookworm 12.12", -1, 5 * _DAY, False, 2 * _GB + 100 * _MB, ""),),
    "test-freebsd": (
        ("14.3-RELEASE", -1, 40 * _DAY, False, 3 * _GB, "As installed"),
        ("zfs pool with a fault", 0, 12 * _DAY, True, 900 * _MB, "One disk of the mirror is detached"),
        ("resilvered", 1, 11 * _DAY, False, 400 * _MB, ""),
    ),
    "kernel-lab": (
        ("base", -1, 90 * _DAY, False, 5 * _GB, "Arch with the debug tools; every kernel starts here"),
        ("6.17.9", 0, 30 * _DAY, False, 350 * _MB, ""),
        ("6.18-rc1", 0, 16 * _DAY, False, 380 * _MB, "Panics in the NFS client under load"),
        ("6.18-rc1, panic", 2, 16 * _DAY - 2 * _HOUR, True, 6 * _GB + 200 * _MB, "Stopped in the debugger"),
        ("6.18-rc2", 2, 9 * _DAY, False, 360 * _MB, ""),
    ),
}  # fmt: skip


class DemoSnapshots(Snapshots):
    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend
        self._trees: dict[Ref, SnapshotTree] = {}
        self._number = 0

    async def tree(self, vm: Ref) -> SnapshotTree:
        item = self._vm(vm)
        tree = self._tree(item)
        children: dict[str, int] = {}
        for snapshot in tree.snapshots:
            children[snapshot.parent] = children.get(snapshot.parent, 0) + 1
        snapshots = tuple(replace(one, refusals=_refusals(children.get(one.id, 0))) for one in tree.snapshots)
        refusals: Refusals = ()
        if item.state in {State.STARTING, State.STOPPING, State.SAVING, State.RESTARTING, State.DELETING}:
            refusals = tuple((op, f"it is {item.state}") for op in (Op.TAKE, Op.RESTORE, Op.DELETE))
        return replace(
            tree,
            snapshots=snapshots,
            memory=(item.state in {*_LIVE, State.SAVED},),
            delete_note="What it holds is merged into what goes on from it: that may take long, and room meanwhile.",
            refusals=refusals,
        )

    async def objection(self, vm: Ref, name: str) -> str:
        del vm
        return vm_names.problem(name, file=False)

    async def take(self, vm: Ref, name: str, description: str, report: Report, *, memory: bool) -> str:
        del memory
        item = await self._able(Op.TAKE, vm)
        if words := vm_names.problem(name, file=False):
            raise ActionError(words)
        live = item.state in _LIVE
        await self._pass("saving the memory" if live else "taking the snapshot", report, 1.0 if live else 0.3)
        tree = self._tree(self._vm(vm))
        made = VmSnapshot(
            self._id(f"{vm.id}/{name}"),
            name,
            tree.current,
            description,
            self._backend.clock(),
            memory=live or item.state is State.SAVED,
            size=(item.memory * 2 // 3 if live else 0) + 2 * _MB,
        )
        self._put(vm, replace(tree, snapshots=(*tree.snapshots, made), current=made.id, modified=live))
        return f"snapshot {name} was taken{' with the memory' if live else ''}"

    async def restore(self, vm: Ref, snapshot: str, report: Report) -> str:
        item = await self._able(Op.RESTORE, vm, snapshot)
        tree, found = self._found(vm, snapshot)
        await self._pass("restoring the snapshot", report, 0.8)
        state, word = (State.SAVED, "Saved") if found.memory else (State.OFF, "PoweredOff")
        self._backend.world.put(settled(item, state, word, self._backend.clock()))
        self._put(vm, replace(tree, current=snapshot, modified=False))
        return "restored: start it to go on from the saved memory" if found.memory else "restored, it is off"

    async def delete(self, vm: Ref, snapshot: str, report: Report) -> str:
        await self._able(Op.DELETE, vm, snapshot)
        await self._pass("merging its disks", report, 1.2)
        tree, found = self._found(vm, snapshot)
        left = tuple(
            replace(one, parent=found.parent) if one.parent == snapshot else one
            for one in tree.snapshots
            if one.id != snapshot
        )
        current = found.parent if tree.current == snapshot else tree.current
        self._put(vm, replace(tree, snapshots=left, current=current, modified=True))
        return "the snapshot is deleted, its disks are merged"

    async def describe(self, vm: Ref, snapshot: str, name: str, description: str) -> None:
        tree, found = self._found(vm, snapshot)
        changed = replace(found, name=name, description=description)
        self._put(vm, replace(tree, snapshots=tuple(changed if one is found else one for one in tree.snapshots)))

    def _vm(self, ref: Ref) -> VM:
        item = self._backend.world.items.get(ref)
        if not isinstance(item, VM):
            raise ActionError("the VM is gone")
        return item

    async def _able(self, op: Op, vm: Ref, snapshot: str = "") -> VM:
        tree = await self.tree(vm)
        found = next((one for one in tree.snapshots if one.id == snapshot), None)
        if snapshot and found is None:
            raise ActionError("the snapshot is gone")
        if reason := refusal(op, tree, found):
            raise ActionError(reason)
        return self._vm(vm)

    def _found(self, vm: Ref, snapshot: str) -> tuple[SnapshotTree, VmSnapshot]:
        tree = self._tree(self._vm(vm))
        for one in tree.snapshots:
            if one.id == snapshot:
                return tree, one
        raise ActionError("the snapshot is gone")

    def _tree(self, item: VM) -> SnapshotTree:
        if item.ref not in self._trees:
            self._trees[item.ref] = self._seeded(item)
        return self._trees[item.ref]

    def _seeded(self, item: VM) -> SnapshotTree:
        seeds = _SEEDS.get(item.name, ()) if item.snapshots else ()
        ids = [self._id(f"{item.ref.id}/{seed[0]}") for seed in seeds]
        now = self._backend.clock()
        snapshots = tuple(
            VmSnapshot(ids[at], name, ids[parent] if parent >= 0 else "", text, now - age, memory=memory, size=size)
            for at, (name, parent, age, memory, size, text) in enumerate(seeds)
        )
        return SnapshotTree(snapshots, ids[-1] if ids else "", bool(ids) or None)

    def _put(self, vm: Ref, tree: SnapshotTree) -> None:
        self._trees[vm] = replace(tree, snapshots=_in_order(tree.snapshots))
        self._backend.world.put(replace(self._vm(vm), snapshots=len(tree.snapshots)))

    def _id(self, text: str) -> str:
        self._number += 1
        found = hashlib.sha256(f"{self._backend.world.options.seed}/{self._number}/{text}".encode()).hexdigest()
        return f"{found[:8]}-{found[8:12]}-4{found[13:16]}-8{found[17:20]}-{found[20:32]}"

    async def _pass(self, text: str, report: Report, seconds: float) -> None:
        for step in range(_STEPS):
            report.progress(Progress(text, step * 100 // _STEPS, 100, bytes=False))
            await asyncio.sleep(seconds / _STEPS * self._backend.world.options.pace)


def _refusals(children: int) -> Refusals:
    if children < 2:
        return ()
    return ((Op.DELETE, f"{children} snapshots go on from it: VirtualBox merges it into one only"),)


def _in_order(snapshots: Sequence[VmSnapshot]) -> tuple[VmSnapshot, ...]:
    """Parents before their children, the older of two first."""
    below: dict[str, list[VmSnapshot]] = {}
    for snapshot in sorted(snapshots, key=lambda one: one.time or 0.0):
        below.setdefault(snapshot.parent, []).append(snapshot)
    ordered, waiting = [], below.get("", [])[::-1]
    while waiting:
        snapshot = waiting.pop()
        ordered.append(snapshot)
        waiting += below.get(snapshot.id, [])[::-1]
    return tuple(ordered)
