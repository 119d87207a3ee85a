"""What can be done with containers beyond their lifecycle: run, rename, commit, limit, recreate.

Everything raises ActionError when it is refused and EngineError when the engine cannot be reached.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from backends.model import Ref
from backends.progress import Report
from backends.runs.spec import RunSpec

ASIDE = ".boxtop-old"
"""Behind the name of a container that made room for its successor."""


class Run(ABC):
    """Containers made from a RunSpec."""

    @abstractmethod
    async def objections(self, spec: RunSpec, beside: Ref | None = None) -> Mapping[str, str]:
        """What the engine or this machine has against it, in words by RunSpec's field: name, port, path, network.

        `beside`: a container whose name and ports count as free. Ports and paths of another machine are not known.
        """

    @abstractmethod
    async def has_image(self, reference: str) -> bool:
        """Whether the engine has this image already."""

    @abstractmethod
    async def run(self, spec: RunSpec) -> Ref:
        """Create the container, and start it when the spec says so. One that does not start is removed again, and so is
        one whose run is cancelled."""


class Rename(ABC):
    """Other names for containers."""

    @abstractmethod
    async def rename(self, container: Ref, name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class CommitOptions:
    """`pause`: the container stands still meanwhile, so that its files fit together."""

    repository: str = ""
    tag: str = ""
    message: str = ""
    author: str = ""
    pause: bool = True


class Commit(ABC):
    """Images made of containers."""

    @abstractmethod
    async def commit(self, container: Ref, options: CommitOptions) -> str:
        """Make an image of its files, less its volumes; the image's short id. May take long; can be cancelled."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a container may use. None: no limit. Memory in bytes, swap beside it; CPU in cores."""

    cpus: float | None = None
    memory: int | None = None
    swap: int | None = None
    """Memory and swap together, as `docker update --memory-swap`; -1: as much swap as there is."""
    pids: int | None = None
    restart: str = "no"
    """As RunSpec.restart."""


class Update(ABC):
    """Limits of existing containers, running ones too."""

    @abstractmethod
    async def limits(self, container: Ref) -> Limits:
        """Those it has now."""

    @abstractmethod
    async def update(self, container: Ref, before: Limits, after: Limits) -> tuple[str, ...]:
        """Set those that differ; the engine's warnings."""


@dataclass(frozen=True, slots=True)
class Existing:
    """A container's settings for a form. Secrets are masked; an entry left masked keeps its value."""

    spec: RunSpec
    """With `start` for whether it runs."""
    notes: tuple[str, ...] = ()
    """What to know before it is made anew, one line each."""
    refusal: str = ""
    """Why it cannot be made anew; empty when it can."""


@dataclass(frozen=True, slots=True)
class Recreation:
    """`spec`: what Existing.spec was edited to; None: as it is, from the image its tag means now."""

    spec: RunSpec | None = None
    keep: bool = False
    """Keep the old container, stopped, under its name with ASIDE behind."""
    always: bool = False
    """Also when neither image nor settings are other ones."""
    observe: float = 5.0
    """Seconds the new one must run; one with a health check must become healthy besides."""


class Recreate(ABC):
    """Containers made anew with the same name, settings, networks and volumes."""

    @abstractmethod
    async def existing(self, container: Ref) -> Existing: ...

    @abstractmethod
    async def recreate(self, container: Ref, how: Recreation, report: Report) -> str:
        """Put a new container in the old one's place; the result in one line.

        The old one is renamed aside (name and ASIDE), the new one made, the old one stopped, the new one started (when
        the old one ran) and observed. Whatever fails, or when cancelled: the new one is removed, the old one gets its
        name back and runs again if it ran. Only then ActionError is raised. When it has succeeded the old one is
        removed, its volumes are not. If the engine is lost meanwhile the old container stays under its aside name.
        """

    @abstractmethod
    async def put_back(self, container: Ref, successor: Ref | None, report: Report) -> str:
        """For a container under its aside name: remove its successor, give it its name back, and start it.

        `successor`: the container that has its name. Raises ActionError, and does nothing, where another one has it.
        """
