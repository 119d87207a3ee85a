"""A container's files: looked at, copied out and in through the engine's archive, streamed both ways.

Docker Engine API 1.41 `GET`, `HEAD` and `PUT /containers/{id}/archive`; Podman's service answers alike.
"""

from __future__ import annotations

import posixpath
from pathlib import Path
from typing import TYPE_CHECKING

from backends.abilities.files import Copied, FileEntry, FileKind, Files, Folder
from backends.base import ActionError
from backends.docker import folders
from backends.docker.folders import NoPrograms, Stream, archive_path
from backends.docker.streams import Exchange
from backends.model import Ref
from backends.pack import pack, scan, walk
from backends.progress import Progress, Report
from backends.text import clean
from backends.threads import ThreadReport, in_thread
from backends.unpack import unpack

if TYPE_CHECKING:
    from backends.docker.backend import DockerBackend

_SILENCE = 300.0
_MODES = 0o777


class DockerFiles(Files):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend
        self._bare: set[str] = set()
        """Containers without the programs that list a folder."""

    async def list(self, ref: Ref, path: str, *, run: bool) -> Folder:
        connection = self._backend.connected()
        exchange = Exchange(connection)

        def work() -> Folder:
            try:
                if run and ref.id not in self._bare:
                    try:
                        found = folders.list_running(ref.id, path, exchange)
                    except NoPrograms:
                        self._bare.add(ref.id)
                    else:
                        if found is not None:
                            return found
                target = _followed(folders.find(connection, ref.id, path), path)
                listed = folders.list_archive(connection, ref.id, target, exchange)
                return Folder(path, listed.entries, listed.note)
            finally:
                exchange.finish()

        return await in_thread(work, exchange.close, f"{ref.engine}-files")

    async def find(self, ref: Ref, path: str) -> FileEntry | None:
        connection = self._backend.connected()
        exchange = Exchange(connection)
        return await in_thread(
            lambda: folders.find(connection, ref.id, path, exchange), exchange.close, f"{ref.engine}-files"
        )

    async def copy_out(self, ref: Ref, path: str, target: str, report: Report, *, replace: bool) -> Copied:
        connection = self._backend.connected()
        exchange = Exchange(connection)
        news = ThreadReport(report)

        def work() -> Copied:
            try:
                entry, reason = folders.status_of(connection, ref.id, path)
                if entry is None:
                    raise ActionError(reason or f"{clean(path, 200)} is not there")
                source = _followed(entry, path)
                if source != path:
                    entry = folders.find(connection, ref.id, source) or entry
                total = entry.size if entry.kind is FileKind.FILE else None
                inside = "/." if source == "/" else source
                exchange.request("GET", archive_path(ref.id, inside), silence=_SILENCE)

                def told(done: int, name: str) -> None:
                    if exchange.closed:
                        raise ActionError("cancelled")
                    news.progress(Progress(f"copying {clean(name, 80)}".rstrip(), done, total))

                copied = unpack(Stream(exchange.chunks()), target, replace=replace, told=told)
                for what in copied.left_out:
                    news.line(f"left out: {what}")
                return copied
            finally:
                exchange.finish()
                news.flush()

        return await in_thread(work, exchange.close, f"{ref.engine}-copy")

    async def copy_in(self, ref: Ref, source: str, folder: str, report: Report) -> Copied:
        connection = self._backend.connected()
        exchange = Exchange(connection)
        news = ThreadReport(report)
        name = Path(source).name

        def work() -> Copied:
            try:
                news.progress(Progress("counting"))
                found = scan(source, name, ended=lambda: exchange.closed)
                there, reason = folders.status_of(connection, ref.id, folder)
                if there is None or there.kind not in {FileKind.FOLDER, FileKind.LINK}:
                    raise ActionError(reason or f"{clean(folder, 200)} is not a folder of the container")

                def told(done: int, at: str) -> None:
                    if exchange.closed:
                        raise ActionError("cancelled")
                    news.progress(Progress(f"copying {clean(posixpath.basename(at), 80)}", done, found.bytes))

                body = pack(walk(source, name), modes=_MODES, told=told)
                # A file never takes the place of a folder, nor a folder that of a file
                path = archive_path(ref.id, _followed(there, folder)) + "&noOverwriteDirNonDir=true"
                kind = {"Content-Type": "application/x-tar"}
                exchange.request("PUT", path, body=body, headers=kind, silence=_SILENCE).read()
                left_out = (f"{found.others:,} sockets, pipes and devices",) if found.others else ()
                return Copied(posixpath.join(folder, name), found.files, found.bytes, left_out)
            finally:
                exchange.finish()
                news.flush()

        return await in_thread(work, exchange.close, f"{ref.engine}-copy")


def _followed(entry: FileEntry | None, path: str) -> str:
    """Where a link leads, as the engine resolved it; else the path itself."""
    if entry is None or entry.kind is not FileKind.LINK or not entry.target:
        return path
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), entry.target))
