"""Images to and from tar files, streamed: neither is held in memory.

Docker Engine API 1.41 `GET /images/get` and `POST /images/load`.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from backends.abilities.images import Archives
from backends.base import ActionError
from backends.docker.streams import Exchange
from backends.docker.transfers import Layers
from backends.progress import Progress, Report
from backends.text import clean
from backends.threads import ThreadReport, in_thread

if TYPE_CHECKING:
    from backends.docker.backend import DockerBackend

_CHUNK = 1 << 18


class DockerArchives(Archives):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    async def save(self, names: Sequence[str], path: str, size: int, report: Report, *, overwrite: bool) -> str:
        exchange = Exchange(self._backend.connected())
        news = ThreadReport(report)

        def work() -> str:
            file = NewFile(path, overwrite=overwrite)
            written = 0
            try:
                news.progress(Progress("the engine gathers the layers"))
                exchange.request("GET", "/images/get", {"names": list(names)})
                for chunk in exchange.chunks():
                    file.write(chunk)
                    written += len(chunk)
                    news.progress(Progress("writing", written, size if written <= size else None))
                if exchange.closed:
                    raise ActionError("cancelled")
                file.keep()
            finally:
                file.discard()
                exchange.finish()
                news.flush()
            return f"{file.path}, {written / (1 << 20):,.1f} MiB"

        return await in_thread(work, exchange.close, "save")

    async def load(self, path: str, report: Report) -> str:
        exchange = Exchange(self._backend.connected())
        news = ThreadReport(report)

        def work() -> str:
            loaded: list[str] = []
            try:
                with open_regular(path) as (file, size):
                    body = _sent(file, size, news)
                    headers = {"Content-Type": "application/x-tar"}
                    exchange.request("POST", "/images/load", {"quiet": "0"}, body=body, headers=headers)
                layers = Layers("unpacking")
                for entry in exchange.lines():
                    if error := entry.get("error") or (entry.get("errorDetail") or {}).get("message"):
                        raise ActionError(clean(str(error), 500).strip())
                    if layers.take(entry):
                        news.progress(layers.progress)
                    for text in str(entry.get("stream") or "").splitlines():
                        line = clean(text, 500).strip()
                        news.line(line)
                        if line.startswith("Loaded image"):
                            loaded.append(line.partition(": ")[2])
            finally:
                exchange.finish()
                news.flush()
            if not loaded:
                raise ActionError(f"{path}: there is no image in it that the engine knows")
            return f"loaded {', '.join(loaded)}"

        return await in_thread(work, exchange.close, "load")


def _sent(file: BinaryIO, size: int, news: ThreadReport) -> Iterator[bytes]:
    done = 0
    while True:
        try:
            chunk = file.read(_CHUNK)
        except OSError as error:
            raise ActionError(f"reading failed: {error.strerror}") from None
        if not chunk:
            news.progress(Progress("the engine unpacks it", size, size))
            return
        done += len(chunk)
        news.progress(Progress("sending", done, max(size, done)))
        yield chunk


@contextmanager
def open_regular(path: str) -> Iterator[tuple[BinaryIO, int]]:
    """An ordinary file and its size in bytes; raises ActionError for anything else."""
    place = Path(path).expanduser()
    try:
        # a pipe or a device would not be at its end ever
        if not stat.S_ISREG(place.stat().st_mode):
            raise ActionError(f"{place} is no ordinary file")
        file = place.open("rb")
    except OSError as error:
        raise ActionError(f"{place}: {error.strerror}") from None
    with file:
        yield file, os.fstat(file.fileno()).st_size


class NewFile:
    """A file that comes to be whole or not at all: written beside its place, under a name of its own, mode 0600.

    Raises ActionError from all its methods but `discard`.
    """

    def __init__(self, path: str, *, overwrite: bool) -> None:
        self.path = Path(path).expanduser().absolute()
        self._overwrite = overwrite
        if self.path.is_dir():
            raise ActionError(f"{self.path} is a folder: name a file in it")
        if self._exists() and not overwrite:
            raise ActionError(f"{self.path} exists already")
        if self._exists() and not self.path.is_file():
            raise ActionError(f"{self.path} is no ordinary file")
        self._part = self.path.with_name(f".{self.path.name[:100]}.{secrets.token_hex(4)}.part")
        try:
            descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ActionError(f"{self.path.parent}: {error.strerror}") from None
        self._file = os.fdopen(descriptor, "wb", _CHUNK)

    def write(self, data: bytes) -> None:
        try:
            self._file.write(data)
        except OSError as error:
            raise self._failed(error) from None

    def keep(self) -> None:
        """It is whole: give it its name."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            if self._overwrite:
                self._part.replace(self.path)
                return
            try:
                os.link(self._part, self.path)
            except FileExistsError:
                raise ActionError(f"{self.path} exists by now") from None
            except OSError:  # a file system without hard links
                if self._exists():
                    raise ActionError(f"{self.path} exists by now") from None
                self._part.rename(self.path)
        except OSError as error:
            raise self._failed(error) from None

    def discard(self) -> None:
        """Remove what is not whole; after `keep` nothing."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._part.unlink(missing_ok=True)

    def _exists(self) -> bool:
        return os.path.lexists(self.path)

    def _failed(self, error: OSError) -> ActionError:
        return ActionError(f"{self.path} cannot be written: {error.strerror}")
