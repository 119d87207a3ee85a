"""What VBoxManage lists of media: `list hdds --long` and `list dvds --long` of VirtualBox 7.2. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_USER = re.compile(r"(?:^|, )(?P<name>.*?) \(UUID: (?P<id>[0-9a-f-]{36})\)")
_HOLDER = re.compile(r"\(UUID: ([0-9a-f-]{36})\)")
_SIZE = re.compile(r"(\d+) (Bytes|KBytes|MBytes|GBytes|TBytes)")
_UNITS = {"Bytes": 1, "KBytes": 1 << 10, "MBytes": 1 << 20, "GBytes": 1 << 30, "TBytes": 1 << 40}
_KEY = re.compile(r"([A-Z][A-Za-z ]*?): +(.*)|([A-Z][A-Za-z ]*?):$")


@dataclass(frozen=True, slots=True)
class Image:
    """A registered medium; texts as VirtualBox gave them."""

    id: str
    location: str
    format: str
    capacity: int | None
    size: int | None
    """Bytes it takes on disk."""
    parent: str
    """UUID of the image it rests on; empty for a base."""
    users: tuple[str, ...]
    """UUIDs of the machines that have it, now or in a snapshot."""
    state: str
    machines: tuple[tuple[str, str], ...] = ()
    """These once more as (UUID, name)."""
    holders: tuple[str, ...] = ()
    """UUIDs of all that have it, of snapshots too."""


def images(text: str) -> list[Image]:
    """The media of a listing, parents before children."""
    return [_image(fields) for fields in map(_fields, re.split(r"\n\n+(?=UUID:)", text.strip())) if "UUID" in fields]


def _image(fields: dict[str, str]) -> Image:
    parent = fields.get("Parent UUID", "")
    return Image(
        id=fields["UUID"],
        location=fields.get("Location", ""),
        format=fields.get("Storage format", ""),
        capacity=_bytes(fields.get("Capacity", "")),
        size=_bytes(fields.get("Size on disk", "")),
        parent="" if parent == "base" else parent,
        users=tuple(match["id"] for match in _USER.finditer(fields.get("In use by VMs", ""))),
        state=fields.get("State", ""),
        machines=tuple((match["id"], match["name"]) for match in _USER.finditer(fields.get("In use by VMs", ""))),
        holders=tuple(_HOLDER.findall(fields.get("In use by VMs", ""))),
    )


def _fields(block: str) -> dict[str, str]:
    found: dict[str, str] = {}
    last = ""
    for line in block.split("\n"):
        if match := _KEY.fullmatch(line):
            last = match[1] or match[3]
            found.setdefault(last, match[2] or "")
        elif last:
            found[last] += f"\n{line}"
    return found


def _bytes(text: str) -> int | None:
    match = _SIZE.match(text)
    return int(match[1]) * _UNITS[match[2]] if match else None
