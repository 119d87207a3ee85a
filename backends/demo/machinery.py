"""What the simulated VMs are made of: settings, images, what their host has. One for each simulated engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.abilities.creating import GB, MB, Limits, OSType
from backends.demo import catalog
from backends.demo.catalog import Disk
from backends.model import VM, Kind, Ref

if TYPE_CHECKING:
    from backends.abilities.editing import Settings
    from backends.demo.backend import DemoBackend

FOLDER = "/srv/vms"
ISOS = {
    "/srv/iso/debian-12.9.0-amd64-netinst.iso": 632 * MB,
    "/srv/iso/ubuntu-24.04.2-live-server-amd64.iso": 2982 * MB,
    "/srv/iso/Win11_24H2_EnglishInternational_x64.iso": 5549 * MB,
}
BASES = {"/srv/vms/base/debian-12.vdi": (20 * GB, 2 * GB), "/srv/vms/base/windows-11.vdi": (64 * GB, 17 * GB)}
"""Path -> (virtual size, size on disk)."""
SPACE = 812 * GB
OS_TYPES = (
    OSType("Debian12_64", "Debian 12 Bookworm (64-bit)", 2, 2 * GB, 20 * GB),
    OSType("Ubuntu24_LTS_64", "Ubuntu 24.04 LTS (64-bit)", 2, 4 * GB, 25 * GB),
    OSType("Fedora_64", "Fedora (64-bit)", 2, 4 * GB, 25 * GB),
    OSType("ArchLinux_64", "Arch Linux (64-bit)", 2, 2 * GB, 20 * GB),
    OSType("FreeBSD_64", "FreeBSD (64-bit)", 2, 2 * GB, 20 * GB),
    OSType("Windows11_64", "Windows 11 (64-bit)", 2, 4 * GB, 80 * GB, uefi=True),
    OSType("Windows10_64", "Windows 10 (64-bit)", 2, 4 * GB, 50 * GB),
    OSType("WindowsXP", "Windows XP (32-bit)", 1, 512 * MB, 10 * GB),
    OSType("Other_64", "Other/Unknown (64-bit)", 1, 64 * MB, 2 * GB),
)
NETWORKS = (
    ("nat", "NAT: out through the host"),
    ("none", "not connected"),
    ("bridge:eno1", "bridged to eno1"),
    ("hostonly:vboxnet0", "host-only vboxnet0"),
)
FORMATS = (("VDI", "VDI, VirtualBox's own"), ("VMDK", "VMDK, VMware's"), ("VHD", "VHD, Virtual PC's"))
CPUS = 16


class Machinery:
    """Kept by the engine's abilities together."""

    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend
        self.bases: set[str] = set(BASES)
        self.isos: dict[str, int] = dict(ISOS)
        self.images: dict[str, tuple[int, int]] = dict(BASES)
        """Images of no VM: virtual size and size on disk by path."""
        self.settings: dict[Ref, Settings] = {}
        """What was changed of VMs beyond what their listing tells."""
        self.sizes: dict[str, int] = {}
        """Virtual sizes of images that were made or grown, by path."""

    def machines(self) -> list[VM]:
        return [item for item in self._backend.world.items.values() if isinstance(item, VM)]

    def disks(self) -> dict[str, tuple[Disk, list[str]]]:
        """The images of the VMs by path, each with the names of its users."""
        found: dict[str, tuple[Disk, list[str]]] = {}
        for machine in self.machines():
            for disk in self._backend.world.disks(machine.ref):
                found.setdefault(disk.path, (disk, []))[1].append(machine.name)
        return found

    def limits(self) -> Limits:
        memory = sum(machine.memory for machine in self.machines() if machine.started is not None)
        return Limits(
            cpus=CPUS,
            memory=catalog.HOST_MEMORY,
            memory_free=max(2 * GB, catalog.HOST_MEMORY - memory),
            folder=FOLDER,
            space=SPACE,
            formats=FORMATS,
            networks=NETWORKS,
            names=frozenset(machine.name for machine in self.machines()),
            bases=tuple((path, self.images[path][0]) for path in sorted(self.bases) if path in self.images),
            disks=(*sorted(self.disks()), *sorted(self.images)),
            isos=tuple(sorted(self.isos)),
        )

    def identity(self, name: str) -> str:
        """An id for something new of this name."""
        return catalog.identity(len(self._backend.world.items), Kind.VM, name)


def machinery(backend: DemoBackend) -> Machinery:
    """The one of this engine."""
    found: Machinery | None = getattr(backend.world, "machinery", None)
    if found is None:
        found = backend.world.machinery = Machinery(backend)
    return found
