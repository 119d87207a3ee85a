"""Every command, declared once: bindings, footer, palette, action menu, help and the keymap file come from here."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from backends.actions import refusal
from backends.model import VM, Action, Container, Item, Kind
from tui.commands import (
    belongings,
    compose,
    containers,
    core,
    engine_log,
    events,
    files,
    images,
    logs,
    machines,
    media,
    output,
    screen,
    serial,
    tabs,
    tasks,
    terminal,
    transfer,
    vm,
    windows,
)
from tui.commands.declare import VIEWS, Command, Here, Scope

__all__ = [
    "BY_ACTION",
    "BY_ID",
    "COMMANDS",
    "Command",
    "Here",
    "Rights",
    "Scope",
    "label_for",
    "resolve",
    "unavailable",
]

COMMANDS: tuple[Command, ...] = (
    *core.COMMANDS,
    *logs.COMMANDS,
    *machines.COMMANDS,
    *media.COMMANDS,
    *screen.COMMANDS,
    *terminal.COMMANDS,
    *serial.COMMANDS,
    *engine_log.COMMANDS,
    *transfer.COMMANDS,
    *windows.COMMANDS,
    *files.COMMANDS,
    *containers.COMMANDS,
    *vm.COMMANDS,
    *images.COMMANDS,
    *compose.COMMANDS,
    *belongings.COMMANDS,
    *tabs.COMMANDS,
    *tasks.COMMANDS,
    *output.COMMANDS,
    *events.COMMANDS,
)
"""In the order of the action menu: what is used most comes first."""

BY_ID: Mapping[str, Command] = {command.id: command for command in COMMANDS}

BY_ACTION: Mapping[Action, Command] = {command.action: command for command in COMMANDS if command.action}


def sections(commands: Sequence[Command], here: str = "") -> list[tuple[str, list[Command]]]:
    """Commands under headings to read: those of the view `here` first, then by scope, then those of other views."""
    general = [found for found in commands if not found.where]
    scopes = [(scope.value, [found for found in general if found.scope is scope]) for scope in Scope]
    places = dict.fromkeys(found.where for found in commands if found.where)
    views = [(place, [found for found in commands if found.where == place]) for place in places]
    first = [(VIEWS.get(place, place), found) for place, found in views if place == here]
    others = [(VIEWS.get(place, place), found) for place, found in views if place != here]
    return [*first, *scopes, *others]


@dataclass(frozen=True, slots=True)
class Rights:
    """What the engines allow now, each by its key."""

    barred: Mapping[str, str] = field(default_factory=dict)
    """Why nothing can be changed there: it is lost, or read-only."""
    abilities: Mapping[str, frozenset[str]] = field(default_factory=dict)
    lost: frozenset[str] = frozenset()


def resolve(command: Command, items: Sequence[Item]) -> Action:
    """The action a command means for these items: the pause key resumes when the first of them is paused."""
    if command.action is None:
        raise ValueError(f"{command.id} is no action")
    if command.action is Action.PAUSE and items:
        first = items[0]
        if isinstance(first, (Container, VM)) and refusal(Action.RESUME, first) is None:
            return Action.RESUME
    return command.action


def unavailable(command: Command, items: Sequence[Item], rights: Rights) -> str | None:
    """Why a command cannot act on any of `items` now, in words; None when it can act on at least one."""
    if command.scope is not Scope.ITEM:
        return None
    if command.alone:
        items = [item for item in items if item.ref.kind in command.kinds]
    if not items:
        return None if command.alone else "nothing is selected"
    if len(items) > 1 and not command.many:
        return "it is done to one row at a time"
    first: str | None = None
    # of many objects mostly the first will do, and this is asked for every command at each step of the cursor
    for item in items:
        reason = refusal_here(command, item, rights, items)
        if reason is None:
            return None
        first = first or reason
    return first


def refusal_here(command: Command, item: Item, rights: Rights, items: Sequence[Item] = ()) -> str | None:
    """Why a command cannot be done to this object now: its engine, its kind, its state. `items` as in `resolve`."""
    engine = item.ref.engine
    if command.alters and engine in rights.barred:
        return rights.barred[engine]
    if command.action is not None:
        return refusal(resolve(command, items or [item]), item)
    if item.ref.kind not in command.kinds:
        return f"it is not for {_PLURAL[item.ref.kind]}"
    if command.ability:
        if engine in rights.lost:
            return f"{engine} does not answer"
        if command.ability not in rights.abilities.get(engine, frozenset()):
            return f"{engine} cannot do that"
    return command.refuse(item) if command.refuse else None


def unavailable_in_view(command: Command, here: Here, rights: Rights) -> str | None:
    """Why a view's own command cannot be done to what is selected there now, in words."""
    if command.alters:
        engines = _engines_of(command, here)
        barred = [rights.barred[engine] for engine in engines if engine in rights.barred]
        if barred and len(barred) == len(engines):
            return barred[0]
    if command.refuse is None:
        return None
    return "nothing is selected" if here.subject is None and not command.alone else command.refuse(here.subject)


def offered_in_view(command: Command, here: Here, read_only: Collection[str]) -> bool:
    """Whether a view's own command is there at all: what changes something is not where all is read-only."""
    engines = _engines_of(command, here) if command.alters else ()
    return not engines or any(engine not in read_only for engine in engines)


def _engines_of(command: Command, here: Here) -> Collection[str]:
    return here.engines if command.alone else (here.engine,) if here.engine else ()


def offered(command: Command, items: Sequence[Item], engines: Collection[str], read_only: Collection[str]) -> bool:
    """Whether a command is there for these objects, or for any of the engines where it needs none."""
    if not command.alters or not read_only:
        return True
    about = {item.ref.engine for item in items} if items and not command.alone else engines
    return not about or any(engine not in read_only for engine in about)


_PLURAL: Mapping[Kind, str] = {kind: "VMs" if kind is Kind.VM else f"{kind}s" for kind in Kind}


def label_for(command: Command, items: Sequence[Item]) -> str:
    """The command's name for these items: `resume` for a paused one, `power off` for a VM."""
    if command.action is None or not items:
        return command.label
    action = resolve(command, items)
    if action is Action.KILL and not isinstance(items[0], Container):
        return "power off"
    if action is Action.RESUME:
        return "resume"
    return command.label
