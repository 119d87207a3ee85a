"""What libvirt says of a domain, as boxtop's VM. Pure: XML and numbers in, a VM out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from backends.model import VM, Action, Kind, Ref, State
from backends.text import clean, clean_block

# virDomainState of libvirt 9.0
_STATES: Mapping[int, tuple[State, str]] = {
    0: (State.UNKNOWN, "no state"),
    1: (State.RUNNING, "running"),
    2: (State.RUNNING, "idle"),
    3: (State.PAUSED, "paused"),
    4: (State.STOPPING, "in shutdown"),
    5: (State.OFF, "shut off"),
    6: (State.CRASHED, "crashed"),
    7: (State.PAUSED, "suspended by its guest"),
}
_UNITS = {"b": 1, "bytes": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "kb": 1000, "mb": 1000**2}
_UNITS |= {"gb": 1000**3, "tb": 1000**4, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40}
_BOXTOP = "{https://libosinfo.org/xmlns/libvirt/domain/1.0}os"
_LONGEST_XML = 4 << 20


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk or medium of a domain."""

    target: str
    source: str
    """A path, a volume as pool/volume, or an address; empty for an empty drive."""
    device: str
    """disk, cdrom, floppy or lun."""
    format: str = ""
    readonly: bool = False
    shareable: bool = False
    file: bool = False
    """Whether `source` is a file of the machine libvirt runs on."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What stays the same until the domain is defined anew. Memory in bytes."""

    name: str
    title: str
    description: str
    os_type: str
    cpus: int
    memory: int
    disks: tuple[Disk, ...]
    nvram: str = ""
    """The file of its firmware's variables, where the definition tells it."""
    efi: bool = False
    """Whether its firmware keeps variables in a file."""
    tpm: bool = False
    """Whether libvirt keeps the secrets of an emulated TPM for it."""


def definition(xml: str) -> Definition:
    """What a domain's XML says. Raises ValueError for what is no domain."""
    if len(xml) > _LONGEST_XML:
        raise ValueError("the domain's XML is too long")
    try:
        root = ElementTree.fromstring(xml)  # noqa: S314 - libvirt wrote it; expat here expands no entities of others
    except ElementTree.ParseError as error:
        raise ValueError(f"the domain's XML cannot be read: {error}") from error
    vcpu = root.find("vcpu")
    cpus = int((vcpu.get("current") or vcpu.text or "1") if vcpu is not None else 1)
    return Definition(
        name=clean(root.findtext("name") or ""),
        title=clean(root.findtext("title") or ""),
        description=clean_block((root.findtext("description") or "").strip()),
        os_type=_os(root),
        cpus=cpus,
        memory=_bytes(root.find("currentMemory")) or _bytes(root.find("memory")),
        disks=tuple(_disk(disk) for disk in root.iterfind("devices/disk")),
        nvram=clean(root.findtext("os/nvram") or ""),
        efi=root.find("os[@firmware='efi']") is not None or root.find("os/loader[@type='pflash']") is not None,
        tpm=root.find("devices/tpm/backend[@type='emulator']") is not None,
    )


def vm(engine: str, identity: str, found: Definition, facts: Mapping[str, Any]) -> VM:
    """A VM from its definition and `facts`: state (virDomainState), saved, snapshots, started (Unix time or None)."""
    state, word = _STATES.get(int(facts["state"]), (State.UNKNOWN, f"state {facts['state']}"))
    if state is State.OFF and facts.get("saved"):
        state, word = State.SAVED, "saved"
    if facts.get("starting"):
        state, word = State.STARTING, "starting up"
    return VM(
        ref=Ref(engine, Kind.VM, identity),
        name=found.name,
        state=state,
        state_word=word,
        os_type=found.os_type,
        cpus=found.cpus,
        memory=found.memory,
        started=facts.get("started") if state in {State.RUNNING, State.PAUSED} else None,
        groups=(found.title,) if found.title else (),
        description=found.description,
        snapshots=int(facts.get("snapshots") or 0),
        autostart=bool(facts.get("autostart")),
        refusals=_refusals(facts),
        transient=not facts.get("persistent", True),
    )


def _refusals(facts: Mapping[str, Any]) -> tuple[tuple[Action, str], ...]:
    refused: list[tuple[Action, str]] = []
    if not facts.get("persistent", True):
        gone = "it is transient: it is gone once it is off"
        refused += [(Action.SAVE, gone), (Action.DELETE, gone)]
    if int(facts["state"]) == 7:
        # `resume` is refused for a guest that suspended itself; only a wake-up brings it back
        refused.append((Action.PAUSE, "its guest suspended itself"))
    return tuple(refused)


def _os(root: ElementTree.Element) -> str:
    """The guest's system where libosinfo's metadata tell it, else the machine: `Debian 12`, `x86_64 (q35)`."""
    for entry in root.iter(_BOXTOP):
        words = re.sub(r"^https?://[^/]*/", "", entry.get("id") or "").split("/")
        if words and words[0]:
            return clean(" ".join(word.capitalize() if word.islower() else word for word in words), 60)
    kind = root.find("os/type")
    if kind is None:
        return ""
    machine = re.sub(r"^pc-(q35|i440fx).*", r"\1", kind.get("machine") or "")
    return clean(f"{kind.get('arch') or kind.text or ''}{f' ({machine})' if machine else ''}", 60)


def _bytes(element: ElementTree.Element | None) -> int:
    if element is None or not (element.text or "").strip().isdigit():
        return 0
    return int((element.text or "0").strip()) * _UNITS.get((element.get("unit") or "KiB").lower(), 1 << 10)


def _disk(element: ElementTree.Element) -> Disk:
    source, target, driver = element.find("source"), element.find("target"), element.find("driver")
    place = ""
    if source is not None:
        pool = source.get("pool")
        place = source.get("file") or source.get("dev") or (f"{pool}/{source.get('volume')}" if pool else "")
        place = place or source.get("name") or source.get("dir") or ""
    return Disk(
        target=clean((target.get("dev") if target is not None else "") or ""),
        source=place,
        device=element.get("device") or "disk",
        format=clean((driver.get("type") if driver is not None else "") or ""),
        readonly=element.find("readonly") is not None,
        shareable=element.find("shareable") is not None,
        file=source is not None and source.get("file") is not None,
    )
