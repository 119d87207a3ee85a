"""Snapshots of VMs: states of their disks, and of their memory where they ran, to which they can be taken back.

Everything raises ActionError when it is refused and EngineError when the engine cannot be reached.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum

from backends.model import Ref
from backends.progress import Report


class Op(StrEnum):
    """What can be done with snapshots."""

    TAKE = "take"
    RESTORE = "restore"
    DELETE = "delete"
    RENAME = "rename"
    DESCRIBE = "describe"


Refusals = tuple[tuple[Op, str], ...]
"""What cannot be done, each with the reason in words."""


@dataclass(frozen=True, slots=True)
class VmSnapshot:
    """One snapshot. `time` is Unix time, `size` bytes of its own on disk; None where the engine does not tell."""

    id: str
    name: str
    parent: str = ""
    """The id of the one it was taken after; empty for a first one."""
    description: str = ""
    time: float | None = None
    memory: bool = False
    """With the memory of the running VM: restored, it goes on from there."""
    size: int | None = None
    refusals: Refusals = ()


@dataclass(frozen=True, slots=True)
class SnapshotTree:
    """All snapshots of a VM, parents before their children, and what can be done with the VM as it is now."""

    snapshots: tuple[VmSnapshot, ...]
    current: str = ""
    """The id of the one the present state goes on from; empty without any."""
    modified: bool | None = None
    """Whether the present state differs from the current snapshot; None: not known."""
    memory: tuple[bool, ...] = (False,)
    """With or without memory: what a snapshot taken now can be; the first is the usual one."""
    delete_note: str = ""
    """What deleting a snapshot means for those that go on from it, in words; empty: nothing to know."""
    restore_starts: bool = False
    """Whether a VM taken back to a snapshot with memory runs at once, rather than being saved until it is started."""
    refusals: Refusals = ()


def refusal(op: Op, tree: SnapshotTree, snapshot: VmSnapshot | None = None) -> str | None:
    """Why this cannot be done now, in words; None when it can."""
    for refused, reason in (*tree.refusals, *(snapshot.refusals if snapshot else ())):
        if refused is op:
            return reason
    return None


class Snapshots(ABC):
    @abstractmethod
    async def tree(self, vm: Ref) -> SnapshotTree: ...

    @abstractmethod
    async def objection(self, vm: Ref, name: str) -> str:
        """Why no snapshot of this VM can be called so, in words; empty when it can. Asks nothing of the engine."""

    @abstractmethod
    async def take(self, vm: Ref, name: str, description: str, report: Report, *, memory: bool) -> str:
        """Take one of the present state; the result in one line. Cancelled, none is left where the engine can stop."""

    @abstractmethod
    async def restore(self, vm: Ref, snapshot: str, report: Report) -> str:
        """Take the VM back to it: its present state is lost, saved or running. The result in one line.

        A running VM is powered off for it where the engine asks for that. Once begun it is finished.
        """

    @abstractmethod
    async def delete(self, vm: Ref, snapshot: str, report: Report) -> str:
        """Delete it: the present state and all other snapshots stay. Once begun it is finished."""

    @abstractmethod
    async def describe(self, vm: Ref, snapshot: str, name: str, description: str) -> None:
        """Give it this name and description."""
