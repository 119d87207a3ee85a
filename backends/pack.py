"""A file or folder of this machine as a tar stream for an engine, read piece by piece as it is sent."""

from __future__ import annotations

import os
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter

from backends.base import ActionError
from backends.text import clean

_CHUNK = 1 << 18

Leaves = Callable[[str, bool], bool]
"""Whether a path below the root, and with it all below that, is left out; told whether it is a folder."""


@dataclass(frozen=True, slots=True)
class Member:
    """Something to be packed: where it is here, and what it is called in the archive."""

    path: str
    name: str
    status: os.stat_result


@dataclass(slots=True)
class Scan:
    """What a tree holds."""

    files: int = 0
    folders: int = 0
    links: int = 0
    bytes: int = 0
    excluded: int = 0
    """Entries left out by the caller's wish; a folder with all below it is one."""
    others: int = 0
    """Sockets and devices, which are never packed."""


def scan(root: str, name: str, *, leave: Leaves | None = None, ended: Callable[[], bool] = bool) -> Scan:
    """Count what `walk` would give, and make sure that it can be read. Blocks. Raises ActionError."""
    found = Scan()
    for member in walk(root, name, leave=leave, count=found):
        if ended():
            raise ActionError("cancelled")
        if stat.S_ISREG(member.status.st_mode):
            found.files += 1
            found.bytes += member.status.st_size
            if not os.access(member.path, os.R_OK):
                raise ActionError(f"{clean(member.path)}: may not be read by you")
        elif stat.S_ISDIR(member.status.st_mode):
            found.folders += 1
        else:
            found.links += 1
    return found


def walk(root: str, name: str, *, leave: Leaves | None = None, count: Scan | None = None) -> Iterator[Member]:
    """The file or folder at `root` and all below it, folders before what they hold, no link followed but `root`.

    It is called `name` in the archive; with an empty name only what is below it is given. Raises ActionError.
    """
    count = count or Scan()
    try:
        status = os.stat(root)  # noqa: PTH116
    except OSError as error:
        raise ActionError(f"{clean(root)}: {error.strerror}") from error
    if stat.S_ISREG(status.st_mode):
        yield Member(root, name, status)
        return
    if not stat.S_ISDIR(status.st_mode):
        raise ActionError(f"{clean(root)} is neither a file nor a folder")
    if name:
        yield Member(root, name, status)
    waiting = [(root, name)]
    while waiting:
        folder, prefix = waiting.pop()
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=attrgetter("name"))
        except OSError as error:
            raise ActionError(f"{clean(folder)}: {error.strerror}") from error
        below: list[tuple[str, str]] = []
        for entry in entries:
            called = f"{prefix}/{entry.name}" if prefix else entry.name
            inside = called[len(name) + 1 :] if name else called
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue  # gone meanwhile
            if leave is not None and leave(inside, stat.S_ISDIR(status.st_mode)):
                count.excluded += 1
            elif stat.S_ISDIR(status.st_mode):
                yield Member(entry.path, called, status)
                below.append((entry.path, called))
            elif stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
                yield Member(entry.path, called, status)
            else:
                count.others += 1
        waiting.extend(reversed(below))


def pack(members: Iterator[Member], *, modes: int, told: Callable[[int, str], None]) -> Iterator[bytes]:
    """The tar stream, at most 256 KiB at once. Raises ActionError.

    All belongs to root, as `docker cp` and `docker build` send it; of a mode the bits in `modes` are kept. `told` is
    called with the bytes of content so far and the name at hand, and may raise to end it.
    """
    sent = 0
    for member in members:
        told(sent, member.name)
        if not stat.S_ISREG(member.status.st_mode):
            with suppress(FileNotFoundError):
                yield _head(member, member.status, modes)
            continue
        try:
            descriptor = os.open(member.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise ActionError(f"{clean(member.path)}: {error.strerror}") from error
        with os.fdopen(descriptor, "rb", buffering=0) as content:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                continue
            yield _head(member, status, modes)
            left = status.st_size
            while left:
                try:
                    piece = content.read(min(_CHUNK, left))
                except OSError as error:
                    raise ActionError(f"{clean(member.path)}: {error.strerror}") from error
                # A file that shrinks meanwhile keeps the length its header told
                piece = piece or bytes(min(_CHUNK, left))
                left -= len(piece)
                sent += len(piece)
                yield piece
                told(sent, member.name)
            if over := status.st_size % tarfile.BLOCKSIZE:
                yield bytes(tarfile.BLOCKSIZE - over)
    yield bytes(2 * tarfile.BLOCKSIZE)


def packed_file(name: str, content: bytes) -> Iterator[bytes]:
    """One more file for a tar stream, to go before `pack`."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    yield info.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % tarfile.BLOCKSIZE)


def _head(member: Member, status: os.stat_result, modes: int) -> bytes:
    info = tarfile.TarInfo(member.name)
    info.mode = status.st_mode & modes
    info.mtime = int(status.st_mtime)
    if stat.S_ISDIR(status.st_mode):
        info.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(status.st_mode):
        info.type = tarfile.SYMTYPE
        info.linkname = os.readlink(member.path)  # noqa: PTH115
    else:
        info.size = status.st_size
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
