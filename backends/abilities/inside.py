"""What goes on inside a container: its processes, and what it changed in its image's files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum

from backends.model import Ref

MOST_CHANGES = 100_000
"""So many changed paths are kept; more are counted."""


@dataclass(frozen=True, slots=True)
class ProcessTable:
    """Columns as the engine gives them; every row has one text for each title. Secrets in the texts are masked."""

    titles: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Processes(ABC):
    @abstractmethod
    async def processes(self, container: Ref) -> ProcessTable:
        """The processes of a running container. Raises ActionError when it does not run."""


class How(StrEnum):
    CHANGED = "changed"
    ADDED = "added"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class FileChanges:
    entries: tuple[tuple[How, str], ...]
    """(how, absolute path), ordered by path; at most MOST_CHANGES."""
    total: int


class Changes(ABC):
    @abstractmethod
    async def changes(self, container: Ref) -> FileChanges:
        """The paths a container added, changed or deleted, compared with its image; volumes and mounts not counted."""
