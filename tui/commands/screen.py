"""Commands of a VM's screen: opening it, what is done in its view, and typing into it."""

from __future__ import annotations

from backends.model import VM, Item, Kind, State
from tui.commands.declare import Command, Scope

PLACE = "screen"
STOP_TYPING = "screen.stop_typing"
_VMS = frozenset({Kind.VM})
_DARK = frozenset({State.OFF, State.SAVED, State.CRASHED, State.CREATED, State.DELETING})


def dark(item: Item) -> str | None:
    """Why a VM in this state shows nothing."""
    if isinstance(item, VM) and item.state in _DARK:
        return f"{item.name} is {item.state}: only what runs has a screen"
    return None


def deaf(item: Item) -> str | None:
    """Why nothing can be typed into a VM in this state."""
    if isinstance(item, VM) and item.state is not State.RUNNING:
        return f"{item.name} is {item.state}: it must run for that"
    return None


COMMANDS: tuple[Command, ...] = (
    Command(
        "screen.open",
        ("V",),
        "screen",
        "See the VM's screen, read its text, type into it",
        Scope.ITEM,
        kinds=_VMS,
        footer=14,
        ability="screens.Screens",
        refuse=dark,
        many=False,
    ),
    Command(
        "screen.type_text",
        ("Y",),
        "type a text",
        "Have a text typed into the VM, as on a US keyboard",
        Scope.ITEM,
        kinds=_VMS,
        ability="screens.Keyboard",
        refuse=deaf,
        changes=True,
        many=False,
    ),
    Command(
        "screen.ctrl_alt_del",
        (),
        "Ctrl-Alt-Del",
        "Press Ctrl-Alt-Del in the VM: many guests restart at once; asks first",
        Scope.ITEM,
        kinds=_VMS,
        ability="screens.Keyboard",
        refuse=deaf,
        changes=True,
        many=False,
    ),
    Command("screen.typing", ("i",), "type", "Pass every key to the VM", Scope.VIEW, footer=1, where=PLACE,
            changes=True, refuse=deaf),
    Command(
        "screen.mode", ("v",), "picture/text", "Show the text read from the screen, or its picture", Scope.VIEW,
        footer=2, where=PLACE,
    ),
    Command("screen.follow", ("f",), "live/hold", "Follow the screen, or hold it still", Scope.VIEW, footer=3,
            where=PLACE),
    Command("screen.zoom_in", ("+", "="), "zoom in", "Larger, up to single pixels", Scope.VIEW, footer=4, where=PLACE),
    Command("screen.zoom_out", ("-",), "out", "Smaller, down to all of it", Scope.VIEW, footer=5, where=PLACE),
    Command("screen.fit", ("z",), "fit", "All of the screen", Scope.VIEW, where=PLACE),
    Command("screen.write", ("Y",), "type a text", "Have a text typed, as on a US keyboard", Scope.VIEW, footer=6,
            where=PLACE, changes=True, refuse=deaf),
    Command(
        "screen.keys", ("K",), "keys", "Press keys that a terminal keeps or cannot send: Ctrl-Alt-Del, F12, ...",
        Scope.VIEW, footer=7, where=PLACE, changes=True, refuse=deaf,
    ),
    Command("screen.find", ("/",), "search", "Search the text", Scope.VIEW, footer=8, where=PLACE),
    Command("screen.next", ("n",), "next match", "Next match", Scope.VIEW, where=PLACE),
    Command("screen.previous", ("N",), "previous match", "Previous match", Scope.VIEW, where=PLACE),
    Command("screen.copy", ("c",), "copy", "Copy the text to the clipboard (OSC 52)", Scope.VIEW, footer=9,
            where=PLACE, refuse=dark),
    Command("screen.save", ("S",), "save PNG", "Save the picture to a file", Scope.VIEW, footer=10, where=PLACE,
            refuse=dark),
    Command("screen.refresh", ("r",), "look again", "Ask for the screen now", Scope.VIEW, where=PLACE),
    Command(
        STOP_TYPING, ("ctrl+right_square_bracket", "f12"), "stop typing", "Keys are boxtop's again",
        Scope.VIEW, where=PLACE,
    ),
)  # fmt: skip
