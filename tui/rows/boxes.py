"""Every box in one list: containers and VMs together."""

from __future__ import annotations

from backends.model import VM, Container, Kind
from tui.rows import containers, vms
from tui.rows.fields import (
    CPU,
    CPU_HISTORY,
    ENGINE,
    MEMORY,
    MEMORY_SHARE,
    NAME,
    READ,
    RECEIVE,
    TRANSMIT,
    WRITE,
    Field,
    Look,
    state_cell,
    state_sort,
)
from widgets.table import Cell, Column


def _state(item: Container | VM, look: Look) -> Cell:
    text = containers.state_text(item, look.now) if isinstance(item, Container) else vms.state_text(item, look.now)
    return state_cell(item, look, text)


def _what(item: Container | VM) -> str:
    return item.image if isinstance(item, Container) else item.os_type


FIELDS: tuple[Field, ...] = (
    NAME,
    Field(
        Column("kind", "KIND", 9, priority=8),
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
        Column("what", "IMAGE OR OS", 12, flex=2, priority=7),
        lambda item, _: Cell(_what(item), "dim"),
        lambda item, _: _what(item),
        "image or OS",
    ),
    RECEIVE,
    TRANSMIT,
    READ,
    WRITE,
)
