"""Who uses which file, however it is called: by link, hard link, volume or node. Blocking. libvirt 9.0.

libvirt tells of no change made to a configuration alone (`attach-disk --config`): what is destroyed rests on
definitions read anew, of what runs and of what holds at the next start, and on those that snapshots hold.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree

from backends.base import ActionError
from backends.libvirt import pool_copies, storage
from backends.libvirt.chains import backing
from backends.libvirt.connection import Connection
from backends.libvirt.domains import Definition, Disk, definition
from backends.same_file import file_key

_OVERLAYS = {"", "qcow2", "qed"}
"""Formats whose header is QEMU's own, or may be. A raw disk's first bytes are its guest's, who may write any there."""
_LONGEST_CHAIN = 16


class Uses:
    """What was used when it was made."""

    def __init__(self, connection: Connection, *, but: str = "", fresh: bool = True) -> None:
        """`but`: a domain that does not count. Unless `fresh`, definitions may be as old as the last event."""
        self._connection = connection
        self._local = connection.is_local()
        self._direct: dict[object, set[str]] = {}
        self._running: set[str] = set()
        self._resting: dict[object, set[str]] = {}
        self._formats: dict[object, str] = {}
        self._overlays: dict[object, set[object]] = {}
        for domain in connection.domains():
            # one that went away meanwhile uses nothing
            with suppress(connection.libvirt.libvirtError, ValueError):
                if (identity := domain.UUIDString()) != but:
                    self._add(domain, identity, fresh=fresh)

    def users(self, path: str, *, running: bool = False) -> set[str]:
        """Names of the domains, or of the running ones, that have it as a disk."""
        found = self._direct.get(self._key(path), set())
        return found & self._running if running else set(found)

    def resting(self, path: str) -> set[str]:
        """Names of the domains with a disk that rests on it, as linked clones do."""
        return set(self._resting.get(self._key(path), ()))

    def format(self, path: str) -> str:
        """As what a domain opens it; empty where none does."""
        return self._formats.get(self._key(path), "")

    def overlays(self, volumes: list[storage.Volume]) -> None:
        """Count also what rests on images by what the pools know."""
        for volume in volumes:
            key = self._key(volume.path)
            if volume.backing and self._formats.get(key, "qcow2") in _OVERLAYS:
                self._overlays.setdefault(self._key(volume.backing), set()).add(key)

    def images(self, path: str) -> int:
        """How many images rest on it, of those that are known."""
        return len(self._overlays.get(self._key(path), ()))

    def _add(self, domain: Any, identity: str, *, fresh: bool) -> None:
        active = bool(domain.isActive())
        for found in self._definitions(domain, identity, active=active, fresh=fresh):
            if active:
                self._running.add(found.name)
            for disk in found.disks:
                self._add_disk(disk, found.name)
            if found.nvram:
                self._direct.setdefault(self._key(found.nvram), set()).add(found.name)

    def _definitions(self, domain: Any, identity: str, *, active: bool, fresh: bool) -> Iterator[Definition]:
        if not fresh:
            yield self._connection.definition(domain, identity)
            return
        lib = self._connection.libvirt
        if domain.isPersistent():
            yield definition(domain.XMLDesc(lib.VIR_DOMAIN_XML_INACTIVE))
        if active:
            yield definition(domain.XMLDesc(0))
        with suppress(lib.libvirtError):
            for snapshot in domain.listAllSnapshots(0) if domain.snapshotNum(0) else ():
                root = ElementTree.fromstring(snapshot.getXMLDesc(0))  # noqa: S314 - libvirt wrote it
                for kind in ("domain", "inactiveDomain"):
                    if (held := root.find(kind)) is not None:
                        yield definition(ElementTree.tostring(held, encoding="unicode"))

    def _add_disk(self, disk: Disk, name: str) -> None:
        path = self.path_of(disk)
        if not path:
            return
        key = self._key(path)
        self._direct.setdefault(key, set()).add(name)
        self._formats[key] = disk.format
        for below in self._below(path) if disk.format in _OVERLAYS else ():
            other = self._key(below)
            self._resting.setdefault(other, set()).add(name)
            self._overlays.setdefault(other, set()).add(key)
            key = other

    def path_of(self, disk: Disk) -> str:
        """A disk's file or device, also of one given as a volume; empty where it has neither."""
        if disk.source.startswith("/"):
            return disk.source
        return pool_copies.path_of(self._connection, disk.source) or disk.source

    def _below(self, path: str) -> list[str]:
        """What an image rests on: by its header, or by its pool where this user may not read it."""
        if self._local and os.access(path, os.R_OK):
            return backing(path)
        found: list[str] = []
        while len(found) < _LONGEST_CHAIN and (volume := storage.by_path(self._connection, path)) is not None:
            path = storage.volume_of("", volume).backing
            if not path:
                break
            found.append(path)
        return found

    def _key(self, path: str) -> object:
        """The same for all names of a file of this machine; of another machine names are all that is known."""
        return file_key(path) if self._local and path.startswith("/") else os.path.normpath(path)


def holders(connection: Connection, paths: Collection[str]) -> dict[str, str]:
    """Of these files of this machine, those that domains here have or rest on: their names by path."""
    if not connection.is_local():
        return {}
    uses = Uses(connection)
    found = {path: uses.users(path) | uses.resting(path) for path in paths}
    return {path: ", ".join(sorted(names)) for path, names in found.items() if names}


def kept(connection: Connection, uses: Uses, path: str) -> str:
    """Why a file has to stay for the sake of others, in words; empty when nobody needs it."""
    if names := uses.users(path) | uses.resting(path):
        return f"also used by {', '.join(sorted(names))}"
    # what a pool was not told of is what nobody asked about yet
    with suppress(connection.libvirt.libvirtError):
        pool_copies.refresh(connection, {path.rpartition("/")[0]})
    with suppress(ActionError):
        uses.overlays(list(storage.volumes(connection)))
    if count := uses.images(path):
        return "another image rests on it" if count == 1 else f"{count} other images rest on it"
    return ""


def resting_on(connection: Connection, identity: str) -> set[str]:
    """Names of the domains whose disks rest on this one's own, as linked clones do."""
    uses = Uses(connection, but=identity, fresh=False)
    own = connection.definition(connection.domain(identity), identity)
    return {name for disk in own.disks if disk.source for name in uses.resting(uses.path_of(disk))}


def no_file(path: str) -> str:
    """Why what is at a path of this machine is not deleted as a file; empty when it may be."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return ""
    if stat.S_ISLNK(mode):
        return "it is a link to another file: remove both by hand"
    return "" if stat.S_ISREG(mode) else "it is no file, but a device: remove it with its storage"
