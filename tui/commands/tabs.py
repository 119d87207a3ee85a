"""Commands of the details' tabs, of published ports, and of what failed."""

from __future__ import annotations

from backends.model import Container, Item, Kind, State
from tui.commands.declare import Command, Scope

_CONTAINERS = frozenset({Kind.CONTAINER})
_BOXES = frozenset({Kind.CONTAINER, Kind.VM})


def _no_port(item: Item) -> str | None:
    """Why there is no port of it to open."""
    if not isinstance(item, Container):
        return None
    if item.state is not State.RUNNING:
        return f"it is {item.state}"
    return None if any(port.host_port for port in item.ports) else "it publishes no port"


COMMANDS: tuple[Command, ...] = (
    Command(
        "ports.open",
        ("b",),
        "open port",
        "Open a published port in the browser, or copy its address where there is none",
        Scope.ITEM,
        kinds=_CONTAINERS,
        footer=29,
        refuse=_no_port,
        many=False,
    ),
    Command(
        "failed.retry",
        ("F",),
        "retry failed",
        "Do once more what failed on these rows, or else on any row of this list",
        Scope.ITEM,
        changes=True,
    ),
    Command("failed.dismiss", (), "dismiss failures", "Dismiss every failure and message", Scope.APP),
    *(
        Command(f"show.{name}", (), name, text, Scope.ITEM, kinds=kinds, ability=ability, many=False)
        for name, text, kinds, ability in (
            ("stats", "Show its load over time", _BOXES, ""),
            ("processes", "Show its processes", _CONTAINERS, "inside.Processes"),
            ("changes", "Show what it changed in its image's files", _CONTAINERS, "inside.Changes"),
            ("environment", "Show its environment, secrets masked", _CONTAINERS, ""),
            ("mounts", "Show its mounts", _CONTAINERS, ""),
            ("networks", "Show its networks: addresses, aliases, links", _CONTAINERS, ""),
            ("ports", "Show its ports: published, exposed", _CONTAINERS, ""),
            ("health", "Show its health check and the last results", _CONTAINERS, ""),
        )
    ),
    Command(
        "environment.reveal",
        ("v",),
        "reveal",
        "In Environment: show or mask the value under the cursor",
        Scope.DETAILS,
        footer=1,
        where="tab.environment",
    ),
    Command(
        "processes.sort",
        ("o",),
        "sort",
        "In Processes: choose the column to sort by",
        Scope.DETAILS,
        footer=1,
        where="tab.processes",
    ),
    Command(
        "processes.reverse",
        ("O",),
        "reverse",
        "In Processes: reverse the order",
        Scope.DETAILS,
        footer=2,
        where="tab.processes",
    ),
)
