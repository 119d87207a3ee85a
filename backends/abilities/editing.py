"""A VM's settings, and their changes: what is done at once, what at the next start, what not at all."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

from backends.base import ActionError
from backends.model import Ref
from backends.progress import Report
from backends.text import clean


class When(StrEnum):
    NOW = "now"
    NEXT = "at the next start"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Drive:
    """A disk, or a drive for a medium. Texts clean, but `path`, which is as the engine has it."""

    id: str
    """What names its place to the engine."""
    place: str
    """For a person, such as `SATA 1`."""
    kind: str
    """disk, cdrom or floppy."""
    path: str
    """Empty for an empty drive."""
    format: str = ""
    size: int | None = None
    """Bytes the guest sees."""
    used: int | None = None
    """Bytes it takes where it lies, as far as told."""


@dataclass(frozen=True, slots=True)
class Adapter:
    id: str
    network: str
    """As in `Limits.networks`."""
    mac: str
    link: bool
    """Whether its cable is plugged in."""
    model: str = ""
    no_forwards: str = ""
    """Why no port can be forwarded through it, in words; empty when it can."""


@dataclass(frozen=True, slots=True)
class Forward:
    """A port of the host that leads to one of the guest. Empty addresses: any, and the guest's own."""

    name: str
    protocol: str
    host_ip: str
    host_port: int
    guest_ip: str
    guest_port: int
    adapter: str = ""


@dataclass(frozen=True, slots=True)
class Timing:
    """What a change would do now.

    `what` is a field of Settings, or attach, detach, grow, insert, plug, unplug, link, mac, forward.
    """

    what: str
    when: When
    reason: str = ""
    """Why it is refused; else what more is needed for it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """As configured: what holds at the next start. Sizes in bytes."""

    name: str
    description: str
    cpus: int
    memory: int
    uefi: bool
    boot: tuple[str, ...]
    """disk, cdrom, network, floppy; first to last."""
    autostart: bool
    """Whether it starts with its host."""
    drives: tuple[Drive, ...]
    adapters: tuple[Adapter, ...]
    forwards: tuple[Forward, ...] = ()
    live: bool = False
    """Whether it runs."""
    timing: tuple[Timing, ...] = ()

    @property
    def forwarding(self) -> tuple[Adapter, ...]:
        """The adapters ports can be forwarded through."""
        return tuple(one for one in self.adapters if not one.no_forwards)

    @property
    def no_forwards(self) -> str:
        """Why no port can be forwarded now, in words; empty when one can."""
        timing = self.timed("forward")
        if timing.when is When.REFUSED:
            return timing.reason
        if not self.adapters:
            return "it has no network adapter"
        return "" if self.forwarding else self.adapters[0].no_forwards

    def unforwardable(self, forward: Forward) -> str:
        """Why this forwarded port cannot be changed now, in words; empty when it can."""
        timing = self.timed("forward")
        if timing.when is When.REFUSED:
            return timing.reason
        return next((one.no_forwards for one in self.adapters if one.id == forward.adapter), "")

    def timed(self, what: str) -> Timing:
        return next((timing for timing in self.timing if timing.what == what), Timing(what, When.NOW))


@dataclass(frozen=True, slots=True)
class Set:
    """Another value for name, description, cpus, memory, uefi, boot or autostart."""

    field: str
    value: str | int | bool | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AttachDisk:
    """An existing image, or with a `size` a new one beside the VM's own."""

    path: str = ""
    size: int = 0
    format: str = ""


@dataclass(frozen=True, slots=True)
class DetachDisk:
    drive: Drive
    delete: bool = False
    """Delete its file, too. Only when the user chose that."""


@dataclass(frozen=True, slots=True)
class GrowDisk:
    drive: Drive
    size: int


@dataclass(frozen=True, slots=True)
class Insert:
    """A medium into a drive; an empty path takes out what is in it."""

    drive: Drive
    path: str = ""


@dataclass(frozen=True, slots=True)
class SetAdapter:
    """Another network, MAC or link for the adapter of this id."""

    adapter: Adapter


@dataclass(frozen=True, slots=True)
class AddAdapter:
    """A new adapter; without a MAC the engine makes one up. Its `id` means nothing."""

    adapter: Adapter


@dataclass(frozen=True, slots=True)
class RemoveAdapter:
    """Take this adapter away, with its MAC and the ports it forwards."""

    adapter: Adapter


@dataclass(frozen=True, slots=True)
class AddForward:
    forward: Forward


@dataclass(frozen=True, slots=True)
class RemoveForward:
    forward: Forward


SettingsChange = (
    Set
    | AttachDisk
    | DetachDisk
    | GrowDisk
    | Insert
    | SetAdapter
    | AddAdapter
    | RemoveAdapter
    | AddForward
    | RemoveForward
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a change."""

    what: str
    when: When
    reason: str = ""


class Editing(ABC):
    """All methods may raise ActionError and EngineError."""

    @abstractmethod
    async def settings(self, vm: Ref) -> Settings:
        """As they are now."""

    @abstractmethod
    async def networks(self) -> tuple[tuple[str, str], ...]:
        """(id, label) of what adapters can be attached to."""

    @abstractmethod
    async def change(self, vm: Ref, now: Settings, change: SettingsChange, report: Report) -> When:
        """Make one change: whether it holds now or from the next start. Raises ActionError where it is refused."""

    async def apply(
        self, vm: Ref, shown: Settings, changes: Sequence[SettingsChange], report: Report
    ) -> tuple[Outcome, ...]:
        """Make changes one by one. Nothing is done when the VM is not any more as it was `shown`."""
        now = await self.settings(vm)
        if others := differences(shown, now):
            raise ActionError(f"it was changed from elsewhere meanwhile ({'; '.join(others)}): nothing was done")
        outcomes: list[Outcome] = []
        for change in changes:
            try:
                if outcomes and isinstance(change, AttachDisk | SetAdapter | AddAdapter | RemoveAdapter):
                    now = await self.settings(vm)  # these look at what those before them have changed
                outcomes.append(Outcome(words_of(change), await self.change(vm, now, change, report)))
            except ActionError as error:
                outcomes.append(Outcome(words_of(change), When.REFUSED, str(error)))
        return tuple(outcomes)


def differences(before: Settings, now: Settings) -> list[str]:
    """What is not as it was, in words."""
    found = []
    for field in fields(Settings):
        old, new = getattr(before, field.name), getattr(now, field.name)
        if field.name in {"timing", "live"} or old == new:
            continue
        if isinstance(old, tuple):
            found.append(f"other {_PARTS.get(field.name, field.name)}")
        elif isinstance(old, bool):
            found.append(f"{_PARTS.get(field.name, field.name)} was {_switch(old)}, is {_switch(new)}")
        elif field.name == "description":
            found.append("another description")
        elif field.name == "memory":
            found.append(f"memory was {old >> 20} MiB, is {new >> 20} MiB")
        else:
            found.append(f"{_PARTS.get(field.name, field.name)} was {old}, is {new}")
    return found


_PARTS = {
    "adapters": "network adapters",
    "boot": "boot order",
    "cpus": "CPUs",
    "drives": "disks or media",
    "forwards": "forwarded ports",
    "uefi": "UEFI",
}


def _switch(value: bool) -> str:
    return "on" if value else "off"


def words_of(change: SettingsChange) -> str:
    """What a change does, in a few words."""
    match change:
        case Set():
            return {"cpus": "CPUs", "uefi": "firmware", "boot": "boot order"}.get(change.field, change.field)
        case AttachDisk():
            return f"disk {clean(change.path, 200)}" if change.path else "new disk"
        case DetachDisk():
            return f"disk in {change.drive.place} {'detached and deleted' if change.delete else 'detached'}"
        case GrowDisk():
            return f"disk in {change.drive.place} grown"
        case Insert():
            return f"{change.drive.place}: {clean(change.path, 200) or 'ejected'}"
        case SetAdapter():
            return f"adapter {change.adapter.id}"
        case AddAdapter():
            return "new adapter"
        case RemoveAdapter():
            return f"adapter {change.adapter.id} removed"
        case AddForward():
            return f"port {change.forward.host_port}"
        case RemoveForward():
            return f"port {change.forward.host_port} no more"
