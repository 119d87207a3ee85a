"""Every box in one list: containers and VMs together."""

from __future__ import annotations

from backends.model import VM, Container, Kind
from tui.rows import containers, vms
from tui.rows.fields import (
    CPU,
    CPU_HISTORY,
    DISK,
    ENGINE,
    MEMORY,
    MEMORY_SHARE,
    NAME,
    NETWORK,
    READ,
    RECEIVE,
    TRANSMIT,
    WRITE,
    Field,
    Look,
    placed,
    state_cell,
    state_sort,
)
from widgets.table import Cell, Column


def _state(item: Container | VM, look: Look) -> Cell:
    text = containers.state_text(item, look.now) if isinstance(item, Container) else vms.state_text(item, look.now)
    return state_cell(item, look, text)


def _what(item: Container | VM) -> str:
    return item.image if isinstance(item, Container) else item.os_type


def _addresses(item: Container | VM) -> tuple[str, ...]:
    if isinstance(item, VM):
        return item.addresses
    return tuple(address for _, address in item.networks if address)


FIELDS: tuple[Field, ...] = (
    NAME,
    Field(
        Column("kind", "KIND", 9, priority=9),
        lambda item, _: Cell("VM" if item.ref.kind is Kind.VM else "container", "dim"),
        lambda item, _: str(item.ref.kind),
        "kind",
    ),
    ENGINE,
    Field(Column("state", "STATE", 14, priority=1), _state, state_sort, "state"),
    CPU,
    CPU_HISTORY,
    MEMORY,
    MEMORY_SHARE,
    Field(
        Column("what", "IMAGE OR OS", 12, flex=2, priority=8),
        lambda item, _: Cell(_what(item), "dim"),
        lambda item, _: _what(item),
        "image or OS",
    ),
    Field(
        Column("address", "ADDRESS", 15, priority=10),
        lambda item, _: vms.address_cell(_addresses(item)),
        lambda item, _: _addresses(item),
        "address",
    ),
    NETWORK,
    placed(RECEIVE, 11),
    placed(TRANSMIT, 11),
    DISK,
    placed(READ, 12),
    placed(WRITE, 12),
    Field(
        Column("snapshots", "SNAP", 4, align="right", priority=13),
        lambda item, _: Cell(str(item.snapshots)) if isinstance(item, VM) and item.snapshots else Cell(""),
        lambda item, _: item.snapshots if isinstance(item, VM) else None,
        "snapshots",
        descending=True,
    ),
)
