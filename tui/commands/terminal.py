"""Commands that give the terminal to a container."""

from __future__ import annotations

from backends.model import VM, Container, Item, Kind, State
from tui.commands.declare import Command, Scope

_CONTAINERS = frozenset({Kind.CONTAINER})


def _not_running(item: Item) -> str | None:
    if not isinstance(item, (Container, VM)) or item.state is State.RUNNING:
        return None
    if item.state is State.PAUSED:
        return f"{item.name} is paused: resume it first"
    return f"{item.name} is {item.state}: it must run for that"


COMMANDS: tuple[Command, ...] = (
    Command(
        "terminal.shell",
        ("e",),
        "shell",
        "Open the best shell in the container: bash, ash or sh; exit returns",
        Scope.ITEM,
        kinds=_CONTAINERS,
        footer=14,
        ability="shell.Shell",
        refuse=_not_running,
        changes=True,
        many=False,
    ),
    Command(
        "terminal.shell_as",
        ("E",),
        "shell as",
        "Open a shell or another command in the container, as a user of choice",
        Scope.ITEM,
        kinds=_CONTAINERS,
        ability="shell.Shell",
        refuse=_not_running,
        changes=True,
        many=False,
    ),
    Command(
        "terminal.attach",
        ("A",),
        "attach",
        "Attach to the container's own process; Ctrl-P Ctrl-Q leaves it running",
        Scope.ITEM,
        kinds=_CONTAINERS,
        ability="shell.Attach",
        refuse=_not_running,
        changes=True,
        many=False,
    ),
)
