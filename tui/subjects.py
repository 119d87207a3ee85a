"""What is selected in a VM's views, as their commands are declared for: plain data."""

from __future__ import annotations

from dataclasses import dataclass

from backends.abilities.editing import Adapter, Drive, Forward, Settings
from backends.abilities.snapshots import SnapshotTree, VmSnapshot

Subject = str | Drive | Adapter | Forward
"""What a row of the settings is about: a field of Settings, or one of its parts."""


@dataclass(frozen=True, slots=True)
class SettingsRow:
    settings: Settings
    about: Subject | None

    @property
    def part(self) -> str:
        """disk, drive (for media), adapter, forward; empty for a plain value."""
        if isinstance(self.about, Drive):
            return "disk" if self.about.kind == "disk" else "drive"
        return "adapter" if isinstance(self.about, Adapter) else "forward" if isinstance(self.about, Forward) else ""

    @property
    def bound(self) -> str:
        """Why it is a forwarded port that cannot be changed; else empty."""
        return self.settings.unforwardable(self.about) if isinstance(self.about, Forward) else ""

    @property
    def empty(self) -> bool:
        """Whether it is a drive without a medium."""
        return isinstance(self.about, Drive) and not self.about.path


@dataclass(frozen=True, slots=True)
class SnapshotsRow:
    tree: SnapshotTree
    snapshot: VmSnapshot | None
    """None: the present state."""
    busy: str = ""
    """What is being done to the VM's snapshots now."""
