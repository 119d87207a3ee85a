"""The commands of VMs beyond their lifecycle that make and change them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.model import Kind
from tui.commands.declare import Command, Scope

if TYPE_CHECKING:
    from tui.subjects import SettingsRow

_PLACE = "settings"
_VMS = frozenset({Kind.VM})


def _fixed(row: SettingsRow) -> str | None:
    """Why what the row tells cannot be changed now."""
    if row.part == "disk":
        # growing is the other thing that can be done to it
        return _refused(row, "grow") and _refused(row, "detach")
    if row.part == "forward":
        return row.bound or None
    if row.part:
        return _refused(row, {"drive": "insert", "adapter": "link"}[row.part])
    return _refused(row, str(row.about))


def _full(row: SettingsRow) -> str | None:
    """Why nothing can be added now."""
    refused = [_refused(row, "attach"), _refused(row, "plug"), row.settings.no_forwards or None]
    return None if None in refused else refused[0]


def _stays(row: SettingsRow) -> str | None:
    """Why what the row tells of cannot be removed now."""
    if row.empty:
        return "it is empty"
    if row.part == "forward":
        return row.bound or None
    timings = {"disk": "detach", "drive": "insert", "adapter": "unplug"}
    if row.part in timings:
        return _refused(row, timings[row.part])
    return "only disks, media, adapters and forwarded ports can be removed here"


def _refused(row: SettingsRow, what: str) -> str | None:
    timing = row.settings.timed(what)
    return timing.reason if timing.when == "refused" else None


COMMANDS: tuple[Command, ...] = (
    Command(
        "machine.create",
        ("+",),
        "create",
        "Create a VM: a form, checked against the host as it is filled in",
        Scope.ITEM,
        kinds=_VMS,
        footer=29,
        changes=True,
        alone=True,
    ),
    Command(
        "settings.open",
        ("u",),
        "settings",
        "A VM's settings: CPUs, memory, disks, ISOs, network adapters, forwarded ports",
        Scope.ITEM,
        kinds=_VMS,
        ability="editing.Editing",
        many=False,
        footer=18,
    ),
    Command(
        "settings.rename",
        ("M",),
        "rename",
        "Give the VM another name",
        Scope.ITEM,
        kinds=_VMS,
        ability="editing.Editing",
        changes=True,
        many=False,
    ),
    Command(
        "settings.edit",
        ("e",),
        "change",
        "Change what the row tells (Enter too)",
        Scope.VIEW,
        changes=True,
        refuse=_fixed,
        where=_PLACE,
        footer=1,
    ),
    Command(
        "settings.add",
        ("+",),
        "add",
        "Add a disk, a network adapter or a forwarded port",
        Scope.VIEW,
        changes=True,
        refuse=_full,
        where=_PLACE,
        footer=2,
    ),
    Command(
        "settings.remove",
        ("d", "delete"),
        "remove",
        "Detach the disk, eject the medium, remove the adapter, or forward the port no more",
        Scope.VIEW,
        changes=True,
        refuse=_stays,
        where=_PLACE,
        footer=3,
    ),
    Command("settings.again", ("r",), "read again", "Read the settings anew", Scope.VIEW, where=_PLACE, footer=4),
)
