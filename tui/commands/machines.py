"""The commands of VMs beyond their lifecycle that make and change them."""

from __future__ import annotations

from backends.abilities.editing import Editing
from backends.model import Kind
from tui.commands.declare import Command, Scope

_PLACE = "settings"
_VMS = frozenset({Kind.VM})

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
        ability=Editing,
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
        ability=Editing,
        changes=True,
        many=False,
    ),
    Command(
        "settings.edit", ("e",), "change", "Change what the row tells (Enter too)", Scope.VIEW, where=_PLACE, footer=1
    ),
    Command("settings.add", ("+",), "add", "Add a disk or a forwarded port", Scope.VIEW, where=_PLACE, footer=2),
    Command(
        "settings.remove",
        ("d", "delete"),
        "remove",
        "Detach the disk, eject the medium, or forward the port no more",
        Scope.VIEW,
        where=_PLACE,
        footer=3,
    ),
    Command("settings.again", ("r",), "read again", "Read the settings anew", Scope.VIEW, where=_PLACE, footer=4),
)
