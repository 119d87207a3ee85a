"""The list of virtual machines."""

from __future__ import annotations

from collections.abc import Sequence

from backends.model import VM, State
from tui.formats import age, size
from tui.rows.fields import (
    CPU,
    CPU_HISTORY,
    DISK,
    MEMORY,
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


def state_text(vm: VM, now: float) -> str:
    """`up 2h`, `off 3d`, `aborted`, `inaccessible`, ..."""
    if vm.error:
        return "inaccessible"
    if vm.state is State.RUNNING and vm.started is not None:
        return f"up {age(now - vm.started)}"
    word = vm.state_word.lower() if vm.state is State.CRASHED and vm.state_word else str(vm.state)
    if vm.changed is not None and vm.state in {State.OFF, State.SAVED, State.CRASHED, State.PAUSED}:
        return f"{word} {age(now - vm.changed)}"
    return word


def address_cell(addresses: Sequence[str]) -> Cell:
    """The first one, and a sign that there are more."""
    return Cell(addresses[0] + ("+" if len(addresses) > 1 else "")) if addresses else Cell("")


def _state(vm: VM, look: Look) -> Cell:
    return state_cell(vm, look, state_text(vm, look.now))


FIELDS: tuple[Field, ...] = (
    NAME,
    Field(Column("state", "STATE", 13, priority=1), _state, state_sort, "state"),
    Field(
        Column("os_type", "OS TYPE", 10, flex=2, priority=10),
        lambda item, _: Cell(item.os_type, "dim"),
        lambda item, _: item.os_type,
        "OS type",
    ),
    Field(
        Column("address", "ADDRESS", 15, priority=9),
        lambda item, _: address_cell(item.addresses),
        lambda item, _: item.addresses,
        "address",
    ),
    Field(
        Column("cpus", "CPUS", 4, align="right", priority=4),
        lambda item, _: Cell(str(item.cpus)) if item.cpus else Cell(""),
        lambda item, _: item.cpus,
        "number of CPUs",
        descending=True,
    ),
    Field(
        Column("size", "RAM", 5, align="right", priority=3),
        lambda item, _: Cell(size(item.memory)) if item.memory else Cell(""),
        lambda item, _: item.memory,
        "memory given",
        descending=True,
    ),
    CPU,
    CPU_HISTORY,
    placed(MEMORY, 11),
    NETWORK,
    placed(RECEIVE, 12),
    placed(TRANSMIT, 12),
    DISK,
    placed(READ, 13),
    placed(WRITE, 13),
    Field(
        Column("snapshots", "SNAP", 4, align="right", priority=8),
        lambda item, _: Cell(str(item.snapshots)) if item.snapshots else Cell(""),
        lambda item, _: item.snapshots,
        "snapshots",
        descending=True,
    ),
    Field(
        Column("autostart", "AUTO", 4, priority=14),
        lambda item, _: Cell("on", "dim") if item.autostart else Cell(""),
        lambda item, _: item.autostart,
        "starts with its host",
        descending=True,
    ),
)
