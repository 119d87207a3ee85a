"""Pools and volumes of libvirt 9.0, and files beside them. Blocking; called from the backend's threads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from backends.base import ActionError
from backends.libvirt import uris
from backends.libvirt.connection import Connection
from backends.text import clean

_RUNNING = 2
"""virStoragePoolState."""
_FOLDERS = ("dir", "fs", "netfs")
"""Kinds of pools whose volumes are files that any format fits in."""
FORMATS = (("qcow2", "qcow2, grows as it fills"), ("raw", "raw, the plain bytes"))
_QCOW2 = b"QFI\xfb"


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume as its pool knows it; texts as libvirt gave them. Sizes in bytes."""

    pool: str
    name: str
    path: str
    format: str
    capacity: int
    allocation: int
    backing: str


def pools(connection: Connection) -> list[Any]:
    """The active pools."""
    try:
        return [pool for pool in connection.virt.listAllStoragePools(0) if pool.info()[0] == _RUNNING]
    except connection.libvirt.libvirtError as error:
        raise ActionError(f"its storage cannot be listed: {clean(str(error), 200)}") from None


def home(connection: Connection) -> Any | None:
    """The pool new disks go to: `default`, else the first that holds files; None when there is none."""
    found = {pool.name(): pool for pool in pools(connection) if _kind(pool) in _FOLDERS}
    return found.get("default") or next(iter(found.values()), None)


def default_folder(connection: Connection) -> str:
    """Where a pool would be made: the folder that libvirt's own tools take; empty where that cannot be told."""
    if not uris.is_session(connection.uri):
        return "/var/lib/libvirt/images"
    if not connection.is_local():
        # that user's home is not known here
        return ""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
    return f"{base}/libvirt/images"


def make_home(connection: Connection) -> Any:
    """Define and start the pool `default`, as virt-manager does."""
    if has_pool(connection, "default"):
        stopped = connection.virt.storagePoolLookupByName("default")
        stopped.create()
        return stopped
    folder = default_folder(connection)
    if not folder:
        raise ActionError("it has no storage pool: make one there first, with virsh pool-create-as default dir")
    root = Element("pool", type="dir")
    SubElement(root, "name").text = "default"
    SubElement(SubElement(root, "target"), "path").text = folder
    pool = connection.virt.storagePoolDefineXML(text_of(root))
    try:
        with suppress(connection.libvirt.libvirtError):
            pool.build(0)
        pool.create()
        pool.setAutostart(1)
    except connection.libvirt.libvirtError:
        pool.undefine()
        raise
    return pool


def has_pool(connection: Connection, name: str) -> bool:
    """Whether there is a pool of this name, started or not."""
    return any(str(pool.name()) == name for pool in connection.virt.listAllStoragePools(0))


def remove_home(connection: Connection, name: str) -> None:
    pool = connection.virt.storagePoolLookupByName(name)
    pool.destroy()
    pool.undefine()


def folder_of(pool: Any) -> str:
    return ElementTree.fromstring(pool.XMLDesc(0)).findtext("target/path") or ""  # noqa: S314 - libvirt wrote it


def _kind(pool: Any) -> str:
    return ElementTree.fromstring(pool.XMLDesc(0)).get("type") or ""  # noqa: S314 - libvirt wrote it


def volumes(connection: Connection) -> Iterator[Volume]:
    """Every volume of the active pools; those that go away meanwhile are left out."""
    for pool in pools(connection):
        with suppress(connection.libvirt.libvirtError):
            for volume in pool.listAllVolumes(0):
                with suppress(connection.libvirt.libvirtError):
                    yield volume_of(pool.name(), volume)


def volume_of(pool: str, volume: Any) -> Volume:
    root = ElementTree.fromstring(volume.XMLDesc(0))  # noqa: S314 - libvirt wrote it
    form = root.find("target/format")
    return Volume(
        pool,
        str(volume.name()),
        str(volume.path()),
        (form.get("type") or "") if form is not None else "",
        int(root.findtext("capacity") or 0),
        int(root.findtext("allocation") or 0),
        root.findtext("backingStore/path") or "",
    )


def by_path(connection: Connection, path: str) -> Any | None:
    """The volume at this path, where a pool knows it."""
    try:
        return connection.virt.storageVolLookupByPath(path)
    except connection.libvirt.libvirtError:
        return None


def format_of(connection: Connection, path: str) -> str:
    """An image's format, by its pool or by its first bytes. Raises ActionError when it cannot be read."""
    volume = by_path(connection, path)
    if volume is not None:
        return volume_of("", volume).format or "raw"
    if why := unreadable(connection, path):
        raise ActionError(f"{clean(path, 200)}: {why}")
    with Path(path).open("rb") as file:
        head = file.read(8)
    if head.startswith(_QCOW2):
        return "qcow2"
    if head.startswith(b"KDMV"):
        return "vmdk"
    return "raw"


def unreadable(connection: Connection, path: str) -> str:
    """Why libvirt has no such file; empty when it has. Of another machine only what its pools hold is known."""
    if by_path(connection, path) is not None:
        return ""
    if not connection.is_local():
        return "it is in no storage pool of that machine"
    if not os.path.isabs(path):  # noqa: PTH117
        return "a whole path, beginning with /"
    file = Path(path)
    try:
        if file.is_dir():
            return "it is a folder"
        with file.open("rb"):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def local_size(connection: Connection, path: str) -> int | None:
    """What the guest sees of a file of this machine: a qcow2's header has it at byte 24; else all of the file."""
    if not connection.is_local():
        return None
    try:
        with Path(path).open("rb") as file:
            head = file.read(32)
        return int.from_bytes(head[24:32], "big") if head.startswith(_QCOW2) else Path(path).stat().st_size
    except OSError:
        return None


def delete_path(connection: Connection, path: str) -> None:
    """Delete a file through its pool; where it is in none, itself. Raises ActionError."""
    volume = by_path(connection, path)
    if volume is not None:
        volume.delete(0)
        return
    if not connection.is_local():
        raise ActionError(f"{clean(path, 200)} is kept: it is in no storage pool of that machine")
    if not Path(path).is_absolute() or not Path(path).is_file():
        raise ActionError(f"{clean(path, 200)} is kept: it is no file")
    try:
        Path(path).unlink()
    except OSError as error:
        raise ActionError(f"{clean(path, 200)}: {error.strerror}") from None


def volume_xml(name: str, size: int, form: str, *, fixed: bool = False, base: tuple[str, str] | None = None) -> str:
    """A new volume's XML; `base` is the (path, format) of what it rests on."""
    root = Element("volume")
    SubElement(root, "name").text = name
    SubElement(root, "capacity", unit="bytes").text = str(size)
    if fixed or form == "raw":
        SubElement(root, "allocation", unit="bytes").text = str(size if fixed else 0)
    target = SubElement(root, "target")
    SubElement(target, "format", type=form)
    if base is not None:
        backing = SubElement(root, "backingStore")
        SubElement(backing, "path").text = base[0]
        SubElement(backing, "format", type=base[1])
    return text_of(root)


def remove(connection: Connection, pool_name: str, name: str) -> bool:
    """Delete a volume; one begun when the daemon ended is found by looking anew. False when there is none."""
    pool = connection.virt.storagePoolLookupByName(pool_name)
    pool.refresh(0)
    for volume in pool.listAllVolumes(0):
        if volume.name() == name:
            volume.delete(0)
            return True
    return False


def text_of(root: Element) -> str:
    return ElementTree.tostring(root, encoding="unicode")
