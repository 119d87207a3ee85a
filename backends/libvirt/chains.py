"""Disk images that rest on others: what a file's header tells, and who rests on whom. Blocking."""

from __future__ import annotations

import os
from pathlib import Path

from backends.libvirt.connection import Connection


def backing(path: str, depth: int = 16) -> list[str]:
    """The files an overlay rests on, by its qcow2 header (version 2 and 3: the name's offset and length at byte 8)."""
    found: list[str] = []
    for _ in range(depth):
        try:
            with Path(path).open("rb") as file:
                head = file.read(20)
                if head[:4] != b"QFI\xfb":
                    return found
                offset, length = int.from_bytes(head[8:16], "big"), int.from_bytes(head[16:20], "big")
                if not offset or not 0 < length <= 1023:
                    return found
                file.seek(offset)
                name = os.fsdecode(file.read(length))
        except OSError:
            return found
        path = os.path.normpath(os.path.join(os.path.dirname(path), name))  # noqa: PTH118, PTH120 - joined as QEMU does
        found.append(path)
    return found


def resting_on(connection: Connection, identity: str) -> set[str]:
    """Names of the domains whose disks rest on this one's own, as linked clones do."""
    own = {disk.source for disk in connection.definition(connection.domain(identity), identity).disks if disk.file}
    names = set()
    for other in connection.domains():
        uuid = other.UUIDString()
        if uuid == identity:
            continue
        found = connection.definition(other, uuid)
        if any(below in own for disk in found.disks if disk.file for below in backing(disk.source)):
            names.add(found.name)
    return names
