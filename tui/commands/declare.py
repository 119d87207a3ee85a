"""What a command is: a plain declaration, without what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from backends.model import Action, Kind


class Scope(StrEnum):
    """What a command acts on; the footer, the menu and the help are ordered by it."""

    ITEM = "On the selected row, or on all marked ones"
    LIST = "In a list"
    DETAILS = "In the details"
    VIEW = "Views"
    APP = "boxtop"


VIEWS: Mapping[str, str] = {
    "logs": "In the logs",
    "engine-log": "In the engine's log",
    "tasks": "In the tasks",
    "output": "In the output of a task or command",
    "screen": "In a VM's screen",
    "snapshots": "In a VM's snapshots",
    "settings": "In a VM's settings",
    "media": "In the media",
    "events": "In the events",
    "volumes": "In the volumes",
    "networks": "In the networks",
    "tab.processes": "In the details: Processes",
    "tab.environment": "In the details: Environment",
}
"""Headings for the commands of a view of their own, by `Command.where`."""


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a user can do. `keys` are Textual key names; the user's keymap replaces them by `id`.

    The first part of `id` names the module of `tui.handlers` that does it, the second part the method there.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    scope: Scope
    action: Action | None = None
    kinds: frozenset[Kind] = frozenset(Kind)
    footer: int = 0
    """Place in the footer, lowest first; 0: not shown there."""
    ability: str = ""
    """Name of what the object's engine must offer for it; see `backends.abilities`."""
    refuse: Callable[[Any], str | None] | None = None
    """Why it cannot be done on an object in its present state, in words. Of a view's own: on `Here.subject`."""
    changes: bool = False
    """It changes something, so that a read-only engine refuses it. Always so with an `action`."""
    many: bool = True
    """It can be done to several marked objects at once."""
    alone: bool = False
    """It makes sense without an object too, as pulling an image does in an empty list: then it is handed none.
    Of a view's own: whatever is selected there."""
    where: str = ""
    """The view it belongs to, whose name its keys are good in; empty: the lists, and everywhere it makes sense."""

    @property
    def area(self) -> str:
        return self.id.partition(".")[0]

    @property
    def alters(self) -> bool:
        return self.changes or self.action is not None

    @property
    def places(self) -> frozenset[str]:
        """Where its keys are its own: two commands may share a key when they share no place."""
        if self.where:
            return frozenset({self.where})
        if self.scope is Scope.ITEM:
            return frozenset(self.kinds)
        return frozenset({*Kind, "elsewhere"})


@dataclass(frozen=True, slots=True)
class Here:
    """What a view's own commands depend on. Engines by their keys."""

    subject: Any = None
    """What is selected, as the view's commands know it; None: nothing."""
    engine: str = ""
    """The one the selected is on."""
    engines: tuple[str, ...] = ()
    """All the view is about."""
