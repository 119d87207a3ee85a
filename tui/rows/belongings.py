"""The lists of volumes and of networks."""

from __future__ import annotations

from backends.model import Network, Volume
from tui.formats import UNKNOWN, age, size
from tui.rows.fields import Field, Look, name_sort, trouble
from widgets.table import Cell, Column

_SHORT = 12
_NO_NAME = 32
"""From this length on an anonymous volume's name is cut: it tells nobody anything."""


def _volume_name(volume: Volume, look: Look) -> Cell:
    if not volume.anonymous:
        return Cell(volume.name)
    cut = len(volume.name) > _NO_NAME
    name = volume.name[:_SHORT] + look.glyphs.ellipsis if cut else volume.name
    return Cell(spans=((name, ""), (" anonymous", "dim")))


def users_text(item: Volume | Network, look: Look) -> str:
    """The container's name, how many there are, or `unused`."""
    users = look.store.users_of(item)
    if not users:
        return "" if isinstance(item, Network) and item.builtin else "unused"
    return users[0] if len(users) == 1 else f"{len(users)} containers"


def _used(item: Volume | Network, look: Look) -> Cell:
    text = users_text(item, look)
    return trouble(item, look) or Cell(text, "dim" if text == "unused" else "")


def _size(volume: Volume, look: Look) -> Cell:
    known = look.store.volume_sizes.get(volume.ref)
    return Cell(UNKNOWN, "dim") if known is None else Cell(size(known))


def _age(item: Volume | Network, look: Look) -> Cell:
    return Cell(age(look.now - item.created) if item.created else UNKNOWN, "dim")


def _kind(network: Network, look: Look) -> Cell:
    del look
    return Cell("built-in" if network.builtin else "internal" if network.internal else "", "dim")


def subnets_text(network: Network) -> str:
    return " ".join(subnet.subnet for subnet in network.subnets)


_DRIVER = Field(
    Column("driver", "DRIVER", 8, priority=3),
    lambda item, _: Cell(item.driver, "dim"),
    lambda item, _: item.driver,
    "driver",
)
_USED = Field(
    Column("used", "USED BY", 14, flex=2, priority=1),
    _used,
    lambda item, look: len(look.store.users_of(item)),
    "used by",
    descending=True,
)
_AGE = Field(
    Column("age", "AGE", 4, align="right", priority=4),
    _age,
    lambda item, _: -item.created if item.created else None,
    "age",
)
_SCOPE = Field(
    Column("scope", "SCOPE", 6, priority=6),
    lambda item, _: Cell(item.scope, "dim"),
    lambda item, _: item.scope,
    "scope",
)

VOLUME_FIELDS: tuple[Field, ...] = (
    Field(Column("name", "VOLUME", 18, flex=3), _volume_name, name_sort, "name"),
    _DRIVER,
    _USED,
    Field(
        Column("size", "SIZE", 5, align="right", priority=2),
        _size,
        lambda item, look: look.store.volume_sizes.get(item.ref),
        "size",
        descending=True,
    ),
    _AGE,
    _SCOPE,
)

NETWORK_FIELDS: tuple[Field, ...] = (
    Field(Column("name", "NETWORK", 16, flex=3), lambda item, _: Cell(item.name), name_sort, "name"),
    _DRIVER,
    _USED,
    Field(
        Column("subnet", "SUBNET", 18, flex=1, priority=2),
        lambda item, _: Cell(subnets_text(item)),
        lambda item, _: subnets_text(item) or None,
        "subnet",
    ),
    Field(Column("kind", "KIND", 8, priority=5), _kind, lambda item, look: _kind(item, look).text, "kind"),
    _AGE,
    _SCOPE,
)
