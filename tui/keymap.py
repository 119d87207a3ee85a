"""Keys by command: the declared ones, replaced by the user's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from backends.model import Item
from tui.commands import COMMANDS, Command, Scope, label_for, unavailable
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

    def hints(self, items: Sequence[Item], read_only: Sequence[str], listing: bool) -> list[Hint]:
        """The footer: what applies now first, what does not dimmed with its reason; nothing that makes no sense.

        `listing`: a list of objects has the focus; without one, only what needs no row is told.
        """
        hints = []
        for command in _footer(COMMANDS):
            key = self.first(command)
            if not key:
                continue
            if command.action is None:
                if listing or command.scope in _EVERYWHERE:
                    hints.append(Hint(key, command.label, command.id))
            elif listing and items and any(item.ref.kind in command.kinds for item in items):
                reason = unavailable(command, items, read_only)
                if not set(read_only) >= {item.ref.engine for item in items}:
                    hints.append(Hint(key, label_for(command, items), command.id, reason is None, reason or ""))
        return hints


_EVERYWHERE = {Scope.VIEW, Scope.APP}


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
