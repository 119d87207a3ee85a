"""Commands of VMs' windows on the desktop boxtop runs on."""

from __future__ import annotations

import os

from backends.model import VM, Item, Kind, State
from tui.commands.declare import Command, Scope

_STARTABLE = (State.OFF, State.SAVED, State.CRASHED)


def _no_window(item: Item) -> str | None:
    if isinstance(item, VM) and item.error:
        return "it is inaccessible"
    if isinstance(item, VM) and item.state not in _STARTABLE:
        return f"it is {item.state}"
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return "boxtop runs without a desktop: neither DISPLAY nor WAYLAND_DISPLAY is set"
    return None


COMMANDS: tuple[Command, ...] = (
    Command(
        "windows.start",
        (),
        "start in a window",
        "Start a VM with its screen in a window, where boxtop runs on a desktop",
        Scope.ITEM,
        kinds=frozenset({Kind.VM}),
        ability="windows.Windows",
        refuse=_no_window,
        changes=True,
    ),
)
