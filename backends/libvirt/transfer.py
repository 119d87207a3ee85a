"""Domains as folders: the XML and copies of the disks, their holes kept. For a libvirt on this machine (9.0)."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from backends import vm_names
from backends.abilities.transfer import Package, Room, Transfer
from backends.base import ActionError, EngineError
from backends.export_paths import check_new, free_at, words
from backends.libvirt import aftermath, package_xml, qemu_img, storage
from backends.libvirt.again import again
from backends.libvirt.chains import backing
from backends.libvirt.clone_xml import Image, cloned
from backends.libvirt.connection import Connection
from backends.libvirt.firmware import variables
from backends.libvirt.package_xml import FILE, NVRAM, Packed
from backends.model import Ref
from backends.progress import Progress, Report
from backends.sparse import Ended, copy_file
from backends.text import clean
from backends.threads import ThreadReport, in_thread
from backends.undoing import to_the_end, whole

if TYPE_CHECKING:
    from backends.libvirt.backend import LibvirtBackend
    from backends.libvirt.domains import Disk

_T = TypeVar("_T")
_SHUT_OFF = 5
_LONGEST_XML = 4 << 20
_MARGIN = 1 << 20
_COMES_BACK = 30.0


class LibvirtTransfer(Transfer):
    suffix = ""
    what = "a folder with its XML and its disks"

    def __init__(self, backend: LibvirtBackend) -> None:
        self._backend = backend

    async def room(self, vm: Ref, path: str) -> Room:
        await asyncio.to_thread(check_new, path, self.suffix)
        disks = await self._backend.ask(lambda connection: _disks(connection, vm.id))
        needs = await asyncio.to_thread(lambda: sum(_used(disk.source) for disk in disks) + _MARGIN)
        notes = ("Its snapshots' names are not exported.",) if await self._snapshots(vm) else ()
        return Room(needs, await asyncio.to_thread(free_at, path), notes=notes)

    async def _snapshots(self, vm: Ref) -> int:
        return await self._backend.ask(lambda connection: int(connection.domain(vm.id).snapshotNum(0)))

    async def export(self, vm: Ref, path: str, report: Report) -> str:
        room = await self.room(vm, path)
        if room.free is not None and room.needs is not None and room.needs > room.free:
            raise ActionError(f"it needs {room.needs >> 20} MB, {room.free >> 20} MB are left there")
        disks, xml, nvram = await self._backend.ask(lambda connection: _export_of(connection, vm.id))
        try:
            await asyncio.to_thread(os.mkdir, path, 0o700)
        except OSError as error:
            raise ActionError(words(error)) from None
        try:
            files = {}
            for disk in disks:
                file = f"{_plain(disk.target)}.{disk.format or 'raw'}"
                target = str(Path(path, file))
                if await asyncio.to_thread(backing, disk.source):
                    await _flatten(disk, target, report)
                else:
                    await _copy([(disk.source, target)], report)
                files[disk.target] = (file, disk.format or "raw")
            if nvram:
                await _copy([(nvram, str(Path(path, NVRAM)))], report)
            # last: a folder without it is no export
            text = package_xml.packed(xml, files, nvram=bool(nvram))
            await asyncio.to_thread(_write, str(Path(path, FILE)), text)
            # who started it meanwhile has changed what was copied; a daemon that ended meanwhile may be back soon
            await again(self._backend, lambda connection: _disks(connection, vm.id), _COMES_BACK)
        except BaseException as error:
            await _to_the_end(partial(shutil.rmtree, path, ignore_errors=True))
            if isinstance(error, OSError | ActionError | EngineError):
                raise ActionError(f"{_reason(error)}; nothing is left at {clean(path, 300)}") from None
            raise
        return f"{clean(path, 300)}, {len(files)} disk{'s' if len(files) != 1 else ''}"

    async def look(self, path: str) -> Package:
        found = await self._packed(path)
        folder = await self._folder()
        needs = await asyncio.to_thread(lambda: sum(_used(str(Path(path, file))) for _, file, _ in found.disks))
        notes = (f"Left out: {', '.join(found.left_out)}.",) if found.left_out else ()
        free = await asyncio.to_thread(free_at, folder)
        return Package(found.name, Room(needs + _MARGIN, free, notes=notes), clean(folder))

    async def _packed(self, path: str) -> Packed:
        await self._backend.ask(_check_local)
        try:
            text = await asyncio.to_thread(_read, str(Path(path, FILE)))
            found = package_xml.unpacked(text)
            for _, file, _ in found.disks:
                await asyncio.to_thread(_check_file, str(Path(path, file)))
        except OSError as error:
            raise ActionError(f"no export of a VM: {words(error)}") from None
        return found

    async def _folder(self) -> str:
        def ask(connection: Connection) -> str:
            pool = storage.home(connection)
            return storage.folder_of(pool) if pool is not None else storage.default_folder(connection)

        folder = await self._backend.ask(ask)
        if await asyncio.to_thread(os.path.isdir, folder) and not os.access(folder, os.W_OK | os.X_OK):
            raise ActionError(f"this user may not write to {clean(folder, 300)}: run boxtop as root for that")
        return folder

    async def name_taken(self, name: str) -> str:
        if problem := vm_names.problem(name):
            return problem

        def ask(connection: Connection) -> bool:
            return any(str(domain.name()) == name for domain in connection.domains())

        return "there is a VM of this name" if await self._backend.ask(ask) else ""

    async def bring(self, path: str, name: str, report: Report) -> str:
        if taken := await self.name_taken(name):
            raise ActionError(taken)
        found = await self._packed(path)
        package = await self.look(path)
        room = package.room
        if room.free is not None and room.needs is not None and room.needs > room.free:
            raise ActionError(f"it needs {room.needs >> 20} MB, {room.free >> 20} MB are left in {package.folder}")
        folder = await self._folder()
        copies, images, nvram = _targets(found, path, folder, name)
        try:
            await asyncio.to_thread(_prepare, folder, [target for _, target in copies])
        except OSError as error:
            raise ActionError(words(error)) from None
        made: list[str] = []
        identity, defining = str(uuid.uuid4()), False
        try:
            await _copy(copies, report, made)
            xml = cloned(found.xml, name, identity, images, keep_macs=False, nvram=nvram)
            if taken := await self.name_taken(name):
                raise ActionError(taken)
            defining = True
            await whole(self._backend.act(lambda connection: _define(connection, xml)))
        except BaseException as error:
            left = await to_the_end(self._taken_back(identity if defining else "", made))
            if isinstance(error, OSError | ActionError | EngineError):
                raise ActionError(f"{_reason(error)}; {left}") from None
            report.line(left)
            raise
        return f"made from {clean(path, 300)}"

    async def _taken_back(self, defined: str, made: list[str]) -> str:
        """Undefine what may be `defined`, then remove its files; what is left, in words."""
        try:
            if defined:
                await aftermath.undefined(self._backend, defined)
        except (ActionError, EngineError):
            return "libvirt may have it all the same, with its disks: see when it is there again, and delete it then"
        return await asyncio.to_thread(_unlink, made)


def _reason(error: BaseException) -> str:
    return (
        words(error) if isinstance(error, OSError) else error.reason if isinstance(error, EngineError) else str(error)
    )


def _targets(found: Packed, path: str, folder: str, name: str) -> tuple[list[tuple[str, str]], dict[str, Image], str]:
    """(source, target) of each file, the disks by target, and where the firmware's variables go."""
    copies, images = [], {}
    for target, file, form in found.disks:
        place = str(Path(folder, f"{name}-{_plain(target)}.{'qcow2' if form == 'qcow2' else 'img'}"))
        copies.append((str(Path(path, file)), place))
        images[target] = Image(place, form)
    nvram = str(Path(folder, f"{name}-{NVRAM}")) if found.nvram else ""
    if nvram:
        copies.append((str(Path(path, NVRAM)), nvram))
    return copies, images, nvram


def _check_local(connection: Connection) -> None:
    if not connection.is_local():
        raise ActionError("its disks are on another machine: run boxtop there")


def _disks(connection: Connection, identity: str) -> list[Disk]:
    """The disks of a domain that is off. Raises ActionError where they cannot be copied."""
    _check_local(connection)
    domain = connection.domain(identity)
    if not domain.isPersistent() or int(domain.state()[0]) != _SHUT_OFF:
        raise ActionError("it runs, and its disks change while they are copied: shut it down first")
    if domain.hasManagedSaveImage(0):
        raise ActionError("it is saved, and an export holds no memory: start it and shut it down first")
    found = [disk for disk in connection.definition(domain, identity).disks if disk.device == "disk" and disk.source]
    for disk in found:
        if not disk.file:
            raise ActionError(f"its disk {disk.target} is {clean(disk.source, 200)}, which is no file: copy it by hand")
        for path in (disk.source, *backing(disk.source)):
            if not os.access(path, os.R_OK):
                raise ActionError(f"{clean(path, 300)} cannot be read by this user: run boxtop as root for that")
    return found


def _export_of(connection: Connection, identity: str) -> tuple[list[Disk], str, str]:
    domain = connection.domain(identity)
    nvram = variables(connection, connection.definition(domain, identity))
    nvram = nvram if nvram and os.access(nvram, os.R_OK) else ""
    return _disks(connection, identity), domain.XMLDesc(connection.libvirt.VIR_DOMAIN_XML_INACTIVE), nvram


def _define(connection: Connection, xml: str) -> None:
    connection.virt.defineXML(xml)
    with suppress(connection.libvirt.libvirtError, ActionError):
        if (pool := storage.home(connection)) is not None:
            pool.refresh(0)


def _used(path: str) -> int:
    total = 0
    for part in (path, *backing(path)):
        with suppress(OSError):
            total += os.stat(part).st_blocks * 512  # noqa: PTH116
    return total


def _plain(target: str) -> str:
    return "".join(char if char.isalnum() else "_" for char in target) or "disk"


def _write(path: str, text: str) -> None:
    with open(path, "x", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _read(path: str) -> str:
    file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(file, "rb") as opened:  # noqa: PTH123
        data = opened.read(_LONGEST_XML + 1)
    if len(data) > _LONGEST_XML:
        raise ActionError(f"{FILE} is too long")
    return data.decode(errors="replace")


def _check_file(path: str) -> None:
    if os.path.islink(path) or not os.path.isfile(path):  # noqa: PTH113, PTH114
        raise ActionError(f"there is no file {clean(path, 300)}")
    if not os.access(path, os.R_OK):
        raise ActionError(f"{clean(path, 300)} cannot be read by this user")
    if under := backing(path, 1):
        # a disk may name any file of this machine as what it rests on
        raise ActionError(f"{clean(path, 300)} rests on {clean(under[0], 200)}, which is not in the folder")


def _prepare(folder: str, made: list[str]) -> None:
    os.makedirs(folder, mode=0o711, exist_ok=True)  # noqa: PTH103
    for path in made:
        if os.path.lexists(path):
            raise ActionError(f"{clean(path, 300)} is there already: nothing is overwritten")


def _unlink(paths: list[str]) -> str:
    """Delete these; what is left, in words."""
    left = []
    for path in paths:
        try:
            os.unlink(path)  # noqa: PTH108
        except FileNotFoundError:
            continue
        except OSError as error:
            left.append(words(error))
    return clean(f"left behind: {'; '.join(left)}", 500) if left else "nothing of it is left"


async def _copy(pairs: list[tuple[str, str]], report: Report, made: list[str] | None = None) -> None:
    """Copy files one after the other; those begun are added to `made`. Raises OSError."""
    end = threading.Event()
    news = ThreadReport(report)
    begun = made if made is not None else []
    total = sum([os.stat(source).st_size for source, _ in pairs])  # noqa: PTH116
    done = 0

    def work() -> None:
        nonlocal done
        for source, target in pairs:
            text = f"copying {clean(os.path.basename(source), 200)}"  # noqa: PTH119

            def told(step: int, text: str = text) -> None:
                nonlocal done
                done += step
                news.progress(Progress(text, done, total))

            try:
                copy_file(source, target, told, end)
            except FileExistsError:
                raise
            except Ended:
                begun.append(target)
                return
            except BaseException:
                begun.append(target)
                raise
            begun.append(target)

    await in_thread(work, end.set, "copy")


async def _flatten(disk: Disk, target: str, report: Report) -> None:
    """A disk that rests on others, as one file."""
    text = f"copying {clean(disk.source, 200)} with what it rests on"
    report.progress(Progress(text))
    what = qemu_img.Copy(disk.source, disk.format or "raw", target)

    def told(share: float) -> None:
        report.progress(Progress(text, int(share * 100), 100, bytes=False))

    await qemu_img.copy(what, told)


async def _to_the_end(work: Callable[[], _T]) -> _T:
    """The result, also when cancelled meanwhile."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    return task.result()
