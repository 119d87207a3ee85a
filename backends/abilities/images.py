"""What can be done with images, and with the registries they come from and go to.

References are as users type them (`nginx`, `host:5000/team/app:1.2`); `backends.references` tells good ones from bad.
Everything raises ActionError when it is refused and EngineError when the engine cannot be reached.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from backends.model import Image, Ref
from backends.progress import Report


class Pull(ABC):
    """From a registry to the engine."""

    @abstractmethod
    async def pull(self, reference: str, report: Report) -> str:
        """Fetch one image, `latest` where no tag is given; the engine's result in one line.

        Progress counts bytes, its parts are the layers. Cancelled, no image is left, and no tag is moved.
        """


class Push(ABC):
    """From the engine to a registry."""

    @abstractmethod
    async def push(self, reference: str, report: Report) -> str:
        """Send the image of this tag to the registry its name says; the result with the digest in one line."""


class Tags(ABC):
    """Names of images."""

    @abstractmethod
    async def tag(self, image: Ref, reference: str) -> None:
        """Give the image one more name; `latest` where no tag is given. One that has this name already loses it."""

    @abstractmethod
    async def untag(self, image: Ref, tag: str) -> None:
        """Take one of its names from the image; the last one takes the image along. A moved tag is left alone."""


class PruneImages(ABC):
    """Removal of what no container uses."""

    @abstractmethod
    async def unneeded(self) -> tuple[Image, ...]:
        """Images that no container uses and no other image is built on, dangling or not; largest first.

        A size counts all layers; those shared with an image that stays do not come free.
        """

    @abstractmethod
    async def remove(self, image: Image) -> None:
        """Remove it with its tags, if nobody uses it and it has the same tags still."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One step of an image's history, newest first in a history."""

    id: str
    """Empty where the engine does not have the step as an image of its own."""
    command: str
    """What made it; may hold secrets."""
    created: float
    size: int
    tags: tuple[str, ...] = ()
    comment: str = ""


class History(ABC):
    """How an image came about."""

    @abstractmethod
    async def history(self, image: Ref) -> tuple[Layer, ...]:
        """Its steps, newest first."""


class Archives(ABC):
    """Images in tar files on the machine boxtop runs on."""

    @abstractmethod
    async def save(self, names: Sequence[str], path: str, size: int, report: Report, *, overwrite: bool) -> str:
        """Write images (tags or ids) to a new file readable by its owner alone; the result in one line.

        `size`: about so many bytes are to be expected. A file that is there is replaced only with `overwrite`, and
        only when the new one is whole; a failure or being cancelled leaves nothing behind.
        """

    @abstractmethod
    async def load(self, path: str, report: Report) -> str:
        """Have the engine take in the images of a tar file; their names in one line."""


@dataclass(frozen=True, slots=True)
class Found:
    """An image that a search found."""

    name: str
    description: str
    stars: int
    official: bool


class Search(ABC):
    """Search in the registry the engine searches in: Docker Hub, or those Podman is configured for."""

    @abstractmethod
    async def search(self, term: str) -> tuple[Found, ...]:
        """In the registry's own order."""


@dataclass(frozen=True, slots=True)
class Names:
    """Repositories or tags of a registry. `cut`: there are more than boxtop asks for."""

    names: tuple[str, ...]
    cut: bool = False


class Registries(ABC):
    """Private registries, asked by boxtop itself with the docker CLI's logins."""

    @abstractmethod
    async def known(self) -> tuple[str, ...]:
        """Hosts worth offering: those of images' names, of the CLI's logins and of the engine's settings. Sorted."""

    @abstractmethod
    async def repositories(self, host: str) -> Names:
        """All repositories of a registry, `host` or `host:port`."""

    @abstractmethod
    async def tags(self, host: str, repository: str) -> Names:
        """All tags of a repository."""
