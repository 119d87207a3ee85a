"""Commands of logs: opening them, and what is done in their view."""

from __future__ import annotations

from backends.model import Kind
from tui.commands.declare import Command, Scope

PLACE = "logs"

COMMANDS: tuple[Command, ...] = (
    Command(
        "logs.open",
        ("l",),
        "logs",
        "Follow the log; those of all marked containers merged by time",
        Scope.ITEM,
        kinds=frozenset({Kind.CONTAINER}),
        footer=13,
        ability="logs.Logs",
    ),
    Command("logs.find", ("/",), "search", "Search; /…/ is a regular expression", Scope.VIEW, footer=2, where=PLACE),
    Command("logs.next", ("n",), "next match", "Next match", Scope.VIEW, where=PLACE),
    Command("logs.previous", ("N",), "previous match", "Previous match", Scope.VIEW, where=PLACE),
    Command(
        "logs.filter",
        ("\\",),
        "filter",
        "Show only lines with this text, or without it: !text; /…/ is a regular expression",
        Scope.VIEW,
        footer=3,
        where=PLACE,
    ),
    Command("logs.since", ("s",), "since", "Choose how far back it goes", Scope.VIEW, footer=4, where=PLACE),
    Command("logs.follow", ("f",), "follow", "Follow the end, or hold still", Scope.VIEW, footer=1, where=PLACE),
    Command("logs.timestamps", ("t",), "times", "Show each line's time, or not", Scope.VIEW, footer=5, where=PLACE),
    Command("logs.wrap", ("w",), "wrap", "Wrap long lines, or cut them off", Scope.VIEW, where=PLACE),
    Command("logs.save", ("S",), "save", "Save the lines shown to a file", Scope.VIEW, footer=6, where=PLACE),
    Command(
        "logs.copy",
        ("c",),
        "copy",
        "Copy the selected lines (Shift-↑, Shift-↓, mouse), or those on screen",
        Scope.VIEW,
        where=PLACE,
    ),
    Command(
        "logs.clear", ("X",), "clear", "Forget the lines so far; the container keeps them", Scope.VIEW, where=PLACE
    ),
)
