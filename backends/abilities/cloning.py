"""Copies of VMs.

Everything raises ActionError when it is refused and EngineError when the engine cannot be reached.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from backends.model import Ref
from backends.progress import Report


@dataclass(frozen=True, slots=True)
class CloneSpec:
    """A copy to be made."""

    name: str
    linked: bool = False
    """Its disks hold only what differs from the source's, which must stay as they are."""
    snapshot: str = ""
    """The id of the snapshot it is made from; empty: the present state."""
    keep_macs: bool = False
    """The network cards keep their addresses; else they get new ones."""


@dataclass(frozen=True, slots=True)
class CloneSource:
    """What a copy can be made from, as the VM is now. Each refusal is empty where it can."""

    id: str
    """A snapshot's, or empty for the present state."""
    label: str
    full: str = ""
    """Why no full copy can be made from it."""
    linked: str = ""
    """Why no linked one can."""


@dataclass(frozen=True, slots=True)
class CloneOffer:
    """What can be copied, and where to. Bytes; None: not known."""

    sources: tuple[CloneSource, ...]
    size: int | None = None
    """Room a full copy of the present state takes."""
    free: int | None = None
    """Room there is for it."""
    folder: str = ""
    notes: tuple[str, ...] = ()
    """What to know before, one line each."""
    linked_note: str = ""
    """What a linked copy means for its source here."""


class Cloning(ABC):
    @abstractmethod
    async def offer(self, vm: Ref) -> CloneOffer: ...

    @abstractmethod
    async def objections(self, vm: Ref, spec: CloneSpec) -> Mapping[str, str]:
        """What stands against it, in words by CloneSpec's field: a name that is taken, too little room."""

    @abstractmethod
    async def clone(self, vm: Ref, spec: CloneSpec, report: Report) -> Ref:
        """Make it; the new VM, which is off. Failed or cancelled, nothing of it is left and the source is as it was."""


def source_refusal(offer: CloneOffer, spec: CloneSpec) -> str:
    """Why a copy of this kind cannot be made from this source; empty when it can."""
    for source in offer.sources:
        if source.id == spec.snapshot:
            return source.linked if spec.linked else source.full
    return "the snapshot is gone"


def offer_objections(offer: CloneOffer, spec: CloneSpec) -> dict[str, str]:
    """What stands against it by what is offered, in words by CloneSpec's field."""
    found: dict[str, str] = {}
    if words := source_refusal(offer, spec):
        found["linked" if spec.linked and not spec.snapshot else "snapshot"] = words
    if not spec.linked and offer.size and offer.free is not None and offer.size > offer.free:
        found["linked"] = f"it needs up to {offer.size >> 20} MB, {offer.free >> 20} MB are left in {offer.folder}"
    return found
