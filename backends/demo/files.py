"""Files in simulated containers. Nothing of this machine is written, and of what is copied in only names and sizes."""

from __future__ import annotations

import asyncio
import posixpath
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backends.abilities.files import Copied, FileEntry, FileKind, Files, Folder
from backends.base import ActionError
from backends.demo.curves import number
from backends.model import Container, Ref
from backends.pack import scan
from backends.progress import Progress, Report
from backends.text import clean

if TYPE_CHECKING:
    from backends.demo.backend import DemoBackend

_DAY = 86400.0
_STEPS, _STEP = 20, 0.15
_LINKS = {"/bin": "usr/bin", "/lib": "usr/lib", "/sbin": "usr/sbin", "/etc/localtime": "/usr/share/zoneinfo/Etc/UTC",
          "/var/run": "/run"}  # fmt: skip
_COMMON = """
/.dockerenv:0 /boot/ /dev/ /home/ /media/ /mnt/ /opt/ /proc/ /root/ /run/lock/ /srv/ /sys/
/tmp/ /usr/bin/bash:1265648 /usr/bin/cat:44016 /usr/bin/env:48536 /usr/bin/ls:151344 /usr/bin/sh:125640
/usr/lib/os-release:267 /usr/sbin/ldconfig:1012008 /usr/share/zoneinfo/Etc/UTC:114 /var/cache/apt/
/var/log/apt/history.log:4211 /var/log/dpkg.log:61022 /var/tmp/ /etc/group:440
/etc/hostname:13 /etc/hosts:174 /etc/passwd:839 /etc/resolv.conf:110
/etc/ssl/certs/ca-certificates.crt:219342 /etc/apt/sources.list.d/debian.sources:371
"""
_OWN = {
    "postgres": "/var/lib/postgresql/data/PG_VERSION:3 /var/lib/postgresql/data/postgresql.conf:29961 "
    "/var/lib/postgresql/data/pg_hba.conf:5714 /var/lib/postgresql/data/base/1/2619:16384 "
    "/var/lib/postgresql/data/pg_wal/000000010000000A000000C4:16777216 "
    "/var/lib/postgresql/data/pg_wal/000000010000000A000000C5:16777216 /docker-entrypoint-initdb.d/10-shop.sql:20418",
    "redis": "/data/dump.rdb:8814233 /data/appendonlydir/appendonly.aof.1.base.rdb:8802101 "
    "/usr/local/etc/redis/redis.conf:107512",
    "": "/app/package.json:2114 /app/package-lock.json:412077 /app/.env:312 /app/server.js:18224 "
    "/app/src/orders.js:21480 /app/src/payments.js:15044 /app/src/index.js:3308 /app/public/index.html:1874 "
    "/app/public/logo.svg:9210 /app/node_modules/express/index.js:224 /app/logs/access.log:48210733 "
    "/app/logs/error.log:120344 /usr/local/bin/node:121684432",
}


@dataclass(slots=True)
class _Node:
    entry: FileEntry
    below: dict[str, _Node] | None = None


class DemoFiles(Files):
    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend
        self._roots: dict[str, _Node] = {}

    async def list(self, ref: Ref, path: str, *, run: bool) -> Folder:
        del run
        await self._wait()
        node = self._node(ref, path)
        if node is None:
            raise ActionError(f"{clean(path, 200)} is not there")
        if node.below is None:
            raise ActionError(f"{clean(path, 200)} is not a folder")
        return Folder(path, tuple(inner.entry for inner in node.below.values()))

    async def find(self, ref: Ref, path: str) -> FileEntry | None:
        await self._wait()
        node = self._node(ref, path)
        return node.entry if node else None

    async def copy_out(self, ref: Ref, path: str, target: str, report: Report, *, replace: bool) -> Copied:
        del replace
        node = self._node(ref, path)
        if node is None:
            raise ActionError(f"{clean(path, 200)} is not there")
        files, size = _weigh(node)
        await self._pass(report, node.entry.label, size)
        report.line(f"simulated: nothing was written to {clean(target, 200)}")
        return Copied(target, files, size)

    async def copy_in(self, ref: Ref, source: str, folder: str, report: Report) -> Copied:
        name = posixpath.basename(source)
        found = await asyncio.to_thread(scan, source, name)
        node = self._node(ref, folder)
        if node is None or node.below is None:
            raise ActionError(f"{clean(folder, 200)} is not a folder of the container")
        await self._pass(report, clean(name), found.bytes)
        kind = FileKind.FOLDER if found.folders else FileKind.FILE
        size = None if found.folders else found.bytes
        entry = FileEntry(name, kind, clean(name), size, self._backend.clock())
        node.below[name] = _Node(entry, {} if found.folders else None)
        report.line("simulated: only the name and the size were taken over")
        return Copied(posixpath.join(folder, name), found.files, found.bytes)

    async def _pass(self, report: Report, name: str, size: int) -> None:
        for step in range(_STEPS + 1):
            report.progress(Progress(f"copying {name}", size * step // _STEPS, size))
            await self._wait()

    async def _wait(self) -> None:
        await asyncio.sleep(_STEP * self._backend.world.options.pace)

    def _node(self, ref: Ref, path: str, follow: int = 5) -> _Node | None:
        node = self._root(ref)
        at = "/"
        for part in path.split("/"):
            if part in {"", "."}:
                continue
            inner = (node.below or {}).get(part)
            if inner is None:
                return None
            node, at = inner, posixpath.join(at, part)
            if node.entry.kind is FileKind.LINK and follow:
                to = posixpath.normpath(posixpath.join(posixpath.dirname(at), node.entry.target))
                led = self._node(ref, to, follow - 1)
                if led is None:
                    return None
                node = led
        return node

    def _root(self, ref: Ref) -> _Node:
        item = self._backend.world.items.get(ref)
        if not isinstance(item, Container):
            raise ActionError(f"No such container: {ref.id[:12]}")
        root = self._roots.get(ref.id)
        if root is None:
            root = self._roots[ref.id] = self._made(item)
        return root

    def _made(self, item: Container) -> _Node:
        root = _Node(FileEntry("/", FileKind.FOLDER, "/"), {})
        own = next((paths for word, paths in _OWN.items() if word and word in item.image), _OWN[""])
        for text in (_COMMON + own).split():
            path, _, size = text.rpartition(":") if ":" in text else (text, "", "")
            self._put(root, item, path, int(size) if size else None)
        for path, target in _LINKS.items():
            self._put(root, item, path, None, target)
        return root

    def _put(self, root: _Node, item: Container, path: str, size: int | None, target: str = "") -> None:
        node = root
        *folders, name = [part for part in path.rstrip("/").split("/") if part]
        at = ""
        for part in folders:
            at += f"/{part}"
            assert node.below is not None  # noqa: S101
            node = node.below.setdefault(part, _Node(self._entry(item, at, FileKind.FOLDER), {}))
        kind = FileKind.LINK if target else FileKind.FOLDER if size is None else FileKind.FILE
        entry = replace(self._entry(item, path.rstrip("/"), kind), size=size, target=target)
        assert node.below is not None  # noqa: S101
        node.below.setdefault(name, _Node(entry, {} if kind is FileKind.FOLDER else None))

    def _entry(self, item: Container, path: str, kind: FileKind) -> FileEntry:
        name = posixpath.basename(path)
        age = number(self._backend.world.options.seed, "file", path) % int(90 * _DAY)
        live = path.endswith((".log", ".aof", ".rdb")) or "pg_wal" in path
        modified = item.created - (0.0 if live else float(age)) + (3600.0 if live else 0.0)
        return FileEntry(name, kind, name, None, modified)


def _weigh(node: _Node) -> tuple[int, int]:
    """How many files there are below, and their bytes."""
    if node.below is None:
        return 1, node.entry.size or 0
    found = [_weigh(inner) for inner in node.below.values()]
    return sum(files for files, _ in found), sum(size for _, size in found)
