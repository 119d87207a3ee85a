"""Virtual machines made anew: what there is to choose from, what stands against a choice, and the making."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from backends.model import Ref
from backends.progress import Report

MB = 1 << 20
GB = 1 << 30


class DiskFrom(StrEnum):
    """Where a new VM's disk comes from."""

    NEW = "new"
    EXISTING = "existing"
    COPY = "copy"
    LINKED = "linked"
    """A thin image on top of a base image, which must then stay as it is."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class OSType:
    """A guest's system as the engine calls it, with what it recommends for it. Sizes in bytes."""

    id: str
    name: str
    cpus: int = 1
    memory: int = 2 * GB
    disk: int = 20 * GB
    uefi: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What the machine has that the VMs run on, and what is taken. Sizes in bytes; pairs are (id, label)."""

    cpus: int
    memory: int
    memory_free: int | None
    folder: str
    """Where new disks go: a folder, or a storage pool."""
    space: int | None
    """Bytes left there; None where it is not known."""
    formats: tuple[tuple[str, str], ...]
    """Of new disks, the usual one first."""
    networks: tuple[tuple[str, str], ...]
    """What an adapter can be attached to, the usual one first: `nat`, `none`, `bridge:br0`, `network:default`."""
    names: frozenset[str] = frozenset()
    bases: tuple[tuple[str, int | None], ...] = ()
    """(path, virtual size) of the base images that a linked copy can rest on."""
    disks: tuple[str, ...] = ()
    """Paths of disk images the engine knows."""
    isos: tuple[str, ...] = ()
    uefi: bool = True
    """Whether UEFI firmware is there."""
    accelerators: tuple[tuple[str, str], ...] = ()
    """What runs the guest's code, best first; empty where there is no choice."""


@dataclass(frozen=True, slots=True)
class NewVM:
    """What is to be made. Sizes in bytes; `os_type`, `format`, `network`, `accelerator` are ids of the above."""

    name: str
    os_type: str
    cpus: int
    memory: int
    uefi: bool = False
    disk: DiskFrom = DiskFrom.NEW
    size: int = 0
    """Of a new disk."""
    format: str = ""
    fixed: bool = False
    """Have a new disk take its whole space at once."""
    image: str = ""
    """Path of the existing image, or of the one that is copied or rested on."""
    iso: str = ""
    """Path of the ISO in the drive; empty: an empty drive."""
    network: str = "nat"
    accelerator: str = ""


class Creating(ABC):
    """All methods may raise ActionError and EngineError."""

    @abstractmethod
    async def os_types(self) -> tuple[OSType, ...]:
        """In the engine's order; never empty. May take a second the first time."""

    @abstractmethod
    async def limits(self) -> Limits:
        """As things are now."""

    @abstractmethod
    async def objections(self, spec: NewVM) -> Mapping[str, str]:
        """What the engine has against it, by the field's name in NewVM: a name taken, a path it cannot read."""

    @abstractmethod
    async def create(self, spec: NewVM, report: Report) -> Ref:
        """Make it; it is off then. When a step fails, or the caller is cancelled, what was made is undone and said."""
