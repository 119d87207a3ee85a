"""Settings of simulated VMs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from backends.abilities.creating import MB
from backends.abilities.editing import (
    Adapter,
    AddAdapter,
    AddForward,
    AttachDisk,
    DetachDisk,
    Drive,
    Editing,
    Forward,
    GrowDisk,
    Insert,
    RemoveAdapter,
    RemoveForward,
    Set,
    SetAdapter,
    Settings,
    SettingsChange,
    Timing,
    When,
)
from backends.base import ActionError
from backends.demo.catalog import Disk
from backends.demo.curves import GB
from backends.demo.machinery import FOLDER, NETWORKS, machinery
from backends.model import VM, State

if TYPE_CHECKING:
    from backends.demo.backend import DemoBackend
    from backends.model import Ref
    from backends.progress import Report

_ADAPTERS = 8
_FULL = "its chipset has 8, all in use"
_NO_NAT = "ports are forwarded by an adapter behind NAT only"
_LOCKED = "VirtualBox changes it only while the VM is off"
_SAVED = "it is saved: start it and shut it down, or discard the saved state"
_STATIC = ("name", "description", "cpus", "memory", "uefi", "boot", "autostart", "grow", "mac", "plug", "unplug")
_ALL = (*_STATIC, "attach", "detach", "link", "insert", "forward")
_SERVICE = Timing("autostart", When.NOW, "the service vboxautostart-service has to be enabled for it")


class DemoEditing(Editing):
    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend
        self._own = machinery(backend)

    async def networks(self) -> tuple[tuple[str, str], ...]:
        return NETWORKS

    async def settings(self, vm: Ref) -> Settings:
        item = self._vm(vm)
        known = self._own.settings.get(vm) or self._first(item)
        drives = [one for one in known.drives if one.kind != "disk"]
        for port, disk in enumerate(self._backend.world.disks(vm)):
            size = self._own.sizes.get(disk.path) or max(20 * GB, -(-disk.size // (10 * GB)) * 10 * GB)
            drives.append(Drive(f"SATA {port}", f"SATA {port}", "disk", disk.path, "VDI", size, disk.size))
        drives.sort(key=lambda drive: drive.place)
        live = item.state in {State.RUNNING, State.PAUSED}
        timing: tuple[Timing, ...] = ()
        if live:
            timing = tuple(Timing(what, When.REFUSED, _LOCKED) for what in _STATIC)
        elif item.state is State.SAVED:
            timing = tuple(Timing(what, When.REFUSED, _SAVED) for what in _ALL)
        elif len(known.adapters) == _ADAPTERS:
            timing = (Timing("plug", When.REFUSED, _FULL), _SERVICE)
        else:
            timing = (_SERVICE,)
        return replace(
            known,
            name=item.name,
            description=item.description,
            cpus=item.cpus,
            memory=item.memory,
            autostart=item.autostart,
            drives=tuple(drives),
            live=live,
            timing=timing,
        )

    async def change(self, vm: Ref, now: Settings, change: SettingsChange, report: Report) -> When:
        del report
        await asyncio.sleep(0.2 * self._backend.world.options.pace)
        match change:
            case Set():
                self._set(vm, now, change)
            case AttachDisk():
                self._allow(now, "attach")
                self._attach(vm, now, change)
            case DetachDisk():
                self._detach(vm, change)
            case GrowDisk():
                self._allow(now, "grow")
                if change.size <= (change.drive.size or 0):
                    raise ActionError("a disk can only grow: what lies at its end would be lost")
                self._own.sizes[change.drive.path] = change.size
            case Insert():
                self._allow(now, "insert")
                if change.path and change.path not in self._own.isos:
                    raise ActionError(f"VirtualBox cannot read {change.path}: No such file or directory")
                drives = tuple(
                    replace(one, path=change.path) if one.id == change.drive.id else one for one in now.drives
                )
                self._keep(vm, replace(now, drives=drives))
            case SetAdapter():
                adapters = tuple(change.adapter if one.id == change.adapter.id else one for one in now.adapters)
                before = next((one for one in now.adapters if one.id == change.adapter.id), None)
                if before is not None and before.mac != change.adapter.mac:
                    self._allow(now, "mac")
                self._keep(vm, replace(now, adapters=tuple(_told(one) for one in adapters)))
            case AddAdapter():
                self._allow(now, "plug")
                slots = {one.id for one in now.adapters}
                slot = next(str(at) for at in range(1, _ADAPTERS + 1) if str(at) not in slots)
                digits = self._own.identity(f"{vm.id} adapter {slot}").replace("-", "")[:6]
                mac = change.adapter.mac or "08:00:27:" + ":".join(digits[at : at + 2] for at in (0, 2, 4))
                fresh = _told(replace(change.adapter, id=slot, mac=mac, model="82540EM"))
                self._keep(vm, replace(now, adapters=(*now.adapters, fresh)))
            case RemoveAdapter():
                self._allow(now, "unplug")
                gone = change.adapter.id
                adapters = tuple(one for one in now.adapters if one.id != gone)
                forwards = tuple(one for one in now.forwards if one.adapter != gone)
                self._keep(vm, replace(now, adapters=adapters, forwards=forwards))
            case AddForward():
                if any(one.host_port == change.forward.host_port for one in now.forwards):
                    raise ActionError(f"port {change.forward.host_port} is forwarded already")
                self._keep(vm, replace(now, forwards=(*now.forwards, change.forward)))
            case RemoveForward():
                self._keep(vm, replace(now, forwards=tuple(one for one in now.forwards if one != change.forward)))
        return When.NOW

    def _set(self, vm: Ref, now: Settings, change: Set) -> None:
        self._allow(now, change.field)
        item, value, world = self._vm(vm), change.value, self._backend.world
        match change.field:
            case "name":
                if any(one.name == value for one in self._own.machines()):
                    raise ActionError("there is a VM of this name already")
                world.admit(replace(item, name=str(value)), world.profile(vm))
            case "description":
                world.put(replace(item, description=str(value)))
            case "cpus":
                world.put(replace(item, cpus=int(str(value))))
            case "autostart":
                world.put(replace(item, autostart=bool(value)))
            case "memory":
                world.put(replace(item, memory=int(str(value))))
            case "boot" if isinstance(value, tuple):
                self._keep(vm, replace(now, boot=value))
            case _:
                self._keep(vm, replace(now, uefi=bool(value)))

    def _attach(self, vm: Ref, now: Settings, change: AttachDisk) -> None:
        disks, path = self._backend.world.disks(vm), change.path
        if change.size:
            path = f"{FOLDER}/{now.name}/disk-{len(disks) + 1}.vdi"
            self._own.sizes[path] = change.size
        elif path in self._own.disks():
            raise ActionError(f"it is in use by {', '.join(self._own.disks()[path][1])}")
        elif path not in self._own.images:
            raise ActionError(f"VirtualBox cannot read {path}: No such file or directory")
        virtual, size = self._own.images.pop(path, (change.size, 2 * MB))
        self._own.sizes[path] = virtual
        self._backend.world.set_disks(vm, (*disks, Disk(self._own.identity(path), path, size)))

    def _detach(self, vm: Ref, change: DetachDisk) -> None:
        world = self._backend.world
        gone = [disk for disk in world.disks(vm) if disk.path == change.drive.path]
        world.set_disks(vm, tuple(disk for disk in world.disks(vm) if disk.path != change.drive.path))
        users = self._own.disks().get(change.drive.path)
        if change.delete and users:
            raise ActionError(f"it is detached, but kept: {change.drive.path} is used by {', '.join(users[1])}")
        if not change.delete and gone and not users:
            self._own.images[change.drive.path] = (change.drive.size or gone[0].size, gone[0].size)

    def _vm(self, vm: Ref) -> VM:
        item = self._backend.world.items.get(vm)
        if not isinstance(item, VM):
            raise ActionError("the VM is gone")
        return item

    def _allow(self, now: Settings, what: str) -> None:
        timing = now.timed(what)
        if timing.when is When.REFUSED:
            raise ActionError(timing.reason)

    def _keep(self, vm: Ref, settings: Settings) -> None:
        self._own.settings[vm] = settings
        self._backend.world.set_disks(vm, self._backend.world.disks(vm))

    def _first(self, item: VM) -> Settings:
        digits = item.ref.id.replace("-", "")[:6]
        mac = "08:00:27:" + ":".join(digits[at : at + 2] for at in (0, 2, 4))
        forwards = (Forward("ssh", "tcp", "127.0.0.1", 2200 + int(digits[:2], 16), "", 22, "1"),)
        return Settings(
            name=item.name,
            description=item.description,
            cpus=item.cpus,
            memory=item.memory,
            uefi="Windows 11" in item.os_type,
            boot=("disk", "cdrom"),
            autostart=item.autostart,
            drives=(Drive("IDE 1", "IDE 1", "cdrom", ""),),
            adapters=(Adapter("1", "nat", mac, link=True, model="82540EM"),),
            forwards=() if "Windows" in item.os_type else forwards,
        )


def _told(adapter: Adapter) -> Adapter:
    return replace(adapter, no_forwards="" if adapter.network == "nat" else _NO_NAT)
