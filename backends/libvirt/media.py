"""Volumes of libvirt's storage pools, and the files its domains use beside them. libvirt 9.0."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backends import bases
from backends.abilities.media import Media, Medium, NewMedium
from backends.base import ActionError, EngineError
from backends.libvirt import chains, errors, qemu_img, storage
from backends.libvirt.again import again
from backends.libvirt.connection import Connection
from backends.libvirt.machine_xml import name_wrong
from backends.libvirt.uses import Uses, kept
from backends.progress import Progress
from backends.text import clean
from backends.threads import ThreadReport, in_thread
from backends.undoing import undone_on_failure

if TYPE_CHECKING:
    from backends.libvirt.backend import LibvirtBackend
    from backends.progress import Report

_CHUNK = 256 * 1024
_ISO_SECTOR = 0x8001
"""Where an ISO 9660 file system has `CD001`."""
_RECOGNISED = {
    "iso": "it is an ISO image",
    "qcow2": "it is a qcow2 image",
    "raw": "it is neither an ISO nor a qcow2 image: copied as it is, as the plain bytes of a disk",
}


class LibvirtMedia(Media):
    def __init__(self, backend: LibvirtBackend) -> None:
        self._backend = backend

    async def media(self) -> tuple[Medium, ...]:
        marked = await asyncio.to_thread(bases.marked, self._backend.url)
        return await self._backend.ask(lambda connection: _media(connection, marked))

    async def create(self, spec: NewMedium, report: Report) -> str:
        if wrong := name_wrong(spec.name):
            raise ActionError(wrong)
        name = f"{spec.name}.{'img' if spec.format == 'raw' else spec.format}"
        text = storage.volume_xml(name, spec.size, spec.format, fixed=spec.fixed)
        return await self._made(name, report, lambda pool: pool.createXML(text, 0))

    async def grow(self, medium: Medium, size: int, report: Report) -> None:
        del report
        if size <= (medium.virtual or 0):
            raise ActionError("a disk can only grow: what lies at its end would be lost")

        def grow(connection: Connection) -> None:
            uses, volume = Uses(connection), _volume(connection, medium.path)
            if running := uses.users(medium.path, running=True):
                raise ActionError(f"{', '.join(sorted(running))} runs with it: grow it in the VM's settings")
            _refuse_another_format(uses, medium.path, volume)
            volume.resize(size, 0)

        await self._backend.act(grow)

    async def convert(self, medium: Medium, format: str, report: Report) -> str:  # noqa: A002
        suffix = "img" if format == "raw" else format
        stem = medium.path.rpartition("/")[2].rsplit(".", 1)[0]
        name = await self._backend.ask(lambda connection: _free(connection, stem, suffix))

        def check(connection: Connection) -> None:
            uses = Uses(connection)
            if running := uses.users(medium.path, running=True):
                raise ActionError(f"{', '.join(sorted(running))} runs with it: what it writes would be torn")
            _refuse_another_format(uses, medium.path, _volume(connection, medium.path))

        await self._backend.ask(check)

        def make(pool: Any) -> Any:
            source = _volume(self._backend.connection(), medium.path)
            return pool.createXMLFrom(storage.volume_xml(name, int(source.info()[1]), format), source, 0)

        return await self._made(name, report, make)

    async def bring(self, path: str, report: Report) -> str:
        try:
            size, form = await asyncio.to_thread(_looked_at, path)
            if beside := await asyncio.to_thread(chains.elsewhere, path):
                # whoever made it may have named any file of this machine
                raise ActionError(f"it rests on {clean(beside, 200)}: make one image of them first")
        except OSError as error:
            raise ActionError(f"{clean(path, 200)}: {error.strerror}") from None
        if form == "qcow2" and (wrong := await qemu_img.damage(path)):
            raise ActionError(f"it says it is a qcow2 image, but is damaged: {wrong}")
        report.line(_RECOGNISED[form])
        stem, _, suffix = path.rpartition("/")[2].rpartition(".")
        name = await self._backend.ask(lambda connection: _free(connection, stem or suffix, suffix if stem else "img"))
        connection, told, ended = self._backend.connection(), ThreadReport(report), threading.Event()

        def make(pool: Any) -> Any:
            text = storage.volume_xml(name, size, "raw" if form == "iso" else form)
            volume = pool.createXML(text, 0)
            try:
                _upload(connection, volume, (path, size), told, ended)
            except Exception:
                with suppress(connection.libvirt.libvirtError):
                    volume.delete(0)
                raise
            told.flush()
            pool.refresh(0)
            return volume

        return await self._made(name, report, make, ended.set)

    async def remove(self, medium: Medium) -> None:
        now = next((one for one in await self.media() if one.path == medium.path), None)
        if now is None:
            raise ActionError("libvirt does not know it any more")
        if now.keeps:
            raise ActionError(now.keeps)

        def delete(connection: Connection) -> None:
            if reason := kept(connection, Uses(connection), medium.path):
                raise ActionError(reason)
            _volume(connection, medium.path).delete(0)

        await self._backend.act(delete)

    async def mark(self, medium: Medium, *, base: bool) -> None:
        await bases.keep_mark(self._backend.url, medium, base=base)

    async def _made(
        self, name: str, report: Report, make: Callable[[Any], Any], end: Callable[[], None] = lambda: None
    ) -> str:
        """The path of what `make` makes in the pool for new disks; what is begun and not finished is deleted."""
        pool_name = await self._backend.act(lambda c: str((storage.home(c) or storage.make_home(c)).name()))
        text = f"making {clean(name)}"
        report.line(text)
        report.progress(Progress(text))

        def check(connection: Connection) -> None:
            pool = connection.virt.storagePoolLookupByName(pool_name)
            pool.refresh(0)
            if any(volume.name() == name for volume in pool.listAllVolumes(0)):
                raise ActionError(f"there is a volume {clean(name)} in the pool {clean(pool_name)} already")

        await self._backend.ask(check)
        connection = self._backend.connection()

        def work() -> str:
            return str(make(connection.virt.storagePoolLookupByName(pool_name)).path())

        async with undone_on_failure(report) as undo:
            undo.later(f"the disk {clean(name)}", lambda: self._gone(pool_name, name))
            task = asyncio.create_task(self._in_thread(work))
            try:
                await asyncio.wait({task})
            except asyncio.CancelledError:
                # the daemon cannot be stopped in it: what it makes goes when it is made
                end()
                await asyncio.wait({task})
                raise
            finally:
                # what is refused or fails is removed by its maker; one of this name is another's then
                if task.done() and not task.cancelled() and isinstance(task.exception(), ActionError):
                    undo.unmade()
            path = await task
            undo.forget()
        return path

    async def _in_thread(self, work: Callable[[], str]) -> str:
        try:
            return await in_thread(work, lambda: None, f"{self._backend.engine}-media")
        except (ActionError, EngineError):
            raise
        except Exception as error:
            raise errors.action_error(error) from error

    async def _gone(self, pool: str, name: str) -> bool:
        return await again(self._backend, lambda connection: storage.remove(connection, pool, name))


def _media(connection: Connection, marked: frozenset[str]) -> tuple[Medium, ...]:
    uses = Uses(connection)
    used: dict[str, Any] = {}
    for domain in connection.domains():
        with suppress(connection.libvirt.libvirtError):
            for disk in connection.definition(domain, domain.UUIDString()).disks:
                if disk.source and disk.file:
                    used[disk.source] = disk
    volumes = {volume.path: volume for volume in storage.volumes(connection) if volume.format != "dir"}
    uses.overlays(list(volumes.values()))
    found = [
        Medium(
            id=volume.path,
            path=volume.path,
            kind="iso" if volume.format == "iso" or volume.path.lower().endswith(".iso") else "disk",
            format=clean(volume.format),
            virtual=volume.capacity,
            real=volume.allocation,
            users=tuple(sorted(uses.users(volume.path))),
            resting=uses.images(volume.path),
            rests_on=volume.backing,
            base=volume.path in marked,
            place=clean(volume.pool),
        )
        for volume in volumes.values()
    ]
    for path, disk in used.items():
        if path not in volumes:
            why = storage.unreadable(connection, path) if connection.is_local() else ""
            found.append(
                Medium(
                    id=path,
                    path=path,
                    kind={"cdrom": "iso", "floppy": "floppy"}.get(disk.device, "disk"),
                    format=disk.format,
                    virtual=storage.local_size(connection, path),
                    real=_taken(path) if connection.is_local() else None,
                    users=tuple(sorted(uses.users(path))),
                    resting=uses.images(path),
                    base=path in marked,
                    missing=clean(why),
                )
            )
    return tuple(sorted(found, key=lambda medium: (medium.kind, medium.path)))


def _refuse_another_format(uses: Uses, path: str, volume: Any) -> None:
    """Pools tell a format by the first bytes, which of a raw disk are its guest's, who may name any file there."""
    opened, told = uses.format(path), storage.volume_of("", volume).format or "raw"
    if opened and told not in {opened, "iso"}:
        raise ActionError(f"its VM opens it as {opened}, its pool takes it for {clean(told)}: use qemu-img by hand")


def _taken(path: str) -> int | None:
    try:
        return Path(path).stat().st_blocks * 512
    except OSError:
        return None


def _volume(connection: Connection, path: str) -> Any:
    found = storage.by_path(connection, path)
    if found is None:
        raise ActionError("it is in no storage pool: libvirt only uses it")
    return found


def _free(connection: Connection, stem: str, suffix: str) -> str:
    """A name no volume of the pool for new disks has."""
    pool = storage.home(connection)
    taken = {volume.name() for volume in pool.listAllVolumes(0)} if pool is not None else set()
    names = (f"{stem}{'' if number == 1 else f'-{number}'}.{suffix}" for number in range(1, 1000))
    return next(name for name in names if name not in taken)


def _looked_at(path: str) -> tuple[int, str]:
    """Bytes and format of a file of this machine. Raises OSError."""
    with Path(path).open("rb") as file:
        head = file.read(8)
        file.seek(_ISO_SECTOR)
        iso = file.read(5) == b"CD001"
        size = file.seek(0, 2)
    return size, "iso" if iso else "qcow2" if head.startswith(b"QFI\xfb") else "raw"


def _upload(
    connection: Connection, volume: Any, source: tuple[str, int], told: ThreadReport, ended: threading.Event
) -> None:
    """Send a local file, given with its size, into a volume; an ActionError soon after `ended`."""
    path, size = source
    stream = connection.virt.newStream(0)
    volume.upload(stream, 0, size, 0)
    done = 0
    try:
        with Path(path).open("rb") as file:
            while chunk := file.read(_CHUNK):
                if ended.is_set():
                    raise ActionError("cancelled")
                while chunk:
                    sent = stream.send(chunk)
                    if sent < 0:
                        raise ActionError("the upload broke")
                    chunk, done = chunk[sent:], done + sent
                told.progress(Progress(f"copying {clean(path, 200)}", done, size))
        stream.finish()
    except BaseException:
        with suppress(connection.libvirt.libvirtError):
            stream.abort()
        raise
