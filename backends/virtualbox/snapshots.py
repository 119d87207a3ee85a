"""Snapshots of VirtualBox's machines: the tree from the helper, changes by VBoxManage. Seen with VirtualBox 7.2.22.

Snapshots are always named by UUID: two may have the same name.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from typing import TYPE_CHECKING, Any

from backends import vm_names
from backends.abilities.snapshots import Op, Refusals, Snapshots, SnapshotTree, VmSnapshot
from backends.base import ActionError
from backends.model import Ref
from backends.progress import Progress, Report
from backends.text import clean, clean_block
from backends.unstoppable import to_its_end
from backends.virtualbox.following import Followed, follow
from backends.virtualbox.helper import clones
from backends.virtualbox.images import images
from backends.virtualbox.machines import state_name
from backends.virtualbox.manage import LOST, ManageError, refusals

if TYPE_CHECKING:
    from backends.virtualbox.backend import VirtualBoxBackend

_LIVE = {"Running", "Paused"}
_AT_REST = {"PoweredOff", "Saved", "Aborted", "AbortedSaved"}
_OFF_TIMEOUT = 30.0
_EACH = 0.2
_UNLOCKING = ("being unlocked", "already locked", "not ready", "session is not locked")
_ATTEMPTS = 100
_KEY = re.compile(r"^Snapshot(Name|UUID|Description)((?:-\d+)*)=\"", re.MULTILINE)
_LAST = re.compile(r'^Current(?:Snapshot)?(?:Name|UUID)="', re.MULTILINE)


class VirtualBoxSnapshots(Snapshots):
    def __init__(self, backend: VirtualBoxBackend) -> None:
        self._backend = backend

    async def tree(self, vm: Ref) -> SnapshotTree:
        state = await self._state(vm)
        if self._backend.binding:
            found = await self._backend.ask("snapshots", machine_id=vm.id)
        else:
            found = parse(await self._run("snapshot", vm.id, "list", "--machinereadable"))
            if found["snapshots"]:
                add_clones(found["snapshots"], vm.id, await self._run("list", "--long", "hdds"))
        children: dict[str, int] = {}
        for data in found["snapshots"]:
            children[data["parent"]] = children.get(data["parent"], 0) + 1
        snapshots = tuple(_snapshot(data, children.get(data["id"], 0)) for data in found["snapshots"])
        return SnapshotTree(
            snapshots,
            found["current"],
            found["modified"],
            memory=(state in _LIVE or state in {"Saved", "AbortedSaved"},),
            refusals=_refusals(state),
            delete_note="What it holds is merged into what goes on from it: that may take long, and room meanwhile.",
        )

    async def objection(self, vm: Ref, name: str) -> str:
        del vm
        return vm_names.problem(name, file=False)

    async def take(self, vm: Ref, name: str, description: str, report: Report, *, memory: bool) -> str:
        del memory  # VirtualBox keeps the memory of what runs, always
        before = {snapshot.id for snapshot in (await self.tree(vm)).snapshots}
        info = await self._info(vm)
        live = state_name(info.get("VMState", "")) in _LIVE
        folder = info.get("SnapFldr", "")
        files = set(await self._files("files", folder))
        arguments = ["snapshot", vm.id, "take", name, f"--description={description}", *(["--live"] if live else [])]
        try:
            await follow(self._backend.manager(), arguments, "taking the snapshot", report, cancels=True)
        except Followed as error:
            if error.lost:
                raise ActionError(await self._after_loss(vm, before, folder, files, live=live)) from None
            raise
        return f"snapshot {clean(name)} was taken{' with the memory' if live else ''}"

    async def _after_loss(self, vm: Ref, before: set[str], folder: str, files: set[str], *, live: bool) -> str:
        """What became of it when VBoxSVC ended in between: a new VBoxSVC is asked, and half-made images are removed."""
        for attempt in range(_ATTEMPTS):
            try:
                found = parse(await self._run("snapshot", vm.id, "list", "--machinereadable"))
                known = await self._run("list", "--long", "hdds") + await self._run("showvminfo", vm.id)
                break
            except ActionError as error:
                if attempt == _ATTEMPTS - 1:
                    return f"{LOST}: see which snapshots there are ({error})"
                await asyncio.sleep(_EACH)
        if any(data["id"] not in before for data in found["snapshots"]):
            return f"{LOST}; the snapshot was taken all the same"
        orphans = [name for name in await self._files("files", folder) if name not in files and name not in known]
        if not live:
            orphans = await self._files("remove_files", folder, names=orphans)
        left = clean(f"in {folder} are left {', '.join(orphans)}") if orphans else "nothing of it is left"
        return f"{LOST}; no snapshot was taken, {left}"

    async def _files(self, name: str, folder: str, **arguments: Any) -> list[str]:
        """Of the machine VirtualBox is on, as its own helper sees it."""
        if self._backend.binding:
            return list(await self._backend.ask_alone(name, folder=folder, **arguments))
        return await asyncio.to_thread(getattr(clones, name), folder, **arguments)

    async def restore(self, vm: Ref, snapshot: str, report: Report) -> str:
        if all(found.id != snapshot for found in (await self.tree(vm)).snapshots):
            raise ActionError("the snapshot is gone by now: nothing was done")
        if await self._state(vm) in {*_LIVE, "Stuck"}:
            report.progress(Progress("powering off"))
            await self._run("controlvm", vm.id, "poweroff", seconds=120.0)
            deadline = time.monotonic() + _OFF_TIMEOUT
            while await self._held(vm):
                if time.monotonic() > deadline:
                    raise ActionError(f"it was not off within {_OFF_TIMEOUT:.0f} s: nothing was restored")
                await asyncio.sleep(_EACH)
        arguments = ["snapshot", vm.id, "restore", snapshot]
        try:
            await to_its_end(self._once_unlocked(arguments, "restoring the snapshot", report))
        except Followed as error:
            if error.lost:
                words = "it is off, and may be restored in part; restore the snapshot once more"
                raise ActionError(f"{LOST}: {words}") from None
            raise
        state = ""
        with contextlib.suppress(ActionError):
            state = await self._state(vm)
        return "restored: start it to go on from the saved memory" if state == "Saved" else "restored, it is off"

    async def delete(self, vm: Ref, snapshot: str, report: Report) -> str:
        arguments = ["snapshot", vm.id, "delete", snapshot]
        try:
            await to_its_end(follow(self._backend.manager(), arguments, "merging its disks", report, cancels=False))
        except Followed as error:
            if error.lost:
                words = "where the snapshot is there still, its disks are merged in part; delete it once more"
                raise ActionError(f"{LOST}: {words}") from None
            raise
        return "the snapshot is deleted, its disks are merged"

    async def describe(self, vm: Ref, snapshot: str, name: str, description: str) -> None:
        await self._run("snapshot", vm.id, "edit", snapshot, f"--name={name}", f"--description={description}")

    async def _once_unlocked(self, arguments: list[str], text: str, report: Report) -> None:
        """Do it as soon as VBoxSVC is done with the session of a VM that was powered off: no attribute tells when."""
        deadline = time.monotonic() + _OFF_TIMEOUT
        while True:
            try:
                await follow(self._backend.manager(), arguments, text, report, cancels=False)
            except Followed as error:
                if not any(word in str(error) for word in _UNLOCKING) or time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_EACH)
            else:
                return

    async def _held(self, vm: Ref) -> bool:
        """Whether its VM's process still has it: it does so for a moment when the machine is off already."""
        try:
            return await self._state(vm) not in _AT_REST or bool((await self._info(vm)).get("SessionName"))
        except ActionError:
            # VBoxManage shows a VM through its session, and fails in several ways while that is ending
            return True

    async def _state(self, vm: Ref) -> str:
        with refusals():
            return await self._backend.manager().state(vm.id)

    async def _info(self, vm: Ref) -> dict[str, str]:
        with refusals():
            return await self._backend.manager().info(vm.id)

    async def _run(self, *arguments: str, seconds: float = 60.0) -> str:
        try:
            return await self._backend.manager().run(*arguments, seconds=seconds)
        except ManageError as error:
            if "does not have any snapshots" in str(error):
                return ""
            raise ActionError(str(error)) from None


def _snapshot(data: dict[str, Any], children: int) -> VmSnapshot:
    refusals: Refusals = ()
    if children > 1:
        refusals = ((Op.DELETE, f"{children} snapshots go on from it: VirtualBox merges it into one only"),)
    elif resting := data.get("clones"):
        words = f"linked clone {resting[0]} rests on it: delete that first"
        if len(resting) > 1:
            words = f"linked clones {', '.join(resting)} rest on it: delete them first"
        refusals = ((Op.DELETE, clean(words, 300)),)
    return VmSnapshot(
        id=data["id"],
        name=clean(data["name"]),
        parent=data["parent"],
        description=clean_block(data["description"]),
        time=data["time"],
        memory=data["memory"],
        size=data["size"],
        refusals=refusals,
    )


def add_clones(snapshots: list[dict[str, Any]], own: str, listing: str) -> None:
    """Add to each snapshot the names of other machines whose disks rest on its own, from `list --long hdds`."""
    found = images(listing)
    for data in snapshots:
        frozen = {image.id for image in found if data["id"] in image.holders}
        children = [image for image in found if image.parent in frozen]
        data["clones"] = sorted({name for image in children for user, name in image.machines if user != own})


def _refusals(state: str) -> Refusals:
    if state in _LIVE or state in _AT_REST:
        return ()
    if state == "Stuck":
        return ((Op.TAKE, "its guest crashed VirtualBox: power it off first"),)
    return tuple((op, f"it is in between: {state}") for op in (Op.TAKE, Op.RESTORE, Op.DELETE))


def parse(text: str) -> dict[str, Any]:
    """The tree in `snapshot list --machinereadable`, as the helper tells it, without times and sizes.

    Keys end with the way to a snapshot, `-1-2`; the way to a first one is empty. Values are not escaped: a description
    goes on to the next line that begins with a key.
    """
    end = _LAST.search(text)
    body, rest = (text[: end.start()], text[end.start() :]) if end else (text, "")
    keys = list(_KEY.finditer(body))
    found: dict[str, dict[str, str]] = {}
    ends = [key.start() for key in keys[1:]] + [len(body)]
    for key, stop in zip(keys, ends, strict=False):
        value = body[key.end() : stop].rstrip("\n")
        found.setdefault(key[2], {})[key[1]] = value.removesuffix('"')
    current = re.search(r'^CurrentSnapshotUUID="([0-9a-f-]{36})"', rest, re.MULTILINE)
    snapshots = []
    for way, data in found.items():
        parent = found.get(way.rpartition("-")[0]) if way else None
        if "UUID" in data:
            snapshots.append(
                {
                    "id": data["UUID"],
                    "parent": parent.get("UUID", "") if parent else "",
                    "name": data.get("Name", ""),
                    "description": data.get("Description", ""),
                    "time": None,
                    "memory": False,
                    "size": None,
                }
            )
    return {"current": current[1] if current else "", "modified": None, "snapshots": snapshots}
