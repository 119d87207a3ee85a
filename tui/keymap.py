"""Keys by command: the declared ones, replaced by the user's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from backends.model import Item
from tui.commands import (
    COMMANDS,
    Command,
    Here,
    Rights,
    Scope,
    label_for,
    offered_in_view,
    unavailable,
    unavailable_in_view,
)
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
    "ctrl+right_square_bracket": "Ctrl-]",
}


_LEADS_OUT = frozenset({"app.help", "app.quit"})
_LEADS_BACK = frozenset({"app.help", "details.back"})
"""Commands whose keys a footer always shows, as far as there is any room: in lists, and where one goes back first."""


class Keymap:
    """All commands of this run, and which keys run which.

    `overrides`: keys by command id; an empty tuple unbinds. `own`: commands beside boxtop's.
    """

    def __init__(self, overrides: Mapping[str, Sequence[str]], own: Sequence[Command] = ()) -> None:
        self._overrides = overrides
        self.commands = (*COMMANDS, *own)
        self.by_id = {command.id: command for command in self.commands}

    def keys(self, command: Command) -> tuple[str, ...]:
        """The command's keys; a declared key that the user gave to another command is not its own any more."""
        if command.id in self._overrides:
            return tuple(self._overrides[command.id])
        taken = {
            key
            for name, keys in self._overrides.items()
            if (owner := self.by_id.get(name)) and not command.places.isdisjoint(owner.places)
            for key in keys
        }
        return tuple(key for key in command.keys if key not in taken)

    def all_keys(self) -> dict[str, list[Command]]:
        """Every key that is bound, with the commands that share it, each in its own places."""
        found: dict[str, list[Command]] = {}
        for command in self.commands:
            for key in self.keys(command):
                found.setdefault(key, []).append(command)
        return found

    def text(self, command: Command) -> str:
        """Its keys for a person: `d Del`."""
        return " ".join(key_text(key) for key in self.keys(command))

    def first(self, command: Command) -> str:
        keys = self.keys(command)
        return key_text(keys[0]) if keys else ""

    def hints(self, items: Sequence[Item], rights: Rights, read_only: Sequence[str]) -> list[Hint]:
        """The footer of a list: what applies to these objects now, what does not with its reason, then the rest.

        On a `read_only` engine what changes something is not offered at all.
        """
        hints = []
        for command in _footer(self.commands):
            key = self.first(command)
            if not key or (not items and command.scope is Scope.ITEM):
                continue
            if command.scope is not Scope.ITEM:
                hints.append(Hint(key, command.label, command.id, stays=command.id in _LEADS_OUT))
            elif any(_offered(command, item, read_only) for item in items):
                reason = unavailable(command, items, rights)
                hints.append(Hint(key, label_for(command, items), command.id, reason is None, reason or ""))
        return hints

    def hints_in(self, view: str, here: Here, rights: Rights, read_only: Sequence[str]) -> list[Hint]:
        """The footer of a view with commands of its own, as `hints`: those of its commands that apply now, and more."""
        own = sorted(
            (command for command in self.commands if command.where == view and command.footer),
            key=lambda command: command.footer,
        )
        hints = []
        for command in own:
            key = self.first(command)
            if key and offered_in_view(command, here, read_only):
                reason = unavailable_in_view(command, here, rights)
                hints.append(Hint(key, command.label, command.id, reason is None, reason or ""))
        return hints

    def hints_of(self, *command_ids: str) -> list[Hint]:
        """The footer where there is no list: just these commands."""
        commands = [self.by_id[command_id] for command_id in command_ids]
        out = _LEADS_OUT if "details.back" not in command_ids else _LEADS_BACK
        return [
            Hint(self.first(command), command.label, command.id, stays=command.id in out)
            for command in commands
            if self.first(command)
        ]


def _footer(commands: Iterable[Command]) -> list[Command]:
    shown = (command for command in commands if command.footer and not command.where)
    return sorted(shown, key=lambda command: command.footer)


def _offered(command: Command, item: Item, read_only: Sequence[str]) -> bool:
    return item.ref.kind in command.kinds and not (command.alters and item.ref.engine in read_only)


def key_text(key: str) -> str:
    """A key's name as a person writes it."""
    if key in _NAMES:
        return _NAMES[key]
    if key.startswith("ctrl+"):
        return "Ctrl-" + key[5:].upper()
    if len(key) > 1 and key[0] == "f" and key[1:].isdigit():
        return key.upper()
    return key
