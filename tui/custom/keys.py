"""Keys that have a meaning already where a command of the user's would apply."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from backends.model import Kind

Taken = Mapping[str, tuple[Collection[str], Collection[str]]]


def taken_keys(overrides: Mapping[str, Sequence[str]]) -> Taken:
    """Keys and places by the id of what has them: boxtop's commands, and the moving in lists."""
    from tui.commands import COMMANDS
    from tui.keymap import Keymap
    from tui.widget_keys import widget_bindings

    keymap = Keymap(overrides)
    found: dict[str, tuple[Collection[str], Collection[str]]] = {
        command.id: (keymap.keys(command), command.places) for command in COMMANDS
    }
    for name, (keys, _) in widget_bindings().items():
        if name.startswith("table."):
            found[name] = (overrides.get(name, keys), tuple(Kind))
    return found
