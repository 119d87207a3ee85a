"""The commands of VMs beyond their lifecycle that make and change them."""

from __future__ import annotations

from backends.model import Kind
from tui.commands.declare import Command, Scope

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
)
