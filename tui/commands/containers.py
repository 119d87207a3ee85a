"""The commands of containers beyond their lifecycle."""

from __future__ import annotations

from backends.abilities import containers
from backends.model import Container, Item, Kind, State
from tui.commands.declare import Command, Scope

_CONTAINERS = frozenset({Kind.CONTAINER})
_UP = {State.RUNNING, State.PAUSED, State.RESTARTING, State.STOPPING}


def _not_running(item: Item) -> str | None:
    return None if isinstance(item, Container) and item.state in _UP else "it is not running"


def _aside(item: Item) -> str | None:
    if isinstance(item, Container) and item.name.endswith(containers.ASIDE):
        return None
    return f"only for a container called NAME{containers.ASIDE}, which made room for another"


def _not_aside(item: Item) -> str | None:
    if isinstance(item, Container) and item.name.endswith(containers.ASIDE):
        return "it made room for another: put it back, or delete it"
    if isinstance(item, Container) and item.state is State.PAUSED:
        return "it is paused: resume it first"
    return None


COMMANDS: tuple[Command, ...] = (
    Command(
        "container.run",
        ("+",),
        "run",
        "Run or create a container: a form, which reads a docker run line, too",
        Scope.ITEM,
        kinds=_CONTAINERS,
        footer=29,
        changes=True,
        alone=True,
    ),
    Command(
        "container.run_image",
        ("+",),
        "run",
        "Run or create a container from the image",
        Scope.ITEM,
        kinds=frozenset({Kind.IMAGE}),
        footer=9,
        ability="containers.Run",
        changes=True,
        many=False,
    ),
    Command(
        "container.recreate",
        ("y",),
        "recreate",
        "Make it anew from the newest image or with other settings; the old one is put back when the new one fails",
        Scope.ITEM,
        kinds=_CONTAINERS,
        ability="containers.Recreate",
        refuse=_not_aside,
        changes=True,
    ),
    Command(
        "container.put_back",
        (),
        "put back",
        "Put the old container of an interrupted or regretted recreation back in its place; asks first",
        Scope.ITEM,
        kinds=_CONTAINERS,
        ability="containers.Recreate",
        refuse=_aside,
        changes=True,
        many=False,
    ),
    Command(
        "container.update",
        ("u",),
        "limits",
        "Change its limits (CPU, memory, swap, processes) and restart policy while it runs",
        Scope.ITEM,
        kinds=_CONTAINERS,
        ability="containers.Update",
        changes=True,
        many=False,
    ),
    Command(
        "container.rename",
        ("M",),
        "rename",
        "Give it another name",
        Scope.ITEM,
        kinds=_CONTAINERS,
        ability="containers.Rename",
        changes=True,
        many=False,
    ),
    Command(
        "container.commit",
        ("W",),
        "commit",
        "Make an image of its files",
        Scope.ITEM,
        kinds=_CONTAINERS,
        ability="containers.Commit",
        changes=True,
        many=False,
    ),
    Command(
        "container.signal",
        ("!",),
        "signal",
        "Send a signal; asks first where it ends the process",
        Scope.ITEM,
        kinds=_CONTAINERS,
        refuse=_not_running,
        changes=True,
    ),
    Command(
        "container.stop_after",
        (),
        "stop with a timeout",
        "Stop, and choose how many seconds it may take before it is killed",
        Scope.ITEM,
        kinds=_CONTAINERS,
        refuse=_not_running,
        changes=True,
    ),
)
