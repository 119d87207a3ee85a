"""Domains made step by step through libvirt 9.0, each step undone when a later one fails."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from xml.etree import ElementTree

from backends import bases
from backends.abilities.creating import Creating, DiskFrom, Limits, NewVM, OSType
from backends.base import ActionError, EngineError
from backends.libvirt import errors, osinfo, reach, storage
from backends.libvirt.aftermath import undefined
from backends.libvirt.again import again
from backends.libvirt.connection import Connection
from backends.libvirt.machine_xml import Machine, domain_xml, name_wrong
from backends.libvirt.uses import Uses, kept
from backends.model import Kind, Ref
from backends.progress import Progress
from backends.text import clean
from backends.threads import in_thread
from backends.undoing import Undo, undone_on_failure, whole

if TYPE_CHECKING:
    from backends.libvirt.backend import LibvirtBackend
    from backends.progress import Report

_T = TypeVar("_T")
_EACH = 0.5


class LibvirtCreating(Creating):
    def __init__(self, backend: LibvirtBackend) -> None:
        self._backend = backend
        self._types: tuple[OSType, ...] = ()

    async def os_types(self) -> tuple[OSType, ...]:
        if not self._types:
            self._types = await asyncio.to_thread(osinfo.os_types)
        return self._types

    async def limits(self) -> Limits:
        marked = await asyncio.to_thread(bases.marked, self._backend.url)
        return await self._backend.ask(lambda connection: _limits(connection, marked))

    async def objections(self, spec: NewVM) -> Mapping[str, str]:
        return await self._backend.ask(lambda connection: _objections(connection, spec))

    async def create(self, spec: NewVM, report: Report) -> Ref:
        """Defined under an id chosen here, so that it is found again whatever breaks on the way."""
        identity = str(uuid.uuid4())
        for field, reason in (await self.objections(spec)).items():
            raise ActionError(f"{field}: {reason}")
        async with undone_on_failure(report) as undo:
            disk: tuple[str, str] | None = None
            if spec.disk is DiskFrom.EXISTING:
                disk = spec.image, await self._backend.ask(lambda c: storage.format_of(c, spec.image))
            elif spec.disk is not DiskFrom.NONE:
                disk = await self._disk(spec, report, undo)
            report.line(f"defining {clean(spec.name)}")
            undo.later(f"the VM {clean(spec.name, 60)}", lambda: undefined(self._backend, identity))
            await whole(self._backend.act(lambda c: _define(c, spec, identity, disk)))
            undo.forget()
        return Ref(self._backend.engine, Kind.VM, identity)

    async def _disk(self, spec: NewVM, report: Report, undo: Undo) -> tuple[str, str]:
        """Make the disk in its pool: its path and format."""
        pool_name = await self._pool(report, undo)
        form = spec.format if spec.disk is DiskFrom.NEW and spec.format in dict(storage.FORMATS) else "qcow2"
        name = f"{spec.name}.{'img' if form == 'raw' else form}"

        def check(connection: Connection) -> None:
            pool = connection.virt.storagePoolLookupByName(pool_name)
            pool.refresh(0)
            if any(volume.name() == name for volume in pool.listAllVolumes(0)):
                raise ActionError(f"there is a volume {clean(name)} in the pool {clean(pool_name)} already")

        await self._backend.act(check)
        text = f"{'copying' if spec.disk is DiskFrom.COPY else 'making'} the disk {clean(name)}"
        report.line(text)
        undo.later(f"the disk {clean(name)}", lambda: self._remove(pool_name, name))
        work = asyncio.create_task(self._long(lambda c: _volume(c, pool_name, name, form, spec)))
        try:
            while not work.done():
                await self._tell(pool_name, name, text, report)
                await asyncio.wait({work}, timeout=_EACH)
        except asyncio.CancelledError:
            # the daemon cannot be stopped in it: what it makes goes when it is made
            report.line("waiting until the daemon has finished the disk")
            await asyncio.wait({work})
            raise
        finally:
            # a daemon that refuses or fails has removed what it began; one of this name is another's then
            if work.done() and not work.cancelled() and isinstance(work.exception(), ActionError):
                undo.unmade()
        return await work, form

    async def _tell(self, pool_name: str, name: str, text: str, report: Report) -> None:
        with suppress(ActionError, EngineError):
            found = await self._backend.ask(
                lambda c: int(c.virt.storagePoolLookupByName(pool_name).storageVolLookupByName(name).info()[2])
            )
            report.progress(Progress(text, found))

    async def _pool(self, report: Report, undo: Undo) -> str:
        name = await self._backend.ask(lambda c: pool.name() if (pool := storage.home(c)) else "")
        if name:
            return str(name)
        report.line("making the storage pool default")
        if not await self._backend.ask(lambda c: storage.has_pool(c, "default")):
            # one that only has to be started stays as it was defined
            undo.later(
                "the storage pool default", lambda: self._backend.act(lambda c: storage.remove_home(c, "default"))
            )
        return str(await whole(self._backend.act(lambda c: storage.make_home(c).name())))

    async def _long(self, call: Callable[[Connection], _T]) -> _T:
        """In a thread of its own: it may take as long as a disk is copied."""
        connection = self._backend.connection()
        try:
            return await in_thread(lambda: call(connection), lambda: None, f"{self._backend.engine}-create")
        except (ActionError, EngineError):
            raise
        except Exception as error:
            raise errors.action_error(error) from error

    # -- undoing ------------------------------------------------------------------------------------------------------

    async def _remove(self, pool: str, name: str) -> bool:
        return await again(self._backend, lambda connection: storage.remove(connection, pool, name))


def _limits(connection: Connection, marked: frozenset[str]) -> Limits:
    virt = connection.virt
    info = virt.getInfo()
    memory, free = _memory(connection, int(info[1]) << 20)
    folder, space = _room(connection)
    known = [volume for volume in storage.volumes(connection) if volume.format != "dir"]
    sizes = {volume.path: volume.capacity for volume in known}
    isos = tuple(volume.path for volume in known if volume.format == "iso" or volume.path.lower().endswith(".iso"))
    machines = _machines(connection)
    return Limits(
        cpus=int(info[2]),
        memory=memory,
        memory_free=free,
        folder=clean(folder),
        space=space,
        formats=storage.FORMATS,
        networks=networks_of(connection),
        names=frozenset(str(domain.name()) for domain in connection.domains()),
        bases=tuple((path, sizes.get(path)) for path in sorted(marked)),
        disks=tuple(volume.path for volume in known if volume.path not in isos),
        isos=isos,
        uefi=_uefi(connection, machines[0]) if machines else False,
        accelerators=tuple((found.type, _ACCELERATORS.get(found.type, found.type)) for found in machines),
    )


def _memory(connection: Connection, told: int) -> tuple[int, int | None]:
    """Bytes in all, and those that are free or given up when needed; `told` by the topology, which may lack some."""
    lib = connection.libvirt
    with suppress(lib.libvirtError):
        found = connection.virt.getMemoryStats(lib.VIR_NODE_MEMORY_STATS_ALL_CELLS, 0)
        free = sum(int(found.get(key, 0)) for key in ("free", "buffers", "cached"))
        return int(found.get("total", 0)) << 10 or told, free << 10
    with suppress(lib.libvirtError):
        return told, int(connection.virt.getFreeMemory())
    return told, None


_ACCELERATORS = {"kvm": "KVM: on the processor itself", "qemu": "QEMU: emulated, slow", "test": "simulated"}


def _room(connection: Connection) -> tuple[str, int | None]:
    """Where new disks go, and the bytes left there; None: not known."""
    pool = storage.home(connection)
    if pool is not None:
        return storage.folder_of(pool), int(pool.info()[3])
    folder = storage.default_folder(connection)
    return folder, _space(connection, folder)


def _space(connection: Connection, folder: str) -> int | None:
    import shutil

    if not connection.is_local():
        return None
    place = Path(folder)
    while not place.is_dir() and place != place.parent:
        place = place.parent
    with suppress(OSError):
        return shutil.disk_usage(place).free
    return None


def networks_of(connection: Connection) -> tuple[tuple[str, str], ...]:
    """(id, label) of what an adapter can be attached to, the usual one first."""
    lib = connection.libvirt
    found: list[tuple[str, str]] = []
    with suppress(lib.libvirtError):
        for network in connection.virt.listAllNetworks(lib.VIR_CONNECT_LIST_NETWORKS_ACTIVE):
            name = str(network.name())
            found.append((f"network:{name}", f"network {clean(name)}"))
    found.sort(key=lambda entry: entry[0] != "network:default")
    found += [("user", "user: out through the host, not in"), ("none", "not connected")]
    if connection.is_local():
        for bridge in sorted(Path("/sys/class/net").glob("*/bridge")):
            name = bridge.parent.name
            found.append((f"bridge:{name}", f"bridge {clean(name)}"))
    return tuple(found)


def _machines(connection: Connection) -> list[Machine]:
    """What this host can run for its own architecture, KVM first."""
    root = ElementTree.fromstring(connection.virt.getCapabilities())  # noqa: S314 - libvirt wrote it
    own = root.findtext("host/cpu/arch") or "x86_64"
    arches = list(root.iterfind("guest[os_type='hvm']/arch"))
    found: list[Machine] = []
    for arch in [arch for arch in arches if arch.get("name") == own] or arches[:1]:
        kinds = [entry.get("type") or "" for entry in arch.iterfind("domain")]
        names = [entry.text or "" for entry in arch.iterfind("machine")]
        machine = "q35" if "q35" in names else "virt" if "virt" in names else (names[:1] or [""])[0]
        emulator = arch.findtext("emulator") or ""
        for kind in sorted(set(kinds), key=lambda kind: kind != "kvm"):
            if all(known.type != kind for known in found):
                found.append(Machine(arch.get("name") or own, machine, emulator, kind))
    return found


def _uefi(connection: Connection, machine: Machine) -> bool:
    """Whether libvirt finds UEFI firmware for it."""
    try:
        text = connection.virt.getDomainCapabilities(machine.emulator, machine.arch, machine.machine, machine.type, 0)
    except connection.libvirt.libvirtError:
        return False
    root = ElementTree.fromstring(text)  # noqa: S314 - libvirt wrote it
    return any(value.text == "efi" for value in root.iterfind("os/enum[@name='firmware']/value"))


def _objections(connection: Connection, spec: NewVM) -> dict[str, str]:
    found: dict[str, str] = {}
    if wrong := name_wrong(spec.name):
        found["name"] = wrong
    elif any(domain.name() == spec.name for domain in connection.domains()):
        found["name"] = "there is a VM of this name already"
    if spec.disk not in {DiskFrom.NEW, DiskFrom.NONE} and spec.image:
        why = storage.unreadable(connection, spec.image)
        if why or (why := "" if spec.disk is DiskFrom.COPY else reach.out_of_reach(connection, spec.image)):
            found["image"] = f"libvirt cannot read it: {clean(why)}"
        elif spec.disk is not DiskFrom.COPY and (users := users_of(connection, spec.image)):
            found["image"] = f"it is in use by {', '.join(sorted(users))}"
        elif spec.disk is DiskFrom.EXISTING and (reason := kept(connection, Uses(connection), spec.image)):
            found["image"] = f"it would be written to: {reason}"
        elif spec.disk is DiskFrom.COPY and storage.by_path(connection, spec.image) is None:
            found["image"] = "only what is in a storage pool is copied: import it in the media first"
        elif spec.disk is DiskFrom.COPY and (users := users_of(connection, spec.image, running=True)):
            found["image"] = f"it is written to by {', '.join(sorted(users))}, which runs"
    if "image" not in found and (why := _room_wrong(connection, spec)):
        found["image" if spec.disk is DiskFrom.COPY else "size"] = why
    if spec.iso and (why := storage.unreadable(connection, spec.iso) or reach.out_of_reach(connection, spec.iso)):
        found["iso"] = f"libvirt cannot read it: {clean(why)}"
    return found


def _room_wrong(connection: Connection, spec: NewVM) -> str:
    """Why the disk's bytes do not fit where it is made; empty when they do, or nobody knows."""
    needed = spec.size if spec.disk is DiskFrom.NEW and spec.fixed else 0
    if spec.disk is DiskFrom.COPY and (source := storage.by_path(connection, spec.image)) is not None:
        needed = int(source.info()[2])
    folder, left = _room(connection) if needed else ("", None)
    if left is None or needed <= left:
        return ""
    return f"it needs {needed >> 20} MB, {left >> 20} MB are left in {clean(folder)}"


def users_of(connection: Connection, path: str, *, running: bool = False) -> set[str]:
    """Names of the domains, or of the `running` ones, that have this file as a disk."""
    return Uses(connection).users(path, running=running)


def _volume(connection: Connection, pool_name: str, name: str, form: str, spec: NewVM) -> str:
    """Make the disk; its path."""
    pool = connection.virt.storagePoolLookupByName(pool_name)
    flags = 0
    if spec.disk is DiskFrom.NEW:
        if form == "qcow2" and spec.fixed:
            flags = connection.libvirt.VIR_STORAGE_VOL_CREATE_PREALLOC_METADATA
        return str(pool.createXML(storage.volume_xml(name, spec.size, form, fixed=spec.fixed), flags).path())
    source = storage.by_path(connection, spec.image)
    size = int(source.info()[1]) if source is not None else 0
    if spec.disk is DiskFrom.COPY:
        if source is None:
            raise ActionError(f"{clean(spec.image, 200)} is in no storage pool any more")
        return str(pool.createXMLFrom(storage.volume_xml(name, size, form), source, 0).path())
    below = (spec.image, storage.format_of(connection, spec.image))
    size = size or storage.local_size(connection, spec.image) or 0
    return str(pool.createXML(storage.volume_xml(name, size, form, base=below), 0).path())


def _define(connection: Connection, spec: NewVM, identity: str, disk: tuple[str, str] | None) -> Any:
    machines = {machine.type: machine for machine in _machines(connection)}
    if not machines:
        raise ActionError("this libvirt can run no machine of its own architecture")
    machine = machines.get(spec.accelerator) or next(iter(machines.values()))
    return connection.virt.defineXML(domain_xml(spec, identity, disk, machine)).UUIDString()
