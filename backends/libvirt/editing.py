"""Settings of domains, read from their XML and changed through libvirt 9.0: live where it can be, else later."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from backends.abilities.editing import (
    AddAdapter,
    AttachDisk,
    DetachDisk,
    Drive,
    Editing,
    GrowDisk,
    Insert,
    RemoveAdapter,
    Set,
    SetAdapter,
    Settings,
    SettingsChange,
    Timing,
    When,
)
from backends.base import ActionError
from backends.libvirt import adapters, firmware, sizes, storage
from backends.libvirt.connection import Connection
from backends.libvirt.creating import networks_of
from backends.libvirt.machine_xml import bus_of, drive, name_wrong, target_after
from backends.libvirt.storage import text_of
from backends.libvirt.uses import Uses, kept, no_file
from backends.text import clean, clean_block

if TYPE_CHECKING:
    from backends.libvirt.backend import LibvirtBackend
    from backends.model import Ref
    from backends.progress import Report

_BOOT = {"hd": "disk", "cdrom": "cdrom", "network": "network", "fd": "floppy"}
_TRANSIENT = "it is transient: it has no definition that could be changed"
_LETTERS = 2
_LETS_GO = 3.0
"""Seconds a guest has to give a disk up."""


class LibvirtEditing(Editing):
    def __init__(self, backend: LibvirtBackend) -> None:
        self._backend = backend

    async def networks(self) -> tuple[tuple[str, str], ...]:
        # none: a domain has an adapter in a network, or has no adapter
        return tuple(one for one in await self._backend.ask(networks_of) if one[0] != "none")

    async def settings(self, vm: Ref) -> Settings:
        return await self._backend.ask(lambda connection: _read(connection, connection.domain(vm.id)))

    async def change(self, vm: Ref, now: Settings, change: SettingsChange, report: Report) -> When:
        del report
        when = now.timed("attach")
        if when.when is When.REFUSED:
            raise ActionError(when.reason)
        work: Callable[[Connection, Any], When]
        match change:
            case Set():
                work = lambda connection, domain: _set(connection, domain, now, change)  # noqa: E731
            case AttachDisk():
                work = lambda connection, domain: _attach(connection, domain, now, change)  # noqa: E731
            case DetachDisk():
                work = lambda connection, domain: _detach(connection, domain, change)  # noqa: E731
            case GrowDisk():
                work = lambda connection, domain: _grow(connection, domain, change)  # noqa: E731
            case Insert():
                work = lambda connection, domain: _insert(connection, domain, change)  # noqa: E731
            case SetAdapter():
                work = lambda connection, domain: adapters.change(connection, domain, now, change.adapter)  # noqa: E731
            case AddAdapter():
                work = lambda connection, domain: adapters.add(connection, domain, now, change.adapter)  # noqa: E731
            case RemoveAdapter():
                work = lambda connection, domain: adapters.remove(connection, domain, change.adapter)  # noqa: E731
            case _:
                forward = change.forward
                reasons = [one.no_forwards for one in now.adapters if forward.adapter in {"", one.id}]
                raise ActionError(next(iter(reasons), "it has no such adapter"))

        def done(connection: Connection) -> When:
            try:
                return work(connection, connection.domain(vm.id))
            finally:
                connection.forget(vm.id)

        return await self._backend.act(done)


def _root(connection: Connection, domain: Any, *, secure: bool = False) -> Element:
    """The definition: what holds at the next start. `secure`: with its passwords, which one defined anew would lose."""
    flags = connection.libvirt.VIR_DOMAIN_XML_INACTIVE if domain.isPersistent() else 0
    flags |= connection.libvirt.VIR_DOMAIN_XML_SECURE if secure else 0
    return ElementTree.fromstring(domain.XMLDesc(flags))  # noqa: S314 - libvirt wrote it


def _read(connection: Connection, domain: Any) -> Settings:
    root = _root(connection, domain)
    live = bool(domain.isActive())
    loader = root.find("os/loader")
    uefi = (root.find("os") or Element("os")).get("firmware") == "efi" or (
        loader is not None and loader.get("type") == "pflash"
    )
    orders = [_BOOT[dev] for entry in root.iterfind("os/boot") if (dev := entry.get("dev") or "") in _BOOT]
    return Settings(
        name=clean(domain.name()),
        description=clean_block((root.findtext("description") or "").strip()),
        cpus=sizes.cpus_of(root),
        memory=sizes.memory_of(root),
        uefi=uefi,
        boot=tuple(orders) or tuple(_device_orders(root)),
        autostart=domain.isPersistent() and bool(domain.autostart()),
        drives=tuple(_drive(connection, entry) for entry in root.iterfind("devices/disk")),
        adapters=tuple(adapters.read_adapter(entry) for entry in root.iterfind("devices/interface")),
        forwards=tuple(one for entry in root.iterfind("devices/interface") for one in adapters.forwards_of(entry)),
        live=live,
        timing=_timing(connection, domain, live=live),
    )


def _device_orders(root: Element) -> list[str]:
    found = []
    for entry in root.find("devices") or ():
        boot = entry.find("boot")
        if boot is not None and entry.tag in {"disk", "interface"}:
            kind = {"cdrom": "cdrom", "floppy": "floppy"}.get(entry.get("device") or "", "disk")
            found.append((int(boot.get("order") or 0), "network" if entry.tag == "interface" else kind))
    return list(dict.fromkeys(kind for _, kind in sorted(found)))


def _timing(connection: Connection, domain: Any, *, live: bool) -> tuple[Timing, ...]:
    every = (
        "name",
        "description",
        "cpus",
        "memory",
        "uefi",
        "boot",
        "autostart",
        "attach",
        "detach",
        "grow",
        "insert",
        "mac",
        "link",
        "plug",
        "unplug",
        "forward",
    )
    if not domain.isPersistent():
        return tuple(Timing(what, When.REFUSED, _TRANSIENT) for what in every)
    if not live:
        return ()
    later = (*sizes.timings(connection, domain), *(Timing(what, When.NEXT) for what in ("uefi", "boot", "mac")))
    return (Timing("name", When.REFUSED, "libvirt renames a VM only while it is off"), *later)


def _drive(connection: Connection, entry: Element) -> Drive:
    source, target, driver = entry.find("source"), entry.find("target"), entry.find("driver")
    path = ""
    if source is not None:
        path = source.get("file") or source.get("dev") or source.get("name") or ""
        if not path and source.get("pool"):
            with suppress(connection.libvirt.libvirtError):
                pool = connection.virt.storagePoolLookupByName(source.get("pool"))
                path = pool.storageVolLookupByName(source.get("volume")).path()
    name = (target.get("dev") if target is not None else "") or ""
    bus = (target.get("bus") if target is not None else "") or bus_of(name)
    kind = {"cdrom": "cdrom", "floppy": "floppy"}.get(entry.get("device") or "disk", "disk")
    size: int | None = None
    used: int | None = None
    if path and kind == "disk" and (volume := storage.by_path(connection, path)) is not None:
        with suppress(connection.libvirt.libvirtError):
            _, size, used = volume.info()
    elif path and kind == "disk":
        size = storage.local_size(connection, path)
    form = clean((driver.get("type") if driver is not None else "") or "")
    return Drive(name, clean(f"{bus} {name}"), kind, path, form, size, used)


def _both(connection: Connection, domain: Any, act: Callable[[int], object]) -> When:
    """Live and in the definition; where it cannot be live, in the definition alone."""
    lib = connection.libvirt
    if not domain.isActive():
        act(lib.VIR_DOMAIN_AFFECT_CONFIG)
        return When.NOW
    try:
        act(lib.VIR_DOMAIN_AFFECT_LIVE | lib.VIR_DOMAIN_AFFECT_CONFIG)
    except lib.libvirtError:
        act(lib.VIR_DOMAIN_AFFECT_CONFIG)
        return When.NEXT
    return When.NOW


def _set(connection: Connection, domain: Any, now: Settings, change: Set) -> When:
    lib, value = connection.libvirt, change.value
    live = bool(domain.isActive())
    if change.field == "name":
        if wrong := name_wrong(str(value)):
            raise ActionError(wrong)
        if live:
            raise ActionError(now.timed("name").reason)
        own = connection.definition(domain, domain.UUIDString())
        firmware.check_rename(connection, own)
        domain.rename(str(value), 0)
        try:
            firmware.renamed(connection, own, str(value))
        except OSError as error:
            domain.rename(own.name, 0)
            raise ActionError(f"its firmware's settings cannot be renamed with it: {error.strerror}") from None
        return When.NOW
    if change.field == "autostart":
        domain.setAutostart(int(bool(value)))
        return When.NOW
    if change.field == "description":
        kind = lib.VIR_DOMAIN_METADATA_DESCRIPTION
        return _both(connection, domain, lambda flags: domain.setMetadata(kind, str(value) or None, None, None, flags))
    if change.field == "cpus":
        return sizes.set_cpus(connection, domain, int(str(value)))
    if change.field == "memory":
        return sizes.set_memory(connection, domain, int(str(value)))
    root = _root(connection, domain, secure=True)
    system = root.find("os")
    if system is None:
        raise ActionError("its definition names no system to boot")
    if change.field == "uefi":
        _firmware(system, uefi=bool(value))
    else:
        _boot(root, system, value if isinstance(value, tuple) else ())
    connection.virt.defineXML(text_of(root))
    return When.NEXT if live else When.NOW


def _firmware(system: Element, *, uefi: bool) -> None:
    for tag in ("loader", "nvram", "firmware"):
        for entry in system.findall(tag):
            system.remove(entry)
    system.attrib.pop("firmware", None)
    if uefi:
        system.set("firmware", "efi")


def _boot(root: Element, system: Element, order: tuple[str, ...]) -> None:
    for entry in system.findall("boot"):
        system.remove(entry)
    for device in root.find("devices") or ():
        for entry in device.findall("boot"):
            device.remove(entry)
    words = {ours: theirs for theirs, ours in _BOOT.items()}
    at = next((place for place, entry in enumerate(system) if entry.tag == "type"), 0) + 1
    for device_name in reversed([words[one] for one in order if one in words]):
        boot = Element("boot", dev=device_name)
        system.insert(at, boot)


def _attach(connection: Connection, domain: Any, now: Settings, change: AttachDisk) -> When:
    path, made = change.path, None
    if change.size:
        made = _new_disk(connection, domain.name(), change)
        path = str(made.path())
    elif why := storage.unreadable(connection, path):
        raise ActionError(f"libvirt cannot read {clean(path, 200)}: {clean(why)}")
    elif reason := kept(connection, Uses(connection), path):
        raise ActionError(f"it would be written to: {reason}")
    try:
        form = storage.format_of(connection, path)
        names = [one.id for one in now.drives if one.kind == "disk"]
        prefix = names[0][:_LETTERS] if names and names[0][:_LETTERS] in {"vd", "sd", "hd"} else "vd"
        # one that leaves at the next start only still has its place
        target = target_after({one.id for one in now.drives} | _running_targets(domain), prefix)
        text = text_of(drive("disk", path, form, target, bus_of(target)))
        return _both(connection, domain, lambda flags: domain.attachDeviceFlags(text, flags))
    except BaseException:
        if made is not None:
            made.delete(0)
        raise


def _new_disk(connection: Connection, name: str, change: AttachDisk) -> Any:
    pool = storage.home(connection) or storage.make_home(connection)
    form = change.format or "qcow2"
    pool.refresh(0)
    taken = {volume.name() for volume in pool.listAllVolumes(0)}
    names = (f"{name}-{number}.{'img' if form == 'raw' else form}" for number in range(2, 1000))
    free = next(one for one in names if one not in taken)
    return pool.createXML(storage.volume_xml(free, change.size, form), 0)


def _disk_xml(connection: Connection, domain: Any, target: str) -> Element:
    for entry in _root(connection, domain).iterfind("devices/disk"):
        found = entry.find("target")
        if found is not None and found.get("dev") == target:
            return entry
    raise ActionError(f"it has no drive {clean(target)} any more")


def _detach(connection: Connection, domain: Any, change: DetachDisk) -> When:
    entry = _disk_xml(connection, domain, change.drive.id)
    _refuse_another_disk(connection, domain, change.drive)
    when = _both(connection, domain, lambda flags: domain.detachDeviceFlags(text_of(entry), flags))
    if when is When.NOW and not _let_go(domain, change.drive.id):
        when = When.NEXT
    if not change.delete:
        return when
    connection.forget(domain.UUIDString())
    shown = clean(change.drive.path, 200)
    if when is When.NEXT:
        raise ActionError(f"its guest does not let go of it: it is detached when the VM is off, and {shown} is kept")
    reason = kept(connection, Uses(connection), change.drive.path)
    if reason or (reason := no_file(change.drive.path) if _is_file(entry) and connection.is_local() else ""):
        raise ActionError(f"it is detached, but {shown} is kept: {reason}")
    storage.delete_path(connection, change.drive.path)
    return when


def _is_file(entry: Element) -> bool:
    return entry.get("type") == "file"


def _refuse_another_disk(connection: Connection, domain: Any, drive: Drive) -> None:
    """Raises ActionError where another disk than the one shown is in that place, now or at the next start."""
    roots = [_root(connection, domain)]
    if domain.isActive():
        roots.append(ElementTree.fromstring(domain.XMLDesc(0)))  # noqa: S314 - libvirt wrote it
    for root in roots:
        for entry in root.iterfind("devices/disk"):
            found = _drive(connection, entry)
            if found.id == drive.id and found.path != drive.path:
                raise ActionError(f"{drive.place} has {clean(found.path, 200) or 'nothing'} by now: nothing was done")


def _running_targets(domain: Any) -> set[str]:
    """The disks it runs with, which may be others than its definition tells."""
    if not domain.isActive():
        return set()
    root = ElementTree.fromstring(domain.XMLDesc(0))  # noqa: S314 - libvirt wrote it
    return {target.get("dev") or "" for target in root.iterfind("devices/disk/target")}


def _let_go(domain: Any, target: str) -> bool:
    """Whether a running guest has given the disk up: it is only asked to."""
    deadline = time.monotonic() + _LETS_GO
    while domain.isActive() and f"dev='{target}'" in domain.XMLDesc(0):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _grow(connection: Connection, domain: Any, change: GrowDisk) -> When:
    if change.size <= (change.drive.size or 0):
        raise ActionError("a disk can only grow: what lies at its end would be lost")
    _refuse_another_disk(connection, domain, change.drive)
    if change.drive.id in _running_targets(domain):
        # QEMU would make it smaller as well
        if change.size <= int(domain.blockInfo(change.drive.id)[0]):
            raise ActionError("it is larger by now: a disk can only grow")
        domain.blockResize(change.drive.id, change.size, connection.libvirt.VIR_DOMAIN_BLOCK_RESIZE_BYTES)
        return When.NOW
    volume = storage.by_path(connection, change.drive.path)
    if volume is None:
        raise ActionError("it is in no storage pool: start the VM, and it can be grown")
    volume.resize(change.size, 0)
    return When.NOW


def _insert(connection: Connection, domain: Any, change: Insert) -> When:
    if change.path and (why := storage.unreadable(connection, change.path)):
        raise ActionError(f"libvirt cannot read {clean(change.path, 200)}: {clean(why)}")
    entry = _disk_xml(connection, domain, change.drive.id)
    for source in entry.findall("source"):
        entry.remove(source)
    entry.set("type", "file")
    if change.path:
        entry.insert(0, Element("source", file=change.path))
    force = connection.libvirt.VIR_DOMAIN_DEVICE_MODIFY_FORCE
    return _both(connection, domain, lambda flags: domain.updateDeviceFlags(text_of(entry), flags | force))
