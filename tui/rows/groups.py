"""A group's header: what its members' rows say, taken together. Pure but for what is looked up in the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TypeVar

from backends.model import VM, Action, Container, Health, Item, Kind, Ref, State, Usage
from tui.formats import percent, size
from tui.grouping import Group
from tui.rows.fields import UNDER_WAY, Field, Look
from widgets.charts import spark
from widgets.table import Cell, Row
from widgets.tones import Tone

SUMMED = frozenset(
    {
        *("cpu", "cpu_history", "memory", "network", "receive", "transmit", "disk", "read", "write"),
        *("cpus", "size", "snapshots"),
    }
)
"""Columns whose figures make sense as a sum: groups are ordered by it."""

_HISTORIES = 100
"""A group of more members shows no history: adding theirs up would cost more than it tells."""
_INDENT = 2
_HISTORY_CELLS = 8

_Number = TypeVar("_Number", int, float)

_EMPTY = Cell("")


@dataclass(frozen=True, slots=True)
class Standing:
    """How the members of a group are."""

    total: int
    up: int
    healthy: int
    unhealthy: int
    bad: int
    """Unhealthy, crashed, restarting after a failure, or with an action that failed."""
    actions: frozenset[Action]
    """What is under way on members."""


@dataclass(frozen=True, slots=True)
class Load:
    """Sums over the members that run. None: not known of any. `whole`: known of every one that runs."""

    cpu: float | None = None
    cpu_limit: float | None = None
    """Cores they may use together; None when one of them has no limit."""
    memory: int | None = None
    memory_limit: int | None = None
    network_receive: float | None = None
    network_transmit: float | None = None
    disk_read: float | None = None
    disk_write: float | None = None
    whole: bool = True


@dataclass(frozen=True, slots=True)
class RollUp:
    standing: Standing
    load: Load
    cpu_history: tuple[float | None, ...] = ()
    """The newest last; empty where it is not made."""


def members(refs: Iterable[Ref], look: Look) -> list[Item]:
    """Those of the objects that are still there, as they are now."""
    return [item for ref in refs if (item := look.store.get(ref)) is not None]


def roll_up(items: Sequence[Item], look: Look, samples: int = 0) -> RollUp:
    """What the members come to; with `samples` also the last so many of their CPU together."""
    history = cpu_history(items, look, samples) if samples > 0 and len(items) <= _HISTORIES else ()
    return RollUp(_standing(items, look), _load(items, look), history)


def _standing(items: Sequence[Item], look: Look) -> Standing:
    pending, failures = look.store.pending, look.store.failures
    up = healthy = unhealthy = bad = 0
    actions = set()
    for item in items:
        if not isinstance(item, (Container, VM)):
            continue
        state = item.state
        up += state is State.RUNNING
        wrong = state in _WRONG or item.ref in failures
        if isinstance(item, Container):
            healthy += item.health is Health.HEALTHY
            unhealthy += item.health is Health.UNHEALTHY
            crashing = state is State.RESTARTING and bool(item.exit_code)
            wrong = wrong or item.health is Health.UNHEALTHY or crashing
        bad += wrong
        if pending and item.ref in pending:
            actions.add(pending[item.ref])
    return Standing(len(items), up, healthy, unhealthy, bad, frozenset(actions))


_WRONG = {State.CRASHED, State.UNKNOWN}
_RUNS = {State.RUNNING, State.PAUSED}


def _load(items: Sequence[Item], look: Look) -> Load:
    usage = look.store.usage
    known: list[Usage] = []
    running = 0
    for item in items:
        running += isinstance(item, (Container, VM)) and item.state in _RUNS
        found = usage.get(item.ref)
        if found is not None:
            known.append(found)
    if not known:
        return Load(whole=not running)
    return Load(
        cpu=_sum(one.cpu for one in known),
        cpu_limit=_whole_sum([one.cpu_limit for one in known]),
        memory=_sum(one.memory for one in known),
        memory_limit=_whole_sum([one.memory_limit for one in known]),
        network_receive=_sum(one.network_receive for one in known),
        network_transmit=_sum(one.network_transmit for one in known),
        disk_read=_sum(one.disk_read for one in known),
        disk_write=_sum(one.disk_write for one in known),
        whole=len(known) >= running,
    )


def _sum(values: Iterable[_Number | None]) -> _Number | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _whole_sum(values: Sequence[_Number | None]) -> _Number | None:
    return None if None in values else _sum(values)


def cpu_history(items: Sequence[Item], look: Look, samples: int) -> tuple[float | None, ...]:
    """The CPU of all that run, added up sample by sample, the newest last."""
    store = look.store
    found = [
        list(reversed(history.last("cpu", samples)))
        for item in items
        if item.ref in store.usage and (history := store.histories.get(item.ref)) is not None
    ]
    added = [_sum(values) for values in zip_longest(*found)]
    return tuple(reversed(added))


def header_row(group: Group, fields: Sequence[Field], look: Look, *, folded: bool) -> Row:
    """Its row among those of objects, in the same columns."""
    items = members(group.refs, look)
    rolled = roll_up(items, look, 2 * _HISTORY_CELLS)
    cells = []
    for number, field in enumerate(fields):
        if number == 0:
            cells.append(name_cell(group, look, folded=folded))
            continue
        make = _CELLS.get(field.column.id)
        cells.append(make(group, items, rolled, look) if make else _EMPTY)
    faded = not any(look.store.reachable(item.ref) for item in items[:1])
    return Row(group.key, tuple(cells), faded=faded, indent=_INDENT * group.depth)


def name_cell(group: Group, look: Look, *, folded: bool) -> Cell:
    sign = look.glyphs.folded if folded else look.glyphs.unfolded
    tone: Tone = "dim" if group.key.loose else "strong"
    return Cell(spans=((f"{sign} ", "accent"), (group.label, tone), (f" {group.size}", "dim")))


def indent_of(depth: int) -> int:
    """Cells before the first one of a row so deep in groups."""
    return _INDENT * depth


def standing_text(standing: Standing) -> tuple[str, Tone]:
    """`3/4 up`, `7/9 up, 1 bad`, `2/3 stopping`."""
    share = f"{standing.up}/{standing.total}"
    if standing.actions:
        word = UNDER_WAY[next(iter(standing.actions))] if len(standing.actions) == 1 else "changing"
        return f"{share} {word}", "info"
    if standing.bad:
        return f"{share} up, {standing.bad} bad", "error"
    tone: Tone = "dim" if not standing.up else "ok" if standing.up == standing.total else "warn"
    return f"{share} up", tone


def health_text(standing: Standing) -> tuple[str, Tone]:
    if standing.unhealthy:
        return f"{standing.unhealthy} bad", "error"
    return (f"{standing.healthy} healthy", "ok") if standing.healthy else ("", "")


Make = Callable[[Group, Sequence[Item], RollUp, Look], Cell]


def _state(_: Group, __: Sequence[Item], rolled: RollUp, ___: Look) -> Cell:
    return Cell(*standing_text(rolled.standing))


def _health(_: Group, __: Sequence[Item], rolled: RollUp, ___: Look) -> Cell:
    return Cell(*health_text(rolled.standing))


def _tone(load: Load, value: float, least: float) -> Tone:
    """Dim where nothing goes on, or where some members' figures are missing from the sum."""
    return "" if load.whole and value >= least else "dim"


def _cpu(_: Group, __: Sequence[Item], rolled: RollUp, ___: Look) -> Cell:
    cpu = rolled.load.cpu
    return _EMPTY if cpu is None else Cell(percent(cpu), _tone(rolled.load, cpu, 0.005))


def cores(load: Load, look: Look) -> float:
    """How many cores its members may keep busy: by their limits, and no more than the host has."""
    host = float(len(look.store.host.cores)) if look.store.host else 1.0
    return max(1.0, min(load.cpu_limit or host, host))


def _history(_: Group, __: Sequence[Item], rolled: RollUp, look: Look) -> Cell:
    if rolled.load.cpu is None or not rolled.cpu_history:
        return _EMPTY
    return Cell(spark(list(rolled.cpu_history), _HISTORY_CELLS, cores(rolled.load, look), look.glyphs), "accent")


def _memory(_: Group, __: Sequence[Item], rolled: RollUp, ___: Look) -> Cell:
    memory = rolled.load.memory
    return _EMPTY if memory is None else Cell(size(memory), _tone(rolled.load, memory, 0))


def _memory_share(group: Group, _: Sequence[Item], rolled: RollUp, look: Look) -> Cell:
    load = rolled.load
    limit = load.memory_limit
    if not limit and look.store.host and group.kind is Kind.CONTAINER:
        limit = look.store.host.memory_total
    if load.memory is None or not limit:
        return _EMPTY
    share = load.memory / limit
    if group.kind is Kind.VM:
        share = min(share, 1.0)
    return Cell(percent(share, cores=False), "warn" if share >= 0.9 else _tone(load, share, 0.005))


def _rate(*names: str) -> Make:
    def cell(_: Group, __: Sequence[Item], rolled: RollUp, ___: Look) -> Cell:
        value: float | None = _sum(getattr(rolled.load, name) for name in names)
        return _EMPTY if value is None else Cell(size(value), _tone(rolled.load, value, 1))

    return cell


def _same(noun: str, of: Callable[[Item], str]) -> Make:
    """The value all members share, or how many there are."""

    def cell(_: Group, items: Sequence[Item], __: RollUp, ___: Look) -> Cell:
        values = {of(item) for item in items}
        return Cell(values.pop() if len(values) == 1 else f"{len(values)} {noun}" if values else "", "dim")

    return cell


def _total(of: Callable[[VM], int], show: Callable[[int], str]) -> Make:
    def cell(_: Group, items: Sequence[Item], __: RollUp, ___: Look) -> Cell:
        total = sum(of(item) for item in items if isinstance(item, VM))
        return Cell(show(total)) if total else _EMPTY

    return cell


def _picture(item: Item) -> str:
    return item.image if isinstance(item, Container) else item.os_type if isinstance(item, VM) else ""


_CELLS: Mapping[str, Make] = {
    "state": _state,
    "health": _health,
    "kind": lambda group, _, __, ___: Cell(group.what, "dim"),
    "engine": _same("engines", lambda item: item.ref.engine),
    "cpu": _cpu,
    "cpu_history": _history,
    "memory": _memory,
    "memory_share": _memory_share,
    "image": _same("images", _picture),
    "os_type": _same("systems", _picture),
    "what": lambda group, items, rolled, look: _same("images" if group.kind is Kind.CONTAINER else "systems", _picture)(
        group, items, rolled, look
    ),
    "network": _rate("network_receive", "network_transmit"),
    "receive": _rate("network_receive"),
    "transmit": _rate("network_transmit"),
    "disk": _rate("disk_read", "disk_write"),
    "read": _rate("disk_read"),
    "write": _rate("disk_write"),
    "cpus": _total(lambda vm: vm.cpus, str),
    "size": _total(lambda vm: vm.memory, size),
    "snapshots": _total(lambda vm: vm.snapshots, str),
}
"""How a group fills a column, by the column's id; it leaves the others blank."""
