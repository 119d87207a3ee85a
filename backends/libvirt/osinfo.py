"""Guest systems: libosinfo's database where it is installed, else a few of our own. Blocking."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from backends.abilities.creating import GB, MB, OSType
from backends.text import clean

FOLDERS = (Path("/usr/share/osinfo/os"), Path("/usr/local/share/osinfo/os"))
GENERIC = (
    OSType("http://libosinfo.org/linux/2022", "Linux", 2, 2 * GB, 20 * GB),
    OSType("http://microsoft.com/win/11", "Windows 11", 2, 4 * GB, 64 * GB, uefi=True),
    OSType("http://microsoft.com/win/10", "Windows 10", 2, 4 * GB, 64 * GB),
    OSType("http://freebsd.org/freebsd/14.0", "FreeBSD or another BSD", 2, 2 * GB, 20 * GB),
    OSType("", "Other", 1, 1 * GB, 10 * GB),
)
_MOST = 2000
_LARGEST = 4 << 20
_TODAY = "2010"
"""Every Linux since has virtio, also where the database does not say so."""
_VIRTIO_DISKS = ("pci/1af4/1001", "pci/1af4/1042")
_Devices = tuple[bool, frozenset[str], tuple[str, ...]]
_virtio: dict[str, bool] = {}


def os_types(folders: tuple[Path, ...] = FOLDERS) -> tuple[OSType, ...]:
    """By name, newest of a kind first as far as names tell; Linux and Other at the ends for what is not listed."""
    found: dict[str, OSType] = {}
    devices: dict[str, _Devices] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*.xml"))[:_MOST]:
            try:
                if path.stat().st_size > _LARGEST:
                    continue
                tree = ElementTree.parse(path)  # noqa: S314 - the distribution's own files
            except (OSError, ElementTree.ParseError):
                continue
            for entry in tree.getroot().iterfind("os"):
                devices[entry.get("id") or ""] = _devices(entry)
                if (kind := _of(entry)) is not None:
                    found[kind.id] = kind
    if not found:
        return GENERIC
    _virtio.update({identity: _has_virtio(identity, devices) for identity in found})
    known = sorted(found.values(), key=_place)
    return (GENERIC[0], *(kind for kind in known if kind.id != GENERIC[0].id), GENERIC[-1])


def is_windows(identity: str) -> bool:
    return "microsoft.com" in identity


def knows_virtio(identity: str) -> bool:
    """Whether the guest has drivers for virtio disks out of the box, as far as the database was read."""
    return _virtio.get(identity, bool(identity) and not is_windows(identity))


def _place(kind: OSType) -> tuple[object, ...]:
    """Words rise, numbers fall: Debian 11, Debian 10, Debian 9, Fedora 37."""
    parts = re.split(r"(\d+)", kind.name.lower())
    return tuple((-int(part), "") if part.isdigit() else (0, part) for part in parts)


def _devices(entry: ElementTree.Element) -> _Devices:
    """Whether it is a Linux of today, the devices it lists, and what it descends from."""
    today = entry.findtext("family") == "linux" and (entry.findtext("release-date") or "") >= _TODAY
    listed = frozenset(device.get("id") or "" for device in entry.iterfind("devices/device"))
    return today, listed, tuple(up.get("id") or "" for tag in ("derives-from", "clones") for up in entry.iterfind(tag))


def _has_virtio(identity: str, devices: Mapping[str, _Devices], depth: int = 50) -> bool:
    if identity not in devices or not depth:
        return False
    today, listed, above = devices[identity]
    return (
        today
        or any(device.endswith(_VIRTIO_DISKS) for device in listed)
        or any(_has_virtio(up, devices, depth - 1) for up in above)
    )


def _of(entry: ElementTree.Element) -> OSType | None:
    identity, name = clean(entry.get("id") or "", 200), clean(entry.findtext("name") or "", 80)
    if not identity or not name or entry.findtext("release-status") == "prerelease":
        return None
    sizes = {"n-cpus": 0, "ram": 0, "storage": 0}
    for level in ("minimum", "recommended"):
        for resources in entry.iterfind("resources"):
            for key, known in sizes.items():
                text = (resources.findtext(f"{level}/{key}") or "").strip()
                if resources.get("arch") in {"all", "x86_64", None} and text.isdigit():
                    sizes[key] = max(int(text), known)
    return OSType(
        identity,
        name,
        max(1, sizes["n-cpus"]),
        max(64 * MB, sizes["ram"] or 1 * GB),
        sizes["storage"] or 20 * GB,
        uefi=identity.startswith("http://microsoft.com/win/11"),
    )
