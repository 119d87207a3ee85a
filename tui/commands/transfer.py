"""Commands that carry VMs to files of this machine and back."""

from __future__ import annotations

from backends.model import VM, Item, Kind, State
from tui.commands.declare import Command, Scope

_AT_REST = (State.OFF, State.CRASHED)


def _not_off(item: Item) -> str | None:
    if not isinstance(item, VM) or item.state in _AT_REST:
        return None
    if item.state is State.SAVED:
        return "its saved memory would be left out: start it and shut it down first"
    return f"it is {item.state}: shut it down first"


COMMANDS: tuple[Command, ...] = (
    Command(
        "transfer.export",
        ("E",),
        "export",
        "Copy a VM that is off to a file or folder of this machine (OVA; XML and disks)",
        Scope.ITEM,
        kinds=frozenset({Kind.VM}),
        ability="transfer.Transfer",
        refuse=_not_off,
        changes=True,
        many=False,
    ),
    Command(
        "transfer.import_vm",
        (),
        "import VM",
        "Make a VM of an export (an OVA file; a folder with XML and disks)",
        Scope.ITEM,
        kinds=frozenset({Kind.VM}),
        ability="transfer.Transfer",
        changes=True,
        many=False,
        alone=True,
    ),
)
