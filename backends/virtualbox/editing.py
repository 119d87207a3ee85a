"""Settings of VirtualBox's VMs, read from `showvminfo --machinereadable` and changed with VBoxManage 7.2."""

from __future__ import annotations

import asyncio
import posixpath
import re
import time
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
from backends.text import clean, clean_block
from backends.virtualbox import adapters
from backends.virtualbox.creating import name_wrong
from backends.virtualbox.hosting import Host, adapter
from backends.virtualbox.vm_settings import SERVICE, VirtualBoxAutostart
from backends.virtualbox.working import Working

if TYPE_CHECKING:
    from backends.model import Ref
    from backends.progress import Report
    from backends.virtualbox.backend import VirtualBoxBackend
    from backends.virtualbox.images import Image

_BOOT = {"disk": "disk", "dvd": "cdrom", "net": "network", "floppy": "floppy"}
_SLOT = re.compile(r'^"(?P<ctl>.+)-(?P<port>\d+)-(?P<device>\d+)"="(?P<path>.*)"$', re.M)
_LINE = re.compile(r'^"?(?P<key>[^"=\n]+)"?=(?:"(?P<quoted>.*)"|(?P<bare>.*))$', re.M)
_DESCRIPTION = re.compile(r'^description="((?:\\.|[^"\\])*)"$', re.M | re.S)
_OFF = {"poweroff", "aborted", "teleported"}
_LIVE = {"running", "paused"}
_LOCKED = "VirtualBox changes it only while the VM is off"
_SAVED = "it is saved: start it and shut it down, or discard the saved state"
_UNLOCKED_WITHIN = 10.0
_EACH = 0.5
_SERVICE = Timing("autostart", When.NOW, SERVICE)


class VirtualBoxEditing(Editing):
    def __init__(self, backend: VirtualBoxBackend) -> None:
        self._backend = backend
        self._host = Host(backend)

    async def networks(self) -> tuple[tuple[str, str], ...]:
        return tuple((one, clean(label)) for one, label in await self._host.networks())

    async def settings(self, vm: Ref) -> Settings:
        text = await self._shown(vm)
        return read(text, await self._host.images())

    async def _shown(self, vm: Ref) -> str:
        """`showvminfo`, which is refused for the seconds that a VM's ended process takes to let go of it."""
        deadline = time.monotonic() + _UNLOCKED_WITHIN
        while True:
            try:
                return await self._host.run("showvminfo", vm.id, "--machinereadable")
            except ActionError as error:
                if "being unlocked" not in str(error) or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(_EACH)

    async def change(self, vm: Ref, now: Settings, change: SettingsChange, report: Report) -> When:
        live = now.live
        work = Working(self._backend.manager(), report)
        match change:
            case Set():
                await self._set(vm, now, change)
            case AttachDisk():
                await self._attach(vm, now, change, work)
            case DetachDisk():
                await self._detach(vm, change.drive)
                if change.delete:
                    await self._delete(change.drive, work)
            case GrowDisk():
                await self._refuse(now, "grow")
                if change.size <= (change.drive.size or 0):
                    raise ActionError("a disk can only grow: what lies at its end would be lost")
                size = f"--resizebyte={change.size}"
                path = clean(change.drive.path, 200)
                await work.long(f"growing {path}", ("modifymedium", "disk", change.drive.path, size))
            case Insert():
                await self._insert(vm, change.drive, change.path)
            case SetAdapter():
                await self._adapter(vm, now, change.adapter, live=live)
            case AddAdapter():
                await self._refuse(now, "plug")
                info = _info(await self._host.run("showvminfo", vm.id, "--machinereadable"))
                await self._host.run("modifyvm", vm.id, *adapters.added(info, change.adapter))
            case RemoveAdapter():
                await self._refuse(now, "unplug")
                await self._host.run("modifyvm", vm.id, *adapters.removed(now, change.adapter))
            case AddForward():
                await self._forward(vm, change.forward, live=live)
            case RemoveForward():
                command, option = self._forwarding(change.forward.adapter, live=live)
                await self._host.run(command, vm.id, *option, "delete", change.forward.name)
        return When.NOW

    async def _refuse(self, now: Settings, what: str) -> None:
        timing = now.timed(what)
        if timing.when is When.REFUSED:
            raise ActionError(timing.reason)

    async def _set(self, vm: Ref, now: Settings, change: Set) -> None:
        await self._refuse(now, change.field)
        value = change.value
        if change.field == "autostart":
            await VirtualBoxAutostart(self._backend).set_autostart(vm, on=bool(value))
            return
        if change.field == "name":
            if wrong := name_wrong(str(value)):
                raise ActionError(wrong)
            if str(value) in (await self._host.machines()).values():
                raise ActionError("there is a VM of this name already")
        await self._host.run("modifyvm", vm.id, *_options(change))

    async def _attach(self, vm: Ref, now: Settings, change: AttachDisk, work: Working) -> None:
        await self._refuse(now, "attach")
        text = await self._host.run("showvminfo", vm.id, "--machinereadable")
        controller, port = _free(text)
        path = change.path
        if change.size:
            folder = posixpath.dirname(_value(text, "CfgFile"))
            suffix = (change.format or "VDI").lower()
            names = (f"{folder}/disk-{number}.{suffix}" for number in range(2, 1000))
            for path in names:
                if not (await self._host.place(path))["there"]:
                    break
            options = (f"--filename={path}", f"--sizebyte={change.size}", f"--format={change.format or 'VDI'}")
            await work.long(f"making the disk {clean(path, 200)}", ("createmedium", "disk", *options))
        place = (f"--storagectl={controller}", f"--port={port}", "--device=0", "--type=hdd")
        try:
            await self._host.run("storageattach", vm.id, *place, f"--medium={path}")
        except ActionError:
            if change.size:
                await self._host.run("closemedium", "disk", path, "--delete")
            raise

    async def _detach(self, vm: Ref, drive: Drive) -> None:
        await self._host.run("storageattach", vm.id, *_place(drive), "--medium=none")

    async def _delete(self, drive: Drive, work: Working) -> None:
        for image in await self._host.images():
            if image.location == drive.path and image.users:
                raise ActionError(f"it is detached, but kept: {clean(drive.path, 200)} is used by others or snapshots")
        await work.run("closemedium", "disk", drive.path, "--delete", seconds=600)

    async def _insert(self, vm: Ref, drive: Drive, path: str) -> None:
        if path and (why := (await self._host.place(path))["why"]):
            raise ActionError(f"VirtualBox cannot read {clean(path, 200)}: {clean(why)}")
        kind = "fdd" if drive.kind == "floppy" else "dvddrive"
        medium = f"--medium={path or 'emptydrive'}"
        await self._host.run("storageattach", vm.id, *_place(drive), f"--type={kind}", medium)

    async def _adapter(self, vm: Ref, now: Settings, wanted: Adapter, *, live: bool) -> None:
        before = next((one for one in now.adapters if one.id == wanted.id), None)
        slot = int(wanted.id)
        if before is None or before.mac != wanted.mac:
            await self._refuse(now, "mac")
            await self._host.run("modifyvm", vm.id, f"--mac-address{slot}={wanted.mac.replace(':', '') or 'auto'}")
        if before is None or before.network != wanted.network:
            if live:
                words = [word.partition("=")[2] for word in adapter(wanted.network, slot)]
                if words[0] == "none":
                    words = ["null"]
                await self._host.run("controlvm", vm.id, f"nic{slot}", *words)
            else:
                await self._refuse(now, "link")
                await self._host.run("modifyvm", vm.id, *adapters.attached(wanted.network, slot))
        if before is None or before.link != wanted.link:
            state = "on" if wanted.link else "off"
            if live:
                await self._host.run("controlvm", vm.id, f"setlinkstate{slot}", state)
            else:
                await self._refuse(now, "link")
                await self._host.run("modifyvm", vm.id, f"--cable-connected{slot}={state}")

    async def _forward(self, vm: Ref, forward: Forward, *, live: bool) -> None:
        if "," in forward.name or not forward.name:
            raise ActionError("a name without commas")
        rule = f"{forward.name},{forward.protocol},{forward.host_ip},{forward.host_port}"
        command, option = self._forwarding(forward.adapter, live=live)
        await self._host.run(command, vm.id, *option, f"{rule},{forward.guest_ip},{forward.guest_port}")

    @staticmethod
    def _forwarding(slot: str, *, live: bool) -> tuple[str, tuple[str, ...]]:
        return ("controlvm", (f"natpf{slot or 1}",)) if live else ("modifyvm", (f"--natpf{slot or 1}",))


def read(text: str, images: list[Image]) -> Settings:
    """Settings out of `showvminfo --machinereadable`."""
    # a description goes over lines, which may look like keys
    described = _DESCRIPTION.search(text)
    text = _DESCRIPTION.sub("", text, 1)
    lines = [(match["key"], _plain(match)) for match in _LINE.finditer(text)]
    info = dict(lines)
    known = {image.location: image for image in images}
    boot = [_BOOT[info[f"boot{at}"]] for at in range(1, 5) if info.get(f"boot{at}") in _BOOT]
    return Settings(
        name=clean(info.get("name", "")),
        description=clean_block(_unescaped(described[1])) if described else "",
        cpus=int(info.get("cpus") or 1),
        memory=int(info.get("memory") or 0) * MB,
        uefi=info.get("firmware", "BIOS").upper().startswith("EFI"),
        boot=tuple(boot),
        autostart=info.get("autostart-enabled") == "on",
        drives=tuple(drives(text, info, known)),
        adapters=adapters.adapters(info),
        forwards=adapters.forwards(lines),
        live=info.get("VMState") in _LIVE,
        timing=_timing(info.get("VMState", ""), adapters.full(info)),
    )


def _info(text: str) -> dict[str, str]:
    return {match["key"]: _plain(match) for match in _LINE.finditer(_DESCRIPTION.sub("", text, 1))}


def drives(text: str, info: dict[str, str], known: dict[str, Image]) -> list[Drive]:
    names = {value for key, value in info.items() if key.startswith("storagecontrollername")}
    found = []
    for match in _SLOT.finditer(text):
        controller, path = match["ctl"], _unescaped(match["path"])
        if controller not in names or path == "none":
            continue
        image = known.get(path)
        number = match["port"] if controller != "Floppy" else match["device"]
        place = f"{clean(controller, 40)} {number}{'' if match['device'] == '0' else ':' + match['device']}"
        kind = "disk" if image is not None else "floppy" if "floppy" in controller.lower() else "cdrom"
        found.append(
            Drive(
                id=f"{controller}\n{match['port']}\n{match['device']}",
                place=place,
                kind=kind,
                path="" if path == "emptydrive" else path,
                format=clean(image.format) if image is not None else "",
                size=image.capacity if image is not None else None,
                used=image.size if image is not None else None,
            )
        )
    return found


def _timing(state: str, full: str) -> tuple[Timing, ...]:
    """`full`: why no adapter can be added, whatever its state."""
    static = ("name", "description", "cpus", "memory", "uefi", "boot", "autostart", "grow", "mac", "plug", "unplug")
    if state in _LIVE:
        return tuple(Timing(what, When.REFUSED, _LOCKED) for what in static)
    if state in _OFF:
        return (_SERVICE, Timing("plug", When.REFUSED, full)) if full else (_SERVICE,)
    reason = _SAVED if "saved" in state else f"it is {state}: wait until that is over"
    every = (*static, "attach", "detach", "link", "insert", "forward")
    return tuple(Timing(what, When.REFUSED, reason) for what in every)


def _options(change: Set) -> tuple[str, ...]:
    """Of `modifyvm`."""
    value = change.value
    match change.field:
        case "cpus":
            return f"--cpus={value}", "--ioapic=on"
        case "memory":
            return (f"--memory={int(str(value)) // MB}",)
        case "uefi":
            return (f"--firmware={'efi' if value else 'bios'}",)
        case "boot":
            return _boot(value if isinstance(value, tuple) else ())
    return (f"--{change.field}={value}",)


def _boot(order: tuple[str, ...]) -> tuple[str, ...]:
    words = {ours: theirs for theirs, ours in _BOOT.items()}
    full = [words[one] for one in order if one in words] + ["none"] * 4
    return tuple(f"--boot{at + 1}={full[at]}" for at in range(4))


def _free(text: str) -> tuple[str, int]:
    """A controller with room, and its port. Raises ActionError."""
    slots = [match for match in _SLOT.finditer(text) if match["path"] == "none" and match["device"] == "0"]
    types = dict(re.findall(r'^storagecontrollertype(\d+)="(.*)"$', text, re.M))
    names = dict(re.findall(r'^storagecontrollername(\d+)="(.*)"$', text, re.M))
    for number, name in names.items():
        if types.get(number) in {"IntelAhci", "NVMe", "LsiLogic", "BusLogic", "LsiLogicSas", "VirtioSCSI"}:
            for slot in slots:
                if slot["ctl"] == name:
                    return name, int(slot["port"])
    raise ActionError("no controller has a free port: more ports can be given to it with VBoxManage storagectl")


def _place(drive: Drive) -> tuple[str, ...]:
    controller, port, device = drive.id.split("\n")
    return f"--storagectl={controller}", f"--port={port}", f"--device={device}"


def _value(text: str, key: str) -> str:
    found = re.search(rf'^{key}="(.*)"$', text, re.M)
    return _unescaped(found[1]) if found else ""


def _plain(match: re.Match[str]) -> str:
    return _unescaped(match["quoted"] if match["quoted"] is not None else match["bare"])


def _unescaped(text: str) -> str:
    return re.sub(r"\\([\"\\])", r"\1", text)
