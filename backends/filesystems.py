"""The file systems worth showing, and how full they are."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from backends.model import FileSystem
from backends.probe import Probe
from backends.text import clean

# images that are full by nature
_READ_ONLY = {"squashfs", "erofs", "iso9660", "udf", "cramfs"}
_WITHOUT_DEVICE = {
    "zfs", "btrfs", "bcachefs", "nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "fuse.ceph", "glusterfs",
    "fuse.glusterfs", "fuse.sshfs", "fuse.rclone", "fuse.mergerfs", "9p", "virtiofs", "vboxsf", "lustre", "gpfs",
    "ocfs2", "afs", "prl_fs", "fuse.vmhgfs-fuse", "drvfs",
}  # fmt: skip
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class MountPoint:
    path: str
    """As the kernel takes it; not cleaned for the screen."""
    device: str
    type: str


def parse_mounts(mountinfo: str) -> tuple[MountPoint, ...]:
    """The mounts of real storage in the text of /proc/PID/mountinfo (proc(5)), each file system once, by path.

    Of several mounts of one file system (bind mounts, subvolumes) the one of its root counts, then the shortest path.
    """
    visible: dict[str, tuple[tuple[bool, int, str], str, MountPoint]] = {}
    for line in mountinfo.splitlines():
        before, separator, after = line.partition(" - ")
        left, right = before.split(" "), after.split(" ")
        if not separator or len(left) < 6 or len(right) < 2:
            continue
        path, kind, device = _unescape(left[4]), right[0], _unescape(right[1])
        # the last mount on a path hides those before it
        visible.pop(path, None)
        if not _is_storage(path, kind, device):
            continue
        # one device under several numbers is one btrfs; what has no device node is told apart by its number
        identity = device if device.startswith("/dev/") and device != "/dev/root" else left[2]
        visible[path] = ((left[3] != "/", len(path), path), identity, MountPoint(path, device, kind))
    chosen: dict[str, tuple[tuple[bool, int, str], MountPoint]] = {}
    for rank, identity, mount in visible.values():
        if identity not in chosen or rank < chosen[identity][0]:
            chosen[identity] = (rank, mount)
    return tuple(sorted((mount for _, mount in chosen.values()), key=lambda mount: mount.path))


def _is_storage(path: str, kind: str, device: str) -> bool:
    if path == "/":
        return True
    return kind not in _READ_ONLY and (device.startswith("/dev/") or kind in _WITHOUT_DEVICE)


def _unescape(text: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match.group(1), 8)), text)


def measure(path: str) -> tuple[int, int] | None:
    """(used, total) in bytes as `df` counts them; None where there is nothing to fill. May block for ever."""
    if not stat.S_ISDIR(os.stat(path).st_mode):  # noqa: PTH116 (a container's /etc/hosts is a mount, too)
        return None
    found = os.statvfs(path)
    total = found.f_blocks * found.f_frsize
    return (total - found.f_bfree * found.f_frsize, total) if total else None


class FileSystems:
    """Measured every `period` seconds, each mount on its own: one that hangs is left out and disturbs no other."""

    def __init__(
        self,
        period: float = 30.0,
        patience: float = 5.0,
        *,
        mountinfo: Path = Path("/proc/self/mountinfo"),
        measure: Callable[[str], tuple[int, int] | None] = measure,
    ) -> None:
        self._period = period
        self._patience = patience
        self._mountinfo = mountinfo
        self._measure = measure
        self._due = 0.0
        self._mounts: tuple[MountPoint, ...] = ()
        self._probes: dict[str, Probe[tuple[int, int] | None]] = {}

    def current(self) -> tuple[FileSystem, ...]:
        """What is known now. Never blocks: figures come with a later call."""
        now = time.monotonic()
        if now >= self._due:
            self._due = now + self._period
            self._start()
        found = []
        for mount in self._mounts:
            figures = self._probes[mount.path].value(self._patience)
            if figures is not None:
                found.append(
                    FileSystem(clean(mount.path), clean(mount.device), clean(mount.type), figures[0], figures[1])
                )
        return tuple(found)

    def _start(self) -> None:
        try:
            text = self._mountinfo.read_bytes().decode("utf-8", "surrogateescape")
        except OSError:
            text = ""
        self._mounts = parse_mounts(text)
        self._probes = {mount.path: self._probes.get(mount.path) or self._probe(mount.path) for mount in self._mounts}
        for probe in self._probes.values():
            probe.start()

    def _probe(self, path: str) -> Probe[tuple[int, int] | None]:
        return Probe(lambda: self._measure(path), "file system")
