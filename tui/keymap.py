"""Keys by command: the declared ones, replaced by the user's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from backends.model import Item
from tui.commands import BY_ID, COMMANDS, Command, Scope, label_for, unavailable
from widgets.keybar import Hint

_NAMES = {
    "space": "Space",
    "enter": "Enter",
    "escape": "Esc",
    "tab": "Tab",
    "shift+tab": "Shift-Tab",
    "delete": "Del",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "home": "Home",
    "end": "End",
    "pageup": "PgUp",
    "pagedown": "PgDn",
}


class Keymap:
    """Which keys run which command. `overrides`: keys by command id; an empty tuple unbinds."""

    def __init__(self, overrides: Mapping[str, Sequence[str]]) -> None:
        self._overrides = overrides

    def keys(self, command: Command) -> tuple[str, ...]:
        """The command's keys; a declared key that the user gave to another command is not its own any more."""
        if command.id in self._overrides:
            return tuple(self._overrides[command.id])
        taken = {key for keys in self._overrides.values() for key in keys}
        return tuple(key for key in command.keys if key not in taken)

    def text(self, command: Command) -> str:
        """Its keys for a person: `d Del`."""
        return " ".join(key_text(key) for key in self.keys(command))

    def first(self, command: Command) -> str:
        keys = self.keys(command)
        return key_text(keys[0]) if keys else ""

    def hints(self, items: Sequence[Item], barred: Mapping[str, str], read_only: Sequence[str]) -> list[Hint]:
        """The footer of a list: what applies to these objects now, what does not with its reason, then the rest.

        `barred`: as in `unavailable`; on a `read_only` engine actions are not offered at all.
        """
        hints = []
        for command in _footer(COMMANDS):
            key = self.first(command)
            if not key or (not items and command.scope is Scope.ITEM):
                continue
            if command.action is None:
                hints.append(Hint(key, command.label, command.id))
            elif any(item.ref.kind in command.kinds and item.ref.engine not in read_only for item in items):
                reason = unavailable(command, items, barred)
                hints.append(Hint(key, label_for(command, items), command.id, reason is None, reason or ""))
        return hints

    def hints_of(self, *command_ids: str) -> list[Hint]:
        """The footer where there is no list: just these commands."""
        commands = [BY_ID[command_id] for command_id in command_ids]
        return [Hint(self.first(command), command.label, command.id) for command in commands if self.first(command)]


def _footer(commands: Iterable[Command]) -> list[Command]:
    return sorted((command for command in commands if command.footer), key=lambda command: command.footer)


def key_text(key: str) -> str:
    """A key's name as a person writes it."""
    if key in _NAMES:
        return _NAMES[key]
    if key.startswith("ctrl+"):
        return "Ctrl-" + key[5:].upper()
    if len(key) > 1 and key[0] == "f" and key[1:].isdigit():
        return key.upper()
    return key
