"""VMs as files of this machine, to be carried elsewhere and brought back.

Everything raises ActionError when it is refused, with a reason in words, and EngineError.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from backends.model import Ref
from backends.progress import Report


@dataclass(frozen=True, slots=True)
class Room:
    """Room a copy takes. Bytes; None: not known."""

    needs: int | None = None
    free: int | None = None
    exact: bool = True
    """Whether it needs that much, rather than that much at most."""
    notes: tuple[str, ...] = ()
    """What to know before, one clean line each."""


@dataclass(frozen=True, slots=True)
class Package:
    """What was found in an export. All texts are clean."""

    name: str
    """The VM's name there."""
    room: Room
    folder: str = ""
    """Where its disks would go; empty: the engine chooses."""


class Transfer(ABC):
    suffix: str
    """What the path of an export ends in; empty: it is a folder."""
    what: str
    """What an export is, in a few words."""

    @abstractmethod
    async def room(self, vm: Ref, path: str) -> Room:
        """What exporting a VM to this path takes. Refused where the VM or the path will not do."""

    @abstractmethod
    async def export(self, vm: Ref, path: str, report: Report) -> str:
        """Do it; the result in one line. What is there already is never overwritten.

        Cancelled or failed, what was written is removed. The VM is only read.
        """

    @abstractmethod
    async def look(self, path: str) -> Package:
        """What an export holds."""

    @abstractmethod
    async def name_taken(self, name: str) -> str:
        """Why no VM can be given this name, in words; empty when one can."""

    @abstractmethod
    async def bring(self, path: str, name: str, report: Report) -> str:
        """Make a VM of an export, with a name, an identity and network addresses of its own; the result in one line.

        Cancelled or failed, what was made is removed.
        """
