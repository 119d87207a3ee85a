"""Clones of VirtualBox's machines, by `VBoxManage clonevm`. Seen with VirtualBox 7.2.22.

A clone gets a UUID chosen before and a folder of its own that was not there before: what has to go when it fails is
known exactly.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from backends import vm_names
from backends.abilities.cloning import CloneOffer, CloneSource, CloneSpec, Cloning, offer_objections, source_refusal
from backends.abilities.snapshots import Snapshots
from backends.base import ActionError, EngineError
from backends.model import Kind, Ref
from backends.progress import Report
from backends.text import clean
from backends.undoing import whole
from backends.virtualbox.following import Followed, follow
from backends.virtualbox.helper import clones
from backends.virtualbox.manage import ManageError, refusals

if TYPE_CHECKING:
    from backends.virtualbox.backend import VirtualBoxBackend

_LIVE = {"Running", "Paused", "Stuck"}
_AT_REST = {"PoweredOff", "Saved", "Aborted", "AbortedSaved"}
_RUNS = "it runs, and its disks change while they are copied: choose a snapshot, or shut it down"
_NEEDS_SNAPSHOT = "VirtualBox links to a snapshot, never to a state that goes on: choose one, or take one first"
_ATTEMPTS = 5
_EACH = 0.5


class VirtualBoxCloning(Cloning):
    def __init__(self, backend: VirtualBoxBackend) -> None:
        self._backend = backend

    async def offer(self, vm: Ref) -> CloneOffer:
        snapshots = self._backend.ability(Snapshots)
        assert snapshots is not None  # noqa: S101
        tree = await snapshots.tree(vm)
        state = await self._state(vm)
        full = _RUNS if state in _LIVE else "" if state in _AT_REST else f"it is in between: {state}"
        sources = [CloneSource("", "as it is now", full, _NEEDS_SNAPSHOT)]
        sources += [CloneSource(one.id, one.name) for one in reversed(tree.snapshots)]
        place = await self._place("boxtop")
        size = sum(medium["size"] or 0 for medium in await self._media(vm))
        notes = ("Its saved memory is copied with it.",) if state in {"Saved", "AbortedSaved"} else ()
        return CloneOffer(
            tuple(sources),
            size,
            place["free"],
            clean(str(place["folder"]).rpartition("/")[0]),
            notes,
            "The snapshot it rests on cannot be deleted as long as the clone is there.",
        )

    async def objections(self, vm: Ref, spec: CloneSpec) -> Mapping[str, str]:
        if words := vm_names.problem(spec.name):
            return {"name": words}
        found: dict[str, str] = {}
        if (place := await self._place(spec.name))["taken"]:
            found["name"] = clean(f"{place['folder']} is there already")
        return found | offer_objections(await self.offer(vm), spec)

    async def clone(self, vm: Ref, spec: CloneSpec, report: Report) -> Ref:
        if words := vm_names.problem(spec.name) or source_refusal(await self.offer(vm), spec):
            raise ActionError(words)
        place = await self._place(spec.name)
        folder = str(place["folder"])
        # made here, it is nobody else's, and may be removed when the clone fails
        if words := await whole(self._reserve(folder)):
            raise ActionError(clean(f"{folder} {words}: nothing was done"))
        new = str(uuid.uuid4())
        options = [*(["link"] if spec.linked else []), *(["keepallmacs"] if spec.keep_macs else [])]
        arguments = ["clonevm", vm.id, f"--name={spec.name}", f"--uuid={new}", "--mode=machine", "--register"]
        arguments += [f"--snapshot={spec.snapshot}"] if spec.snapshot else []
        arguments += [f"--options={','.join(options)}"] if options else []
        try:
            await follow(
                self._backend.manager(),
                arguments,
                "linking its disks" if spec.linked else "copying",
                report,
                cancels=True,
            )
        except Followed as error:
            left = await asyncio.shield(self._clear(new, folder))
            raise ActionError(f"{_reason(str(error))}; {left}") from None
        except asyncio.CancelledError:
            report.line(await asyncio.shield(self._clear(new, folder)))
            raise
        return Ref(self._backend.engine, Kind.VM, new)

    async def _clear(self, machine: str, folder: str) -> str:
        """Remove what a clone left that failed; what is left then, in words."""
        manage = self._backend.manager()
        for attempt in range(_ATTEMPTS):
            try:
                if machine in await manage.run("list", "vms"):
                    await manage.run("unregistervm", machine, "--delete", seconds=120.0)
                for medium in _inside(await manage.run("list", "--long", "hdds"), folder):
                    await manage.run("closemedium", "disk", medium, "--delete", seconds=60.0)
                words = await self._remove(folder)
            except (ManageError, ActionError, EngineError) as error:
                # VBoxSVC may just be coming up again
                words = str(error)
                if attempt < _ATTEMPTS - 1:
                    await asyncio.sleep(_EACH)
                    continue
            return clean(f"its files may be left in {folder}: {words}") if words else "nothing of it is left"
        raise AssertionError

    async def _reserve(self, folder: str) -> str:
        if self._backend.binding:
            return str(await self._backend.ask("clone_reserve", folder=folder))
        return await asyncio.to_thread(clones.reserve, folder)

    async def _remove(self, folder: str) -> str:
        if self._backend.binding:
            return str(await self._backend.ask_alone("clone_clear", folder=folder))
        return await asyncio.to_thread(clones.clear, folder)

    async def _place(self, name: str) -> dict[str, Any]:
        if self._backend.binding:
            return dict(await self._backend.ask("clone_place", called=name))
        properties = await self._run("list", "systemproperties")
        base = re.search(r"^Default machine folder: +(.+)$", properties, re.MULTILINE)
        if base is None:
            raise ActionError("VBoxManage does not tell where machines go")
        return await asyncio.to_thread(clones.look, clones.folder_of(base[1], name))

    async def _media(self, vm: Ref) -> list[dict[str, Any]]:
        if self._backend.binding:
            return list(await self._backend.ask("media", machine_id=vm.id))
        with contextlib.suppress(ManageError):
            return await self._backend.manager().media(vm.id)
        return []

    async def _state(self, vm: Ref) -> str:
        with refusals():
            return await self._backend.manager().state(vm.id)

    async def _run(self, *arguments: str) -> str:
        with refusals():
            return await self._backend.manager().run(*arguments)


def _inside(listing: str, folder: str) -> list[str]:
    """UUIDs of the disk images below a folder, those that rest on others first."""
    blocks = [block for block in listing.split("\n\n") if block.strip()]
    found = []
    for block in blocks:
        identity = re.search(r"^UUID: +([0-9a-f-]{36})", block, re.MULTILINE)
        location = re.search(r"^Location: +(.+)$", block, re.MULTILINE)
        if identity and location and location[1].startswith(f"{folder}/"):
            found.append(identity[1])
    return found[::-1]


def _reason(words: str) -> str:
    """A full disk in plain words."""
    if "VERR_DISK_FULL" in words:
        return "the disk is full"
    return words.removeprefix("Clone VM failed ")
