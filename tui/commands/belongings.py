"""The commands of volumes and networks, and of pruning what nobody uses."""

from __future__ import annotations

from backends.model import Container, Item, Kind, Network
from tui.commands.declare import Command, Scope

_CONTAINERS = frozenset({Kind.CONTAINER})
_VOLUMES = frozenset({Kind.VOLUME})
_NETWORKS = frozenset({Kind.NETWORK})
_FIXED = frozenset({"host", "none"})
"""Networks nobody joins or leaves later: a container is made with them or without."""


def _refuse_fixed(item: Item) -> str | None:
    if isinstance(item, Network) and item.builtin and item.name in _FIXED:
        return f"containers are made in {item.name}, and neither join nor leave it later"
    return None


def _refuse_join(item: Item) -> str | None:
    if isinstance(item, Container):
        fixed = [name for name, _ in item.networks if name in _FIXED]
        if fixed:
            return f"{item.name} was made in the network {fixed[0]} and can join no other"
    return None


def _refuse_leave(item: Item) -> str | None:
    if not isinstance(item, Container):
        return None
    return _refuse_join(item) or (None if item.networks else f"{item.name} is in no network")


COMMANDS: tuple[Command, ...] = (
    Command(
        "volume.create",
        ("+",),
        "create",
        "Make a volume: name, driver, options, labels",
        Scope.VIEW,
        changes=True,
        alone=True,
        footer=2,
        where="volumes",
    ),
    Command(
        "volume.sizes",
        ("s",),
        "sizes",
        "Have the engine count what is in the volumes: it walks all their files",
        Scope.VIEW,
        footer=3,
        where="volumes",
    ),
    Command(
        "network.create",
        ("+",),
        "create",
        "Make a network: name, driver, subnet, gateway, labels",
        Scope.VIEW,
        changes=True,
        alone=True,
        footer=2,
        where="networks",
    ),
    Command(
        "network.connect",
        ("l",),
        "connect",
        "Have a container join the network, with aliases and an address of its own",
        Scope.ITEM,
        kinds=_NETWORKS,
        ability="belongings.Networks",
        refuse=_refuse_fixed,
        changes=True,
        many=False,
        footer=13,
    ),
    Command(
        "network.disconnect",
        ("u",),
        "disconnect",
        "Have a container leave the network",
        Scope.ITEM,
        kinds=_NETWORKS,
        ability="belongings.Networks",
        refuse=_refuse_fixed,
        changes=True,
        many=False,
        footer=13,
    ),
    Command(
        "network.join",
        (),
        "join network",
        "Have the container join one more network",
        Scope.ITEM,
        kinds=_CONTAINERS,
        ability="belongings.Networks",
        refuse=_refuse_join,
        changes=True,
        many=False,
    ),
    Command(
        "network.leave",
        (),
        "leave network",
        "Have the container leave one of its networks",
        Scope.ITEM,
        kinds=_CONTAINERS,
        ability="belongings.Networks",
        refuse=_refuse_leave,
        changes=True,
        many=False,
    ),
    Command(
        "prune.containers",
        ("X",),
        "prune",
        "Remove the stopped containers of the row's engine that the filter shows; lists them and asks first",
        Scope.ITEM,
        kinds=_CONTAINERS,
        changes=True,
    ),
    Command(
        "prune.volumes",
        ("X",),
        "prune",
        "Remove the volumes shown that no container uses, of the row's engine; lists them and asks first",
        Scope.ITEM,
        kinds=_VOLUMES,
        changes=True,
        footer=22,
    ),
    Command(
        "prune.networks",
        ("X",),
        "prune",
        "Remove the networks shown that no container uses, of the row's engine; lists them and asks first",
        Scope.ITEM,
        kinds=_NETWORKS,
        changes=True,
        footer=22,
    ),
)
