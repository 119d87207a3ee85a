"""Every command, declared once: bindings, footer, palette, action menu, help and the keymap file come from here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from backends.actions import refusal
from backends.model import Action, Container, Image, Item, Kind


class Scope(StrEnum):
    """What a command acts on; the footer, the menu and the help are ordered by it."""

    ITEM = "On the selected row, or on all marked ones"
    LIST = "In a list"
    DETAILS = "In the details"
    VIEW = "Views"
    APP = "boxtop"


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a user can do. `keys` are Textual key names; the user's keymap replaces them by `id`."""

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    scope: Scope
    action: Action | None = None
    kinds: frozenset[Kind] = frozenset(Kind)
    footer: int = 0
    """Place in the footer, lowest first; 0: not shown there."""


_BOXES = frozenset({Kind.CONTAINER, Kind.VM})
_VMS = frozenset({Kind.VM})

COMMANDS: tuple[Command, ...] = (
    Command(
        "item.start",
        ("s",),
        "start",
        "Start; a paused one goes on, a saved VM is restored",
        Scope.ITEM,
        Action.START,
        _BOXES,
        10,
    ),
    Command(
        "item.stop",
        ("t",),
        "stop",
        "Stop: SIGTERM and then SIGKILL to a container, the power button to a VM",
        Scope.ITEM,
        Action.STOP,
        _BOXES,
        11,
    ),
    Command(
        "item.restart",
        ("r",),
        "restart",
        "Restart; a VM is shut down by its guest and started again",
        Scope.ITEM,
        Action.RESTART,
        _BOXES,
        12,
    ),
    Command("item.pause", ("p",), "pause", "Pause, or resume when paused", Scope.ITEM, Action.PAUSE, _BOXES, 20),
    Command(
        "item.kill",
        ("K",),
        "kill",
        "Kill a container (SIGKILL), power off a VM: unsaved data is lost; asks first",
        Scope.ITEM,
        Action.KILL,
        _BOXES,
        21,
    ),
    Command(
        "item.save",
        ("w",),
        "save state",
        "Save a VM's memory to disk and stop it",
        Scope.ITEM,
        Action.SAVE,
        _VMS,
        22,
    ),
    Command(
        "item.reset",
        (),
        "reset",
        "Reset a VM as its reset button does: unsaved data is lost; asks first",
        Scope.ITEM,
        Action.RESET,
        _VMS,
    ),
    Command(
        "item.delete",
        ("d", "delete"),
        "delete",
        "Delete; asks first and names what is lost",
        Scope.ITEM,
        Action.DELETE,
        frozenset(Kind),
        13,
    ),
    Command(
        "item.menu",
        ("m",),
        "menu",
        "All actions for the row, with the reasons of those it refuses",
        Scope.ITEM,
        footer=14,
    ),
    Command("item.inspect", ("i",), "inspect", "Show the engine's full answer", Scope.ITEM, footer=23),
    Command("item.copy_name", ("c",), "copy name", "Copy the name to the clipboard (OSC 52)", Scope.ITEM),
    Command("item.copy_id", ("C",), "copy id", "Copy the id to the clipboard (OSC 52)", Scope.ITEM),
    Command("list.mark", ("space",), "mark", "Mark or unmark the row and go down", Scope.LIST, footer=27),
    Command("list.mark_all", ("*",), "mark all", "Mark every row shown, or unmark when all are", Scope.LIST),
    Command("list.filter", ("/",), "filter", "Filter the list; in Inspect: search", Scope.LIST, footer=15),
    Command("list.running", ("a",), "all/running", "Show all, or only what runs", Scope.LIST),
    Command("list.sort", ("o",), "sort", "Choose the column to sort by", Scope.LIST, footer=28),
    Command("list.reverse", ("O",), "reverse", "Reverse the order", Scope.LIST),
    Command("details.open", ("enter",), "open", "Open the details of the row", Scope.DETAILS),
    Command("details.back", ("escape",), "back", "Back: close details, clear the filter, unmark", Scope.DETAILS),
    Command("details.next_tab", ("]",), "next tab", "Next details tab", Scope.DETAILS),
    Command("details.previous_tab", ("[",), "previous tab", "Previous details tab", Scope.DETAILS),
    Command("details.next_match", ("n",), "next match", "Next match of the search", Scope.DETAILS),
    Command("details.previous_match", ("N",), "previous match", "Previous match of the search", Scope.DETAILS),
    Command("view.containers", ("1",), "containers", "Containers", Scope.VIEW),
    Command("view.vms", ("2",), "VMs", "Virtual machines", Scope.VIEW),
    Command("view.images", ("3",), "images", "Images", Scope.VIEW),
    Command("view.boxes", ("0",), "all boxes", "Containers and VMs in one table, by CPU", Scope.VIEW, footer=25),
    Command(
        "view.host", ("4", "h"), "host", "The host: cores, memory, disks, network, with history", Scope.VIEW, footer=26
    ),
    Command("view.journal", ("5",), "journal", "What was done from here, and with what result", Scope.VIEW),
    Command("view.zoom", ("z",), "zoom", "Give the list the whole width, or share it with the details", Scope.VIEW),
    Command("view.next", ("tab",), "next pane", "Next pane", Scope.VIEW),
    Command("view.previous", ("shift+tab",), "previous pane", "Previous pane", Scope.VIEW),
    Command("app.palette", (":", "ctrl+p"), "commands", "Find a command by name", Scope.APP, footer=24),
    Command("app.help", ("?", "f1"), "help", "This help", Scope.APP, footer=16),
    Command("app.refresh", ("R", "f5"), "refresh", "Ask the engines now, also those that are lost", Scope.APP),
    Command("app.dismiss", ("x",), "dismiss", "Dismiss the newest message", Scope.APP),
    Command("app.demo", ("D",), "demo", "Show the demo, when no engine was found", Scope.APP),
    Command("app.quit", ("q", "ctrl+q"), "quit", "Quit; what runs goes on", Scope.APP, footer=17),
)

BY_ID: Mapping[str, Command] = {command.id: command for command in COMMANDS}

BY_ACTION: Mapping[Action, Command] = {command.action: command for command in COMMANDS if command.action}


def resolve(command: Command, items: Sequence[Item]) -> Action:
    """The action a command means for these items: the pause key resumes when the first of them is paused."""
    if command.action is None:
        raise ValueError(f"{command.id} is no action")
    if command.action is Action.PAUSE and items:
        first = items[0]
        if not isinstance(first, Image) and refusal(Action.RESUME, first) is None:
            return Action.RESUME
    return command.action


def unavailable(command: Command, items: Sequence[Item], barred: Mapping[str, str]) -> str | None:
    """Why an action command cannot act on any of `items` now, in words; None when it can act on at least one.

    `barred` gives the reason for each engine on which nothing can be done.
    """
    if not items:
        return "nothing is selected"
    action = resolve(command, items)
    reasons = [refusal_here(action, item, barred) for item in items]
    return None if None in reasons else reasons[0]


def refusal_here(action: Action, item: Item, barred: Mapping[str, str]) -> str | None:
    """As `backends.actions.refusal`, and refusing everything on a barred engine."""
    return barred.get(item.ref.engine) or refusal(action, item)


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
