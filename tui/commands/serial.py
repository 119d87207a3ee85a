"""Commands of a VM's serial port."""

from __future__ import annotations

from backends.model import VM, Item, Kind
from tui.commands.declare import Command, Scope


def _no_console(item: Item) -> str | None:
    return "it is inaccessible" if isinstance(item, VM) and item.error else None


COMMANDS: tuple[Command, ...] = (
    Command(
        "serial.open",
        ("e",),
        "serial console",
        "Join the VM's serial port; Ctrl-] returns. Offers to add one to a VM that has none",
        Scope.ITEM,
        kinds=frozenset({Kind.VM}),
        footer=16,
        ability="serial.Serial",
        refuse=_no_console,
        changes=True,
        many=False,
    ),
)
