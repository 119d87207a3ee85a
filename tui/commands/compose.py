"""The commands of Compose projects: on the header of a project or a service, or on a container of one."""

from __future__ import annotations

from backends.model import Container, Item, Kind
from backends.projects import PROJECT_LABELS, project_of
from tui.commands.declare import Command, Scope

_CONTAINERS = frozenset({Kind.CONTAINER})


def _no_project(item: Item) -> str | None:
    if not isinstance(item, Container) or not project_of(item.labels)[0]:
        return "it belongs to no Compose project"
    return None


def _no_compose(item: Item) -> str | None:
    reason = _no_project(item)
    if reason is None and isinstance(item, Container):
        keys = {key for key, _ in item.labels}
        if keys.isdisjoint(PROJECT_LABELS[:2]):
            return "it is of a Swarm stack, which Compose does not manage"
    return reason


COMMANDS: tuple[Command, ...] = (
    Command(
        "compose.up",
        (),
        "compose up",
        "Create and start what the project's files say; what changed is made anew; asks first",
        Scope.ITEM,
        kinds=_CONTAINERS,
        ability="compose.Compose",
        refuse=_no_compose,
        changes=True,
    ),
    Command(
        "compose.down",
        (),
        "compose down",
        "Stop and remove the project's containers and networks; volumes only when chosen; asks first",
        Scope.ITEM,
        kinds=_CONTAINERS,
        ability="compose.Compose",
        refuse=_no_compose,
        changes=True,
    ),
    Command(
        "compose.start",
        (),
        "compose start",
        "Start the project or a service, in the order of its dependencies where Compose is here",
        Scope.ITEM,
        kinds=_CONTAINERS,
        refuse=_no_project,
        changes=True,
    ),
    Command(
        "compose.stop",
        (),
        "compose stop",
        "Stop the project or a service, in the order of its dependencies where Compose is here",
        Scope.ITEM,
        kinds=_CONTAINERS,
        refuse=_no_project,
        changes=True,
    ),
    Command(
        "compose.restart",
        (),
        "compose restart",
        "Restart the project or a service",
        Scope.ITEM,
        kinds=_CONTAINERS,
        refuse=_no_project,
        changes=True,
    ),
    Command(
        "compose.pull",
        (),
        "compose pull",
        "Pull the images of the project or of a service; nothing is restarted",
        Scope.ITEM,
        kinds=_CONTAINERS,
        ability="compose.Compose",
        refuse=_no_compose,
        changes=True,
    ),
    Command(
        "compose.build",
        (),
        "compose build",
        "Build the images of the project or of a service; asks first",
        Scope.ITEM,
        kinds=_CONTAINERS,
        ability="compose.Compose",
        refuse=_no_compose,
        changes=True,
    ),
    Command(
        "compose.open",
        (),
        "compose file",
        "Bring a project up from its Compose file, chosen on this machine; asks first",
        Scope.APP,
        changes=True,
    ),
    Command(
        "compose.logs",
        (),
        "compose logs",
        "The logs of the project or of a service together, by time",
        Scope.ITEM,
        kinds=_CONTAINERS,
        refuse=_no_project,
    ),
)
