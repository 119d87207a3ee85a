"""Compose projects: what containers tell of theirs, and what is done to a project as a whole.

The work is Compose's own (`docker compose` or docker-compose), as only it knows what a project's files mean.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from backends.progress import Report
from backends.projects import Project


class Verb(StrEnum):
    UP = "up"
    DOWN = "down"
    START = "start"
    STOP = "stop"
    RESTART = "restart"
    PULL = "pull"
    BUILD = "build"


@dataclass(frozen=True, slots=True)
class Tool:
    """The Compose that was found."""

    command: tuple[str, ...]
    version: str

    @property
    def text(self) -> str:
        return f"{' '.join(self.command)} {self.version}"

    @property
    def major(self) -> int:
        head = self.version.partition(".")[0]
        return int(head) if head.isdigit() else 2


@dataclass(frozen=True, slots=True)
class Belongings:
    """What a project has beside its containers, by name, sorted."""

    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    anonymous: tuple[str, ...] = ()
    """Its containers' volumes without a name, as `container: /path`; they go when the others go."""


@dataclass(frozen=True, slots=True)
class ComposeOptions:
    """Choices made explicitly; the defaults change and destroy least."""

    build: bool = False
    """`up` builds images first."""
    recreate: bool = False
    """`up` makes all containers anew, also unchanged ones."""
    orphans: bool = False
    """Remove also containers of services that the files do not have any more."""
    volumes: bool = False
    """`down` removes the project's volumes, with their data."""


class Compose(ABC):
    """Every method raises ActionError when it cannot be done here, in one line with what to do about it."""

    @abstractmethod
    async def tool(self) -> Tool:
        """The Compose of this machine. Looked for once; where none was found, again after half a minute."""

    @abstractmethod
    async def check(self, project: Project) -> None:
        """Raises ActionError unless the project's files are known and can be read on this machine."""

    @abstractmethod
    async def belongings(self, project: Project) -> Belongings:
        """The project's networks and volumes on the engine. Raises EngineError, too."""

    @abstractmethod
    async def run(
        self, verb: Verb, project: Project, services: Sequence[str], options: ComposeOptions, report: Report
    ) -> str:
        """Do it to the services, or to all when none is named; `down` is always for the whole project.

        Its output goes to `report` line by line. Cancelled, Compose is told to end, and is ended.
        """
