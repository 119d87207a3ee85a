"""Disk images and ISOs an engine knows, used or not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from backends.progress import Report


@dataclass(frozen=True, slots=True)
class Medium:
    """`path` is as the engine has it: not clean. Sizes in bytes, None where they are not known."""

    id: str
    path: str
    kind: str
    """disk, iso or floppy."""
    format: str
    virtual: int | None
    """What a guest sees."""
    real: int | None
    """What it takes of the host's disk."""
    users: tuple[str, ...] = ()
    """Names of the VMs that have it, also in their snapshots; clean."""
    resting: int = 0
    """How many other images rest on it."""
    rests_on: str = ""
    """Path of the image it rests on itself."""
    base: bool = False
    """Marked as a base image for linked copies."""
    place: str = ""
    """The storage pool it is in; empty: it is in none."""
    missing: str = ""
    """Why it cannot be read, in words."""

    @property
    def keeps(self) -> str:
        """Why it may not be removed; empty when it may."""
        if self.users:
            return f"it is in use by {', '.join(self.users)}"
        if self.resting:
            return "another image rests on it" if self.resting == 1 else f"{self.resting} other images rest on it"
        if self.base:
            return "it is marked as a base image"
        return ""


@dataclass(frozen=True, slots=True)
class NewMedium:
    """A new, empty disk image. `name` without its suffix."""

    name: str
    size: int
    format: str
    fixed: bool = False


class Media(ABC):
    """All methods may raise ActionError and EngineError; what is cancelled or fails leaves no file behind."""

    @abstractmethod
    async def media(self) -> tuple[Medium, ...]:
        """All of them, as they are now."""

    @abstractmethod
    async def create(self, spec: NewMedium, report: Report) -> str:
        """Make an empty disk where new ones go: its path."""

    @abstractmethod
    async def grow(self, medium: Medium, size: int, report: Report) -> None:
        """Make it larger. Shrinking is refused."""

    @abstractmethod
    async def convert(self, medium: Medium, format: str, report: Report) -> str:  # noqa: A002
        """Make a copy in another format beside it: its path."""

    @abstractmethod
    async def bring(self, path: str, report: Report) -> str:
        """Copy a disk image or an ISO from a path of this machine to where the engine keeps such: its path there."""

    @abstractmethod
    async def remove(self, medium: Medium) -> None:
        """Delete it with its file; refused while anything uses it."""

    @abstractmethod
    async def mark(self, medium: Medium, *, base: bool) -> None:
        """Mark it as a base image, or take the mark away."""
