"""Virtual machines made with VBoxManage 7.2, step by step, each undone when a later one fails."""

from __future__ import annotations

import asyncio
import os
import posixpath
import re
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING

from backends import bases
from backends.abilities.creating import GB, MB, Creating, DiskFrom, Limits, NewVM, OSType
from backends.base import ActionError
from backends.model import Kind, Ref
from backends.text import clean
from backends.undoing import Undo, undone_on_failure
from backends.virtualbox.hosting import Host, adapter
from backends.virtualbox.working import Taken, Working

if TYPE_CHECKING:
    from backends.progress import Report
    from backends.virtualbox.backend import VirtualBoxBackend

CONTROLLER = "SATA"
_PORTS = 4
FORMATS = (("VDI", "VDI, VirtualBox's own"), ("VMDK", "VMDK, VMware's"), ("VHD", "VHD, Virtual PC's"))
_LISTED = re.compile(r"ID / Description: (\S+) -- (.+)")
_LONGEST = 240
"""Bytes of a name: VirtualBox names files after it, with something behind."""


class VirtualBoxCreating(Creating):
    def __init__(self, backend: VirtualBoxBackend) -> None:
        self._backend = backend
        self._host = Host(backend)
        self._types: tuple[OSType, ...] = ()

    async def os_types(self) -> tuple[OSType, ...]:
        if not self._types:
            self._types = await (self._asked() if self._backend.binding else self._listed())
        return self._types

    async def _asked(self) -> tuple[OSType, ...]:
        return tuple(
            OSType(
                id=clean(str(found["id"])),
                name=clean(str(found["name"])),
                cpus=_cpus(str(found["name"]), found["smp"]),
                memory=max(4, int(found["memory"])) * MB,
                disk=int(found["disk"]) or 2 * GB,
                uefi=bool(found["uefi"]),
            )
            for found in await self._backend.ask("os_types")
        )

    async def _listed(self) -> tuple[OSType, ...]:
        """VBoxManage lists names alone: what is recommended is boxtop's own guess."""
        arm = os.uname().machine.startswith(("arm", "aarch"))
        found = []
        for identity, name in _LISTED.findall(await self._host.run("list", "ostypes")):
            if identity.endswith("_arm64") is arm:
                known = re.search("Windows 1[01]|Windows 20[12]", name)
                small = name.startswith(("Other", "DOS"))
                found.append(
                    OSType(
                        clean(identity),
                        clean(name),
                        _cpus(name, identity.endswith("64")),
                        (64 * MB if small else 4 * GB if known else 2 * GB),
                        (2 * GB if small else 80 * GB if known else 20 * GB),
                        uefi="Windows 11" in name,
                    )
                )
        return tuple(found) or (OSType("Other", "Other/Unknown"),)

    async def limits(self) -> Limits:
        properties, host, networks, machines, disks, isos = await asyncio.gather(
            self._host.properties(),
            self._host.run("list", "hostinfo"),
            self._host.networks(),
            self._host.machines(),
            self._host.images(),
            self._host.images("dvds"),
        )
        folder = properties.get("Default machine folder", "")
        place = await self._host.place(folder)
        marked = await asyncio.to_thread(bases.marked, self._backend.url)
        return Limits(
            cpus=_number(r"Processor online count: (\d+)", host) or 1,
            memory=(_number(r"Memory size: (\d+)", host) or 0) * MB,
            memory_free=(_number(r"Memory available: (\d+)", host) or 0) * MB,
            folder=clean(folder),
            space=place["free"],
            formats=FORMATS,
            networks=tuple((one, clean(label)) for one, label in networks),
            names=frozenset(machines.values()),
            bases=tuple((image.location, image.capacity) for image in disks if image.location in marked),
            disks=tuple(image.location for image in disks if not image.parent),
            isos=tuple(image.location for image in isos if image.location.startswith("/")),
        )

    async def objections(self, spec: NewVM) -> Mapping[str, str]:
        found: dict[str, str] = {}
        if wrong := name_wrong(spec.name):
            found["name"] = wrong
        elif spec.name in (await self._host.machines()).values():
            found["name"] = "there is a VM of this name already"
        if spec.disk not in {DiskFrom.NEW, DiskFrom.NONE} and spec.image:
            place = await self._host.place(spec.image)
            if place["why"]:
                found["image"] = f"VirtualBox cannot read it: {clean(place['why'])}"
            else:
                found |= await self._image_wrong(spec, int(place["size"]))
        elif spec.disk is DiskFrom.NEW and spec.fixed and (wrong := await self._room_wrong(spec.size)):
            found["size"] = wrong
        if spec.iso:
            place = await self._host.place(spec.iso)
            if place["why"]:
                found["iso"] = f"VirtualBox cannot read it: {clean(place['why'])}"
        return found

    async def _room_wrong(self, needed: int) -> str:
        """Why so many bytes do not fit where machines are made; empty when they do, or nobody knows."""
        folder = (await self._host.properties()).get("Default machine folder", "")
        left = (await self._host.place(folder))["free"]
        if left is None or needed <= left:
            return ""
        return f"it needs {needed >> 20} MB, {left >> 20} MB are left in {clean(folder)}"

    async def _image_wrong(self, spec: NewVM, size: int) -> dict[str, str]:
        if spec.disk is DiskFrom.COPY:
            return {"image": wrong} if (wrong := await self._room_wrong(size)) else {}
        for image in await self._host.images():
            if image.location == spec.image and image.users:
                names = await self._host.machines()
                users = ", ".join(clean(names.get(user, user)) for user in image.users)
                return {"image": f"it is in use by {users}"}
        return {}

    async def create(self, spec: NewVM, report: Report) -> Ref:
        """VirtualBox registers it under an id chosen here, so that it is found again whatever breaks on the way."""
        for field, reason in (await self.objections(spec)).items():
            raise ActionError(f"{field}: {reason}")
        identity = str(uuid.uuid4())
        work = Working(self._backend.manager(), report)
        async with undone_on_failure(report) as undo:
            folder, stem = await self._register(spec, identity, work, undo)
            await work.run("storagectl", identity, f"--name={CONTROLLER}", "--add=sata", f"--portcount={_PORTS}")
            if spec.disk is not DiskFrom.NONE:
                disk = await self._disk(spec, posixpath.join(folder, stem), identity, work, undo)
                await self._attach(work, identity, 0, "hdd", disk)
            await self._attach(work, identity, 1, "dvddrive", spec.iso or "emptydrive")
            undo.forget()
        return Ref(self._backend.engine, Kind.VM, identity)

    async def _register(self, spec: NewVM, identity: str, work: Working, undo: Undo) -> tuple[str, str]:
        """The machine's folder, and the name of its settings file less its suffix."""
        undo.later(f"the VM {clean(spec.name, 60)}", lambda: self._host.often(lambda: self._unregister(identity)))
        made = await work.run(
            "createvm", f"--name={spec.name}", f"--uuid={identity}", f"--ostype={spec.os_type}", "--register"
        )
        found = re.search(r"^Settings file: '(.*)'$", made, re.M)
        if found is None:
            raise ActionError("VBoxManage does not say where the VM's settings are")
        options = [f"--cpus={spec.cpus}", f"--memory={spec.memory // MB}", "--ioapic=on", "--rtc-use-utc=on"]
        options += [f"--firmware={'efi' if spec.uefi else 'bios'}", "--boot1=dvd", "--boot2=disk", "--boot3=none"]
        options += ["--boot4=none", "--vram=16", "--graphicscontroller=vmsvga", "--mouse=usbtablet"]
        await work.run("modifyvm", identity, *options, *adapter(spec.network))
        return posixpath.dirname(found[1]), posixpath.basename(found[1]).removesuffix(".vbox")

    async def _disk(self, spec: NewVM, stem: str, identity: str, work: Working, undo: Undo) -> str:
        """The path of the disk, which is made unless it is there."""
        if spec.disk is DiskFrom.EXISTING:
            return spec.image
        suffix = spec.format.lower() if spec.disk is DiskFrom.NEW and spec.format in dict(FORMATS) else "vdi"
        path = f"{stem}.{suffix}"
        if (await self._host.place(path))["there"]:
            raise ActionError(f"{clean(path)} is there already")
        if any(image.location == path for image in await self._host.images()):
            # its file may be on a file system that is not mounted now
            raise ActionError(f"VirtualBox knows a disk {clean(path)} already, though its file is not there")
        undo.later(f"the disk {clean(path, 200)}", lambda: self._host.often(lambda: self._remove(path, identity)))
        try:
            await self._make(spec, path, work)
        except Taken:
            undo.unmade()
            raise
        return path

    @staticmethod
    async def _make(spec: NewVM, path: str, work: Working) -> None:
        shown = clean(path, 200)
        if spec.disk is DiskFrom.NEW:
            variant = "Fixed" if spec.fixed else "Standard"
            options = (f"--filename={path}", f"--sizebyte={spec.size}", f"--format={spec.format or 'VDI'}")
            await work.long(f"making the disk {shown}", ("createmedium", "disk", *options, f"--variant={variant}"))
        elif spec.disk is DiskFrom.LINKED:
            # a differencing image has the format of what it rests on unless it says VDI: all may rest on all
            options = (f"--filename={path}", f"--diffparent={spec.image}", "--format=VDI")
            await work.long(f"making the linked copy {shown}", ("createmedium", "disk", *options))
        else:
            await work.long(
                f"copying {clean(spec.image, 200)}", ("clonemedium", "disk", spec.image, path, "--format=VDI")
            )

    async def _attach(self, work: Working, identity: str, port: int, kind: str, medium: str) -> None:
        place = (f"--storagectl={CONTROLLER}", f"--port={port}", "--device=0", f"--type={kind}")
        await work.run("storageattach", identity, *place, f"--medium={medium}")

    # -- undoing ------------------------------------------------------------------------------------------------------

    async def _unregister(self, identity: str) -> bool:
        """Nothing may hang on it when it goes with --delete, which would take attached images along."""
        if identity not in await self._host.machines():
            return False
        await self._detach(identity)
        await self._host.run("unregistervm", identity, "--delete", seconds=120)
        return True

    async def _detach(self, identity: str) -> None:
        for port in range(_PORTS):
            place = (f"--storagectl={CONTROLLER}", f"--port={port}", "--device=0")
            info = await self._host.run("showvminfo", identity, "--machinereadable")
            if re.search(rf'^"{CONTROLLER}-{port}-0"="(?!none")', info, re.M):
                await self._host.run("storageattach", identity, *place, "--medium=none")

    async def _remove(self, path: str, identity: str) -> bool:
        for image in await self._host.images():
            if image.location == path:
                if others := set(image.users) - {identity}:
                    raise ActionError(f"{', '.join(sorted(others))} has it attached")
                if image.users:
                    await self._detach(identity)
                await self._host.run("closemedium", "disk", image.id, "--delete", seconds=120)
                return True
        return await self._host.discard(path)


def name_wrong(name: str) -> str:
    """Why VirtualBox cannot call a VM so; empty when it can."""
    if not name or not name.isprintable():
        return "a name of letters, digits and signs"
    if "/" in name or name in {".", ".."}:
        return "no / in a name"
    if len(name.encode()) > _LONGEST:
        return f"too long: {_LONGEST} bytes at most, as files are named after it"
    return ""


def _cpus(name: str, wide: bool) -> int:
    return 2 if wide and not name.startswith(("Other", "DOS")) else 1


def _number(pattern: str, text: str) -> int | None:
    found = re.search(pattern, text)
    return int(found[1]) if found else None
