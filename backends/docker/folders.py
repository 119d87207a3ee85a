"""What a folder of a container holds: asked of a program in it where it has one, else read from the engine's archive.

Docker Engine API 1.41: `POST /containers/{id}/exec`; `GET` and `HEAD /containers/{id}/archive`, which also work on a
container that does not run and on an image without a shell.
"""

from __future__ import annotations

import base64
import json
import posixpath
import secrets
import stat
import struct
import tarfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import IO, Any, cast
from urllib.parse import quote_from_bytes

from backends.abilities.files import FileEntry, FileKind, Folder
from backends.base import ActionError
from backends.docker.client import Connection
from backends.docker.streams import Exchange
from backends.text import clean

_SILENCE = 10.0
_LONGEST = 3.0
"""Seconds a folder is read from the archive for, which has all that is below it too."""
_MOST_BYTES = 1 << 30
_MOST_OUTPUT = 32 << 20
MOST_ENTRIES = 100_000
_ASK = (
    'cd -- "$1" || exit 3; if command -v find >/dev/null; '
    'then find . ! -name . -prune -exec stat -c "$2" -- {} +; else stat -c "$2" -- .[!.]* ..?* *; fi'
)
"""POSIX find and sh, and the stat of coreutils or busybox; the folder and the format are arguments, never parsed."""
_NO_FOLDER = 3
_MISSING = (1, 126, 127)
"""Exit codes of a missing shell, find or stat; find and a loop of stat end with 1 when all failed."""
_FAILED = -1
_GO_FOLDER, _GO_LINK, _GO_OTHER = 1 << 31, 1 << 27, 0b11 << 24 | 1 << 26 | 1 << 21 | 1 << 19
"""Of Go's FileMode: directory, symbolic link; socket, named pipe, device and the like."""
_USUAL = ("bin", "boot", "data", "dev", "etc", "home", "lib", "media", "mnt", "opt", "proc", "root", "run", "sbin",
          "srv", "sys", "tmp", "usr", "var")  # fmt: skip
"""What a root folder usually has: looked for where reading all of it would take too long."""


def raw(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")


def archive_path(container: str, path: str) -> str:
    """The archive of a path, which may hold any bytes."""
    return f"/containers/{container}/archive?path={quote_from_bytes(raw(path), safe='/')}"


def find(connection: Connection, container: str, path: str, exchange: Exchange | None = None) -> FileEntry | None:
    """What is at a path; None when nothing is. Blocks."""
    entry, _ = status_of(connection, container, path, exchange)
    return entry


def status_of(
    connection: Connection, container: str, path: str, exchange: Exchange | None = None
) -> tuple[FileEntry | None, str]:
    """What is at a path, and why the engine does not tell. Blocks."""
    exchange = exchange or Exchange(connection)
    try:
        response = exchange.request("HEAD", archive_path(container, path), silence=_SILENCE)
        header = response.headers.get("X-Docker-Container-Path-Stat") or ""
        status = json.loads(base64.b64decode(header))
    except ActionError as error:
        # The answer to a HEAD has no words
        return None, "" if "status 404" in str(error) else str(error)
    except (ValueError, TypeError):
        return None, "the engine does not tell what is there"
    finally:
        exchange.finish()
    name = posixpath.basename(path.rstrip("/")) or "/"
    mode, target = int(status.get("mode") or 0), str(status.get("linkTarget") or "")
    kind = FileKind.FILE
    if mode & _GO_FOLDER:
        kind = FileKind.FOLDER
    elif mode & _GO_LINK or (target and target != path):
        kind = FileKind.LINK
    elif mode & _GO_OTHER:
        kind = FileKind.OTHER
    size = int(status.get("size") or 0) if kind is FileKind.FILE else None
    target = target if kind is FileKind.LINK else ""
    return FileEntry(name, kind, clean(name), size, _moment(status.get("mtime")), target), ""


class NoPrograms(Exception):
    """The container lacks what lists a folder."""


def list_running(container: str, path: str, exchange: Exchange) -> Folder | None:
    """By a shell, find and stat of the container itself; None when that came to nothing. Blocks.

    Raises NoPrograms where it never will.
    """
    token = secrets.token_hex(8)
    words = ["sh", "-c", _ASK, "sh", path, f"{token} %f %s %Y %n"]
    with suppress(UnicodeEncodeError):
        body = json.dumps({"AttachStdout": True, "AttachStderr": True, "Cmd": words, "User": "0"}, ensure_ascii=False)
        output, code = _run(exchange, container, body.encode())
        entries = _parse(output, token)
        if code == _NO_FOLDER:
            return None  # or the engine knows why
        if entries or (code in {0, 1} and _has_stat(exchange, container)):
            note = f"only {MOST_ENTRIES:,} of its entries are shown" if len(entries) >= MOST_ENTRIES else ""
            return Folder(path, tuple(entries[:MOST_ENTRIES]), note)
        if code in _MISSING:
            raise NoPrograms
    return None


def _has_stat(exchange: Exchange, container: str) -> bool:
    """An empty folder looks as a missing stat does."""
    words = ["stat", "-c", "%f", "--", "/"]
    body = json.dumps({"AttachStdout": True, "AttachStderr": True, "Cmd": words, "User": "0"})
    return _run(exchange, container, body.encode())[1] == 0


def _run(exchange: Exchange, container: str, body: bytes) -> tuple[bytes, int]:
    """Run a command in a container: its standard output and its exit code."""
    kind = {"Content-Type": "application/json"}
    try:
        made = exchange.request("POST", f"/containers/{container}/exec", body=body, headers=kind, silence=_SILENCE)
        identity = str(json.loads(made.read())["Id"])
        exchange.renew()
        start = b'{"Detach": false, "Tty": false}'
        exchange.request("POST", f"/exec/{identity}/start", body=start, headers=kind, silence=_SILENCE)
        output = _output(exchange.chunks())
        exchange.renew()
        answer = json.loads(exchange.request("GET", f"/exec/{identity}/json", silence=_SILENCE).read())
        exchange.renew()
        return output, int(answer["ExitCode"] or 0)
    except ActionError as error:
        if exchange.closed:
            raise
        exchange.renew()
        return b"", 127 if "exec failed" in str(error) or "not found" in str(error) else _FAILED
    except (ValueError, KeyError, TypeError):
        exchange.renew()
        return b"", _FAILED


def _output(chunks: Iterator[bytes]) -> bytes:
    """The standard output of a stream of frames: one byte of kind, three of nothing, four of length."""
    waiting = bytearray()
    output = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= 8:
            kind, length = struct.unpack(">BxxxL", waiting[:8])
            if len(waiting) < 8 + length:
                break
            if kind == 1 and len(output) < _MOST_OUTPUT:
                output += waiting[8 : 8 + length]
            del waiting[: 8 + length]
    return bytes(output)


def _parse(output: bytes, token: str) -> list[FileEntry]:
    """One record for each name, which may hold line breaks: each record begins with the token nobody knows."""
    mark = token.encode() + b" "
    entries: list[FileEntry] = []
    for record in output.split(mark)[1:]:
        fields = record.removesuffix(b"\n").split(b" ", 3)
        if len(fields) < 4:
            continue
        with suppress(ValueError):
            mode, size, when = int(fields[0], 16), int(fields[1]), int(fields[2])
            name = fields[3].removeprefix(b"./").decode("utf-8", "surrogateescape")
            if name and "/" not in name:
                entries.append(_entry(name, mode, size, when))
    return entries


def _entry(name: str, mode: int, size: int, when: float) -> FileEntry:
    kind = FileKind.OTHER
    if stat.S_ISDIR(mode):
        kind = FileKind.FOLDER
    elif stat.S_ISLNK(mode):
        kind = FileKind.LINK
    elif stat.S_ISREG(mode):
        kind = FileKind.FILE
    return FileEntry(name, kind, clean(name), size if kind is FileKind.FILE else None, float(when))


def list_archive(connection: Connection, container: str, path: str, exchange: Exchange) -> Folder:
    """From the headers of the archive of the folder, which holds all below it, read for a while. Blocks."""
    began = time.monotonic()
    entries: dict[str, FileEntry] = {}
    whole = True
    try:
        exchange.request("GET", archive_path(container, path.rstrip("/") + "/."), silence=_SILENCE)
    except ActionError as error:
        if exchange.closed:
            raise
        raise ActionError(_no_folder(str(error), path)) from None
    stream = Stream(exchange.chunks())
    try:
        with tarfile.open(
            fileobj=cast("IO[bytes]", stream), mode="r|", bufsize=1 << 18, encoding="utf-8", errors="surrogateescape"
        ) as archive:
            while (member := archive.next()) is not None:
                name, _, below = member.name.removeprefix("./").strip("/").partition("/")
                if name not in {"", "."} and name not in entries:
                    entries[name] = _of_member(name, member, below=bool(below))
                archive.members.clear()  # type: ignore[attr-defined]
                late = time.monotonic() - began > _LONGEST or stream.taken > _MOST_BYTES
                if late or len(entries) >= MOST_ENTRIES:
                    whole = False
                    break
    except tarfile.TarError as error:
        raise ActionError(f"the engine's archive cannot be read: {clean(str(error), 200)}") from error
    if whole:
        return Folder(path, tuple(entries.values()))
    exchange.renew()
    if path == "/":
        _add_usual(connection, container, entries)
    note = "too much is below it to read all: some entries may be missing; a path can be typed"
    return Folder(path, tuple(entries.values()), note)


def _of_member(name: str, member: tarfile.TarInfo, *, below: bool) -> FileEntry:
    kind = FileKind.OTHER
    if member.isdir() or below:
        kind = FileKind.FOLDER
    elif member.issym():
        kind = FileKind.LINK
    elif member.isfile() or member.islnk():
        kind = FileKind.FILE
    size = member.size if kind is FileKind.FILE and not member.islnk() else None
    target = member.linkname if kind is FileKind.LINK else ""
    return FileEntry(name, kind, clean(name), size, float(member.mtime), target)


def _add_usual(connection: Connection, container: str, entries: dict[str, FileEntry]) -> None:
    for name in _USUAL:
        found = find(connection, container, f"/{name}") if name not in entries else None
        if found is not None:
            entries[name] = replace(found, name=name)


def _no_folder(said: str, path: str) -> str:
    shown = clean(path, 200)
    if "not a directory" in said:
        return f"{shown} is not a folder"
    if "Could not find the file" in said or "no such file" in said.lower() or "could not be found" in said.lower():
        return f"{shown} is not there"
    return said


class Stream:
    """Pieces of bytes as a file to read from."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = b""
        self.taken = 0

    def read(self, size: int = -1, /) -> bytes:
        if not self._left:
            self._left = next(self._chunks, b"")
        piece, self._left = (self._left, b"") if size < 0 else (self._left[:size], self._left[size:])
        self.taken += len(piece)
        return piece


def _moment(text: Any) -> float | None:
    with suppress(TypeError, ValueError):
        return datetime.fromisoformat(str(text)[:19] + "+00:00").timestamp()
    return None
