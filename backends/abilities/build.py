"""Building an image from a folder of the machine boxtop runs on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from backends.progress import Report


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What to build, and how."""

    context: str
    """The folder, absolute."""
    dockerfile: str = ""
    """Its path, absolute or from the context; empty: `Dockerfile`, else `Containerfile`."""
    tags: tuple[str, ...] = ()
    arguments: tuple[tuple[str, str], ...] = ()
    """(name, value) of build arguments."""
    target: str = ""
    """The stage to build up to; empty: the last."""
    no_cache: bool = False
    pull: bool = False
    """Look for newer base images."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a Dockerfile says of itself, all clean."""

    path: str
    """Where it is, absolute and raw."""
    stages: tuple[str, ...]
    """The names of its stages."""
    arguments: tuple[tuple[str, str], ...]
    """(name, default) of the build arguments it takes."""
    builder: str
    """What would build it, in words."""


class Build(ABC):
    @abstractmethod
    async def examine(self, context: str, dockerfile: str) -> Recipe:
        """Look at the Dockerfile. Raises ActionError when there is none, or nothing here can build it."""

    @abstractmethod
    async def build(self, request: BuildRequest, report: Report) -> str:
        """Build it; the result in one line, the image's id and its tags in it.

        Progress counts steps once the context is sent. Raises ActionError naming the step that failed. When it is
        cancelled the engine stops too.
        """
