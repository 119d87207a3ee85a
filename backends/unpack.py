"""A tar stream from an engine unpacked on this machine, trusting nothing in it.

Everything is made below one new folder through file descriptors that never follow a link, so that no name and no link
in the archive leads elsewhere, and comes to its place only when it is whole.
"""

from __future__ import annotations

import os
import shutil
import stat
import tarfile
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, Protocol, Self

from backends.abilities.files import Copied
from backends.base import ActionError
from backends.text import clean

_CHUNK = 1 << 18
_BUFFER = 1 << 18
_MOST_LINKS = 200_000
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_KEPT_MODE = 0o755

_OUTSIDE = "links that lead outside of it"
_DEVICES = "devices, sockets and pipes"
_STRAY = "hard links to what was not copied"


class StrictInfo(tarfile.TarInfo):
    """A header that must be there: tarfile takes a broken one after the first for the archive's end."""

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> Self:
        try:
            return super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]
            raise  # the block of zeros at its end
        except tarfile.HeaderError as error:
            raise ActionError("the engine's archive breaks off") from error


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


def unpack(source: Readable, target: str, *, replace: bool, told: Callable[[int, str], None]) -> Copied:
    """Unpack the one file or folder in a tar stream as `target`. Blocks. Raises ActionError, or what `source` raises.

    `told` is called with the bytes written so far and the name at hand, and may raise to end it.
    """
    parent, name = os.path.split(target)
    _refuse_taken(target, replace=replace)
    try:
        staging = tempfile.mkdtemp(prefix=f".{name[:40]}.partial-", dir=parent)
    except OSError as error:
        raise ActionError(f"cannot write to {clean(parent)}: {error.strerror}") from error
    try:
        work = _Unpacking(staging, told)
        work.take(source)
        _settle(os.path.join(staging, _TOP), target, replace=replace)  # noqa: PTH118
        return Copied(target, work.files, work.bytes, work.left_out())
    except OSError as error:
        raise ActionError(f"{clean(error.filename or target)}: {error.strerror or error}") from error
    except tarfile.TarError as error:
        raise ActionError(f"the engine's archive cannot be read: {clean(str(error), 200)}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


_TOP = "copied"
"""What is copied is called so within the staging folder."""


def _refuse_taken(target: str, *, replace: bool) -> None:
    try:
        found = os.lstat(target)
    except OSError:
        return
    if stat.S_ISDIR(found.st_mode):
        raise ActionError(f"{clean(target)} is a folder that is there already: choose another name")
    if not replace:
        raise ActionError(f"{clean(target)} is there already")


def _settle(made: str, target: str, *, replace: bool) -> None:
    """Move what is whole to its place, over nothing but a file the user gave up."""
    if not os.path.lexists(made):
        raise ActionError("the engine's archive was empty")
    _refuse_taken(target, replace=replace)
    os.rename(made, target)  # noqa: PTH104


class _Unpacking:
    """One archive below one folder of our own."""

    def __init__(self, staging: str, told: Callable[[int, str], None]) -> None:
        self._staging = staging
        self._told = told
        self._root = ""
        self._links: list[tuple[tuple[str, ...], str]] = []
        self._modes: list[tuple[tuple[str, ...], int, float]] = []
        self._left: Counter[str] = Counter()
        self.files = 0
        self.bytes = 0

    def left_out(self) -> tuple[str, ...]:
        return tuple(f"{count:,} {what}" for what, count in self._left.items())

    def take(self, source: Readable) -> None:
        first = True
        with tarfile.open(
            fileobj=_as_file(source),
            mode="r|",
            bufsize=_BUFFER,
            tarinfo=StrictInfo,
            encoding="utf-8",
            errors="surrogateescape",
        ) as archive:
            while (member := archive.next()) is not None:
                if first:
                    self._root, first = member.name.strip("/"), False
                self._one(archive, member)
                # The archive would remember every member of a tree of any size
                archive.members.clear()  # type: ignore[attr-defined]
        self._make_links()
        for parts, mode, when in reversed(self._modes):
            with self._folder(parts) as folder:
                os.fchmod(folder, mode)
                os.utime(folder, (when, when))

    def _one(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        parts = self._parts(member.name)
        self._told(self.bytes, parts[-1] if len(parts) > 1 else "")
        if member.isdir():
            with self._folder(parts[:-1]) as above, suppress(FileExistsError):
                os.mkdir(parts[-1], 0o700, dir_fd=above)
            self._modes.append((parts, member.mode & _KEPT_MODE | 0o700, _moment(member)))
        elif member.isreg():
            self._file(archive, member, parts)
        elif member.issym():
            if len(self._links) >= _MOST_LINKS:
                raise ActionError(f"it holds more than {_MOST_LINKS:,} links")
            self._links.append((parts, member.linkname))
        elif member.islnk():
            self._hard_link(parts, member.linkname)
        else:
            self._left[_DEVICES] += 1

    def _file(self, archive: tarfile.TarFile, member: tarfile.TarInfo, parts: tuple[str, ...]) -> None:
        content = archive.extractfile(member)
        assert content is not None  # noqa: S101
        with self._folder(parts[:-1]) as above:
            descriptor = os.open(parts[-1], _NEW_FILE, 0o600, dir_fd=above)
        with os.fdopen(descriptor, "wb", buffering=0) as made:
            left = member.size
            while left:
                piece = content.read(min(_CHUNK, left))
                if not piece:
                    raise ActionError("the engine's archive breaks off")
                _write(made, piece)
                left -= len(piece)
                self.bytes += len(piece)
                self._told(self.bytes, parts[-1] if len(parts) > 1 else "")
            os.fchmod(made.fileno(), member.mode & _KEPT_MODE | 0o600)
            os.utime(made.fileno(), (_moment(member), _moment(member)))
        self.files += 1

    def _hard_link(self, parts: tuple[str, ...], target: str) -> None:
        try:
            there = self._parts(target)
            with self._folder(there[:-1]) as source, self._folder(parts[:-1]) as above:
                if not stat.S_ISREG(os.stat(there[-1], dir_fd=source, follow_symlinks=False).st_mode):
                    raise FileNotFoundError
                os.link(there[-1], parts[-1], src_dir_fd=source, dst_dir_fd=above, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError, ActionError):
            self._left[_STRAY] += 1
            return
        self.files += 1

    def _make_links(self) -> None:
        """Make the links last, when nothing is written any more, and take back those that lead out of the tree."""
        made: list[tuple[str, ...]] = []
        for parts, target in self._links:
            if target.startswith("/") or "\0" in target or not target:
                self._left[_OUTSIDE] += 1
                continue
            with self._folder(parts[:-1]) as above:
                try:
                    os.symlink(target, parts[-1], dir_fd=above)
                except FileExistsError:
                    raise ActionError("the engine's archive holds one name twice") from None
            made.append(parts)
        inside = os.path.realpath(os.path.join(self._staging, _TOP))  # noqa: PTH118
        while True:
            # A link may lead out by way of another: until all that are left stay inside
            out = [parts for parts in made if not _within(self._path(parts), inside)]
            if not out:
                return
            for parts in out:
                os.unlink(self._path(parts))  # noqa: PTH108
                self._left[_OUTSIDE] += 1
            made = [parts for parts in made if parts not in set(out)]

    def _path(self, parts: tuple[str, ...]) -> str:
        return os.path.join(self._staging, *parts)  # noqa: PTH118

    def _parts(self, name: str) -> tuple[str, ...]:
        """A member's place below the staging folder. Raises ActionError for one that would not be below."""
        inner = name.strip("/")
        if inner == self._root:
            inner = ""
        elif not self._root:
            pass
        elif inner.startswith(f"{self._root}/"):
            inner = inner[len(self._root) + 1 :]
        else:
            raise ActionError(f"the engine's archive holds what was not asked for: {clean(name, 200)}")
        parts = tuple(part for part in inner.split("/") if part not in {"", "."})
        if ".." in parts or "\0" in inner:
            raise ActionError(f"the engine's archive holds an unsafe name: {clean(name, 200)}")
        return (_TOP, *parts)

    @contextmanager
    def _folder(self, parts: tuple[str, ...]) -> Iterator[int]:
        """A descriptor of a folder below the staging folder, reached through no link, made where the archive left it
        out."""
        descriptor = os.open(self._staging, _FOLDER)
        try:
            for part in parts:
                try:
                    inner = os.open(part, _FOLDER, dir_fd=descriptor)
                except FileNotFoundError:
                    os.mkdir(part, 0o700, dir_fd=descriptor)
                    inner = os.open(part, _FOLDER, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)


def _within(path: str, folder: str) -> bool:
    real = os.path.realpath(path)
    return real == folder or real.startswith(f"{folder}/")


def _moment(member: tarfile.TarInfo) -> float:
    """A time every file system takes."""
    return min(max(float(member.mtime), 0.0), 4e9)


def _write(made: IO[bytes], piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[made.write(view) :]


def _as_file(source: Readable) -> IO[bytes]:
    return source  # type: ignore[return-value]
