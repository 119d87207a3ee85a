"""What a list shows: each field declares its column, its cell and what it sorts by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from backends.model import VM, Action, Container, Item, State, Usage
from tui.formats import UNKNOWN, percent, size
from tui.rows.marks import STATE_TONES, Marks
from tui.selection import name_of, word_of
from tui.store import Failure, Store
from widgets.charts import spark
from widgets.glyphs import Glyphs
from widgets.table import Cell, Column, Row
from widgets.tones import Tone


@dataclass(frozen=True, slots=True)
class Look:
    """What cells are made from: the store, the time now (Unix) and the glyphs."""

    store: Store
    now: float
    marks: Marks
    glyphs: Glyphs


@dataclass(frozen=True, slots=True)
class Field:
    column: Column
    cell: Callable[[Any, Look], Cell]
    sort: Callable[[Any, Look], Any]
    label: str
    """The field's name where it stands alone: in the choice of what to sort by."""
    live: bool = False
    """It changes with every sample."""
    descending: bool = False
    """The order that is wanted first."""


def placed(field: Field, priority: int) -> Field:
    """The field in a list where it goes earlier or later than elsewhere."""
    return replace(field, column=replace(field.column, priority=priority))


def row_of(item: Item, fields: Sequence[Field], look: Look) -> Row:
    return Row(item.ref, tuple(field.cell(item, look) for field in fields), faded=not look.store.reachable(item.ref))


_EMPTY = Cell("")
_DASH = Cell(UNKNOWN, "dim")

UNDER_WAY: dict[Action, str] = {
    Action.START: "starting",
    Action.STOP: "stopping",
    Action.RESTART: "restarting",
    Action.PAUSE: "pausing",
    Action.RESUME: "resuming",
    Action.KILL: "killing",
    Action.SAVE: "saving",
    Action.RESET: "resetting",
    Action.DELETE: "deleting",
}


_ROOM = 13
"""Cells the narrowest column of states has."""


def failure_text(failure: Failure) -> str:
    return f"{word_of(failure.action, failure.ref.kind)} failed"


def _failure_cell(failure: Failure) -> Cell:
    """What failed; of a long one that it failed comes first: `autostart on`, cut off there, would tell the opposite."""
    text = failure_text(failure)
    return Cell(text if len(text) <= _ROOM else f"failed: {text.removesuffix(' failed')}", "error")


def usage_of(item: Container | VM, look: Look) -> Usage | None:
    return look.store.usage.get(item.ref)


def name_cell(item: Container | VM, look: Look) -> Cell:
    state = look.store.shown_state(item)
    mark, tone = look.marks.of(state, item)
    return Cell(spans=((mark + " ", tone), (item.name, "")))


def state_cell(item: Container | VM, look: Look, text: str) -> Cell:
    """The state in words, or the transition under way, or what failed."""
    action = look.store.pending.get(item.ref)
    if action is not None:
        return Cell(UNDER_WAY[action], "info")
    failure = look.store.failures.get(item.ref)
    if failure is not None:
        return _failure_cell(failure)
    return Cell(text, STATE_TONES.get(item.state, ""))


STATE_ORDER: dict[State, int] = {
    state: order
    for order, state in enumerate(
        (
            State.RUNNING,
            State.RESTARTING,
            State.STARTING,
            State.STOPPING,
            State.SAVING,
            State.PAUSED,
            State.CRASHED,
            State.SAVED,
            State.CREATED,
            State.EXITED,
            State.OFF,
            State.DELETING,
            State.UNKNOWN,
        )
    )
}


def cpu_tone(cpu: float, limit: float | None) -> Tone:
    """A box near its own limit is worth a look; without a limit, one busy core is."""
    share = cpu / (limit or 1.0)
    return "warn" if share >= 0.9 else "" if cpu >= 0.005 else "dim"


def cpu_cell(item: Container | VM, look: Look) -> Cell:
    usage = usage_of(item, look)
    if usage is None or usage.cpu is None:
        return _EMPTY
    return Cell(percent(usage.cpu), cpu_tone(usage.cpu, usage.cpu_limit))


def cpu_history_cell(item: Container | VM, look: Look, width: int = 8) -> Cell:
    usage = usage_of(item, look)
    history = look.store.histories.get(item.ref)
    if usage is None or history is None:
        return _EMPTY
    top = usage.cpu_limit or max(1.0, float(getattr(item, "cpus", 1)))
    return Cell(spark(history.last("cpu", width * 2), width, top, look.glyphs), "accent")


def memory_cell(item: Container | VM, look: Look) -> Cell:
    usage = usage_of(item, look)
    if usage is None or usage.memory is None:
        return _EMPTY
    return Cell(size(usage.memory), "")


def memory_share(item: Container | VM, look: Look) -> float | None:
    """Memory used as a share of its limit; of the host's memory where a container has none.

    Without a limit a VM has none: its process may well need more than its guest was given.
    """
    usage = usage_of(item, look)
    if usage is None or usage.memory is None:
        return None
    limit = usage.memory_limit
    if not limit and look.store.host and not isinstance(item, VM):
        limit = look.store.host.memory_total
    # a small guest's process needs more than the guest was given: all of it is in use then
    share = usage.memory / limit if limit else None
    return min(share, 1.0) if share is not None and isinstance(item, VM) else share


def memory_share_cell(item: Container | VM, look: Look) -> Cell:
    share = memory_share(item, look)
    if share is None:
        return _EMPTY
    return Cell(percent(share, cores=False), "warn" if share >= 0.9 else "" if share >= 0.005 else "dim")


def sum_of(*names: str) -> Callable[[Container | VM, Look], float | None]:
    """Figures of the load added up, as far as they are known."""
    if len(names) == 1:
        return usage_sort(*names)

    def total(item: Container | VM, look: Look) -> float | None:
        usage = usage_of(item, look)
        known = [value for name in names if usage and (value := getattr(usage, name)) is not None]
        return sum(known) if known else None

    return total


def sum_cell(*names: str) -> Callable[[Container | VM, Look], Cell]:
    total = sum_of(*names)

    def cell(item: Container | VM, look: Look) -> Cell:
        value = total(item, look)
        return _EMPTY if value is None else Cell(size(value), "dim" if value < 1 else "")

    return cell


def usage_sort(name: str) -> Callable[[Container | VM, Look], float | None]:
    def sort(item: Container | VM, look: Look) -> float | None:
        usage = usage_of(item, look)
        value: float | None = getattr(usage, name) if usage else None
        return value

    return sort


def state_sort(item: Container | VM, look: Look) -> int:
    del look
    return STATE_ORDER[item.state]


def name_sort(item: Item, look: Look) -> str:
    del look
    return name_of(item).lower()


def engine_cell(item: Item, look: Look) -> Cell:
    del look
    return Cell(item.ref.engine, "dim")


def engine_sort(item: Item, look: Look) -> str:
    del look
    return item.ref.engine


NAME = Field(Column("name", "NAME", 18, flex=3), name_cell, name_sort, "name")
CPU = Field(Column("cpu", "CPU", 6, align="right", priority=2), cpu_cell, usage_sort("cpu"), "CPU", True, True)
CPU_HISTORY = Field(
    Column("cpu_history", "HISTORY", 8, priority=5), cpu_history_cell, usage_sort("cpu"), "CPU", True, True
)
MEMORY = Field(
    Column("memory", "MEM", 5, align="right", priority=3), memory_cell, usage_sort("memory"), "memory", True, True
)
MEMORY_SHARE = Field(
    Column("memory_share", "MEM%", 5, align="right", priority=6),
    memory_share_cell,
    memory_share,
    "memory against its limit",
    True,
    True,
)


def _rate(label: str, column: Column, *names: str) -> Field:
    """Bytes per second of these figures, added up where they are several."""
    return Field(replace(column, align="right"), sum_cell(*names), sum_of(*names), label, True, True)


RECEIVE = _rate("network received", Column("receive", "RX/s", 5, priority=8), "network_receive")
TRANSMIT = _rate("network sent", Column("transmit", "TX/s", 5, priority=9), "network_transmit")
READ = _rate("disk read", Column("read", "READ/s", 7, priority=10), "disk_read")
WRITE = _rate("disk written", Column("write", "WRITE/s", 8, priority=11), "disk_write")
NETWORK = _rate(
    "network, both ways",
    Column("network", "NET/s", 5, priority=6, sum_of=("receive", "transmit")),
    "network_receive",
    "network_transmit",
)
DISK = _rate(
    "disk, both ways", Column("disk", "DISK/s", 6, priority=7, sum_of=("read", "write")), "disk_read", "disk_write"
)
ENGINE = Field(Column("engine", "ENGINE", 10, priority=4), engine_cell, engine_sort, "engine")


def trouble(item: Item, look: Look) -> Cell | None:
    """What goes on with an object that has no state of its own (an image, a volume), or went wrong."""
    if item.ref in look.store.pending:
        return Cell(State.DELETING, "info")
    failure = look.store.failures.get(item.ref)
    return _failure_cell(failure) if failure else None
