"""Guest systems: libosinfo's database where it is installed, else a few of our own. Blocking."""

from __future__ import annotations

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


def os_types(folders: tuple[Path, ...] = FOLDERS) -> tuple[OSType, ...]:
    """By name, newest of a kind first as far as names tell; Linux and Other at the ends for what is not listed."""
    found: dict[str, OSType] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*.xml"))[:_MOST]:
            try:
                if path.stat().st_size > _LARGEST:
                    continue
                tree = ElementTree.parse(path)  # noqa: S314 - the distribution's own files
            except (OSError, ElementTree.ParseError):
                continue
            for entry in tree.getroot().iterfind("os"):
                if (kind := _of(entry)) is not None:
                    found[kind.id] = kind
    if not found:
        return GENERIC
    known = sorted(found.values(), key=lambda kind: kind.name.lower())
    return (GENERIC[0], *(kind for kind in known if kind.id != GENERIC[0].id), GENERIC[-1])


def is_windows(identity: str) -> bool:
    return "microsoft.com" in identity


def knows_virtio(identity: str) -> bool:
    """Whether the guest has drivers for virtio devices out of the box."""
    return bool(identity) and not is_windows(identity)


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
