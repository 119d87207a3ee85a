"""Looking at a container's files, and copying them from and to the machine boxtop runs on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum

from backends.model import Ref
from backends.progress import Report


class FileKind(StrEnum):
    FOLDER = "folder"
    FILE = "file"
    LINK = "link"
    OTHER = "other"
    """A device, a socket, a pipe."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One name in a folder of a container."""

    name: str
    """As it is, undecodable bytes as lone surrogates: for paths handed back, never to be drawn; draw `label`."""
    kind: FileKind
    label: str
    size: int | None = None
    """Bytes."""
    modified: float | None = None
    """Unix time."""
    target: str = ""
    """Where a link leads, as far as the engine tells; as raw as `name`."""


@dataclass(frozen=True, slots=True)
class Folder:
    """What a folder holds, in no order."""

    path: str
    entries: tuple[FileEntry, ...]
    note: str = ""
    """In what this is not the whole truth, one line."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy did."""

    path: str
    """Where it is now, raw."""
    files: int
    bytes: int
    left_out: tuple[str, ...] = ()
    """What was not copied and why, one clean line for each reason."""


class Files(ABC):
    """Paths are absolute POSIX paths. All methods raise ActionError with a reason in words, or EngineError."""

    @abstractmethod
    async def list(self, ref: Ref, path: str, *, run: bool) -> Folder:
        """What a folder of a container holds, whatever its state and its image.

        `run`: a program of the container may be run to find out, where it has one; else only the engine is asked,
        which reads the folder with all below it and gives up after a while: then `note` says so.
        """

    @abstractmethod
    async def find(self, ref: Ref, path: str) -> FileEntry | None:
        """What is at this path; None when nothing is. Its `name` is the path's last part."""

    @abstractmethod
    async def copy_out(self, ref: Ref, path: str, target: str, report: Report, *, replace: bool) -> Copied:
        """Copy a file or a folder with all below it to the path `target` of this machine.

        Links below it that would lead out of `target`, devices, sockets and pipes are left out; owners and the bits for
        setuid, setgid, sticky and others' writing are not kept. A file already at `target` is replaced only with
        `replace`, a folder never. Nothing is left at `target` when it fails or is cancelled.
        """

    @abstractmethod
    async def copy_in(self, ref: Ref, source: str, folder: str, report: Report) -> Copied:
        """Copy a file or a folder with all below it from this machine into a folder of the container.

        What is there under the same names is replaced. All is the container's root's; setuid and setgid are not kept.
        When it fails or is cancelled, what was copied by then stays there.
        """
