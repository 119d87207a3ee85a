"""Disk images copied by the daemon, from and to their storage pool: for another machine's, or what only root may read.

libvirt tells no progress of it and cannot be stopped (virStorageVolCreateXMLFrom, 9.0): cancelled, the copy is waited
for and deleted then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from backends.base import ActionError, EngineError
from backends.libvirt import errors, storage
from backends.libvirt.again import again
from backends.libvirt.connection import Connection
from backends.libvirt.qemu_img import Copy
from backends.text import clean
from backends.threads import in_thread

if TYPE_CHECKING:
    from backends.libvirt.backend import LibvirtBackend


class Made:
    """Volumes made for a clone in the pools of their sources."""

    def __init__(self, backend: LibvirtBackend) -> None:
        self._backend = backend
        self._volumes: list[tuple[str, str]] = []
        """(pool, name)."""

    def folders(self) -> set[str]:
        return set()

    async def disk(self, what: Copy, stem: str, form: str, told: Any) -> str:
        """The path of the new volume."""
        if what.snapshot:
            raise ActionError("only qemu-img on its machine reads a snapshot")
        del told
        connection = self._backend.connection()
        suffix = ".qcow2" if form == "qcow2" else ".img"

        def work() -> str:
            try:
                return self._make(connection, what, f"{stem}{suffix}", form)
            except connection.libvirt.libvirtError as error:
                raise errors.action_error(error) from error

        copying = asyncio.ensure_future(in_thread(work, lambda: None, f"{self._backend.engine}-copy"))
        try:
            return await asyncio.shield(copying)
        except asyncio.CancelledError:
            # a volume that is being written cannot be deleted
            await asyncio.wait({copying})
            copying.exception()
            raise

    def _make(self, connection: Connection, what: Copy, name: str, form: str) -> str:
        volume = _lookup(connection, what.source)
        if volume is None:
            raise ActionError(
                clean(f"{what.source} is in no storage pool, and cannot be copied from here: make its folder a pool")
            )
        pool = volume.storagePoolLookupByVolume()
        capacity = int(volume.info()[1])
        told = _format_of(volume)
        if not what.linked and told not in {what.format, "iso"}:
            # pools tell a format by the first bytes, which of a raw disk are its guest's
            words = f"{what.source} is {what.format}, and its pool takes it for {told}: copy it by hand"
            raise ActionError(clean(words))
        base = (what.source, what.format) if what.linked else None
        xml = volume_xml(name, capacity, form, base)
        if name in pool.listVolumes():
            raise ActionError(clean(f"the pool {pool.name()} has a volume {name} already"))
        self._volumes.append((str(pool.name()), name))
        made = pool.createXML(xml, 0) if what.linked else pool.createXMLFrom(xml, volume, 0)
        return str(made.path())

    async def variables(self, path: str, stem: str) -> str:
        del path, stem
        return ""

    async def remove(self) -> str:
        left = []
        for pool, name in self._volumes:
            try:
                await again(self._backend, partial(storage.remove, pool_name=pool, name=name))
            except (ActionError, EngineError) as error:
                left.append(f"{name} in the pool {pool} ({error})")
        return clean(f"left behind: {'; '.join(left)}", 500) if left else "nothing of it is left"


def volume_xml(name: str, capacity: int, form: str, base: tuple[str, str] | None) -> str:
    """A volume of so many bytes; `base` is (path, format) of what it rests on."""
    root = ElementTree.Element("volume")
    ElementTree.SubElement(root, "name").text = name
    ElementTree.SubElement(root, "capacity", {"unit": "bytes"}).text = str(capacity)
    target = ElementTree.SubElement(root, "target")
    ElementTree.SubElement(target, "format", {"type": form})
    if base is not None:
        below = ElementTree.SubElement(root, "backingStore")
        ElementTree.SubElement(below, "path").text = base[0]
        ElementTree.SubElement(below, "format", {"type": base[1]})
    return ElementTree.tostring(root, encoding="unicode")


def _format_of(volume: Any) -> str:
    form = ElementTree.fromstring(volume.XMLDesc(0)).find("target/format")  # noqa: S314 - libvirt wrote it
    return (form.get("type") if form is not None else "") or "raw"


def path_of(connection: Connection, source: str) -> str:
    """The path of a disk given as pool/volume; empty where that is none."""
    pool, slash, name = source.partition("/")
    if not slash or not pool:
        return ""
    try:
        return str(connection.virt.storagePoolLookupByName(pool).storageVolLookupByName(name).path())
    except connection.libvirt.libvirtError:
        return ""


def refresh(connection: Connection, folders: Collection[str]) -> None:
    """Have pools of these folders know what is new in them."""
    if not folders:
        return
    for pool in connection.virt.listAllStoragePools(connection.libvirt.VIR_CONNECT_LIST_STORAGE_POOLS_ACTIVE):
        path = ElementTree.fromstring(pool.XMLDesc(0)).findtext("target/path")  # noqa: S314 - libvirt wrote it
        if path in folders:
            pool.refresh(0)


def _lookup(connection: Connection, path: str) -> Any:
    """The volume of a path, also one its pool does not know of yet; None where no pool has it."""
    for attempt in range(2):
        try:
            return connection.virt.storageVolLookupByPath(path)
        except connection.libvirt.libvirtError:
            if attempt == 0:
                refresh(connection, {path.rpartition("/")[0]})
    return None
