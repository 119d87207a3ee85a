"""The commands of the view of a command's output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.commands.declare import Command, Scope
from tui.commands.tasks import ended

if TYPE_CHECKING:
    from tui.tasks import Task


_HERE = "output"


def _under_way(task: Task) -> str | None:
    return "it has not ended yet: end it first" if task.open else None


COMMANDS: tuple[Command, ...] = (
    Command("output.search", ("/",), "search", "Search in the output", Scope.VIEW, where=_HERE, footer=1),
    Command("output.next_match", ("n",), "next match", "Next match in the output", Scope.VIEW, where=_HERE),
    Command("output.previous_match", ("N",), "previous match", "Previous match in the output", Scope.VIEW, where=_HERE),
    Command("output.cancel", ("c",), "cancel", "End the command", Scope.VIEW, where=_HERE, footer=2, refuse=ended),
    Command(
        "output.again",
        ("r",),
        "run again",
        "Run the command once more",
        Scope.VIEW,
        where=_HERE,
        footer=3,
        refuse=_under_way,
    ),
    Command(
        "output.follow", ("f",), "follow", "Follow the end of the output, or stay", Scope.VIEW, where=_HERE, footer=4
    ),
    Command("output.wrap", ("w",), "wrap", "Wrap long lines, or cut them", Scope.VIEW, where=_HERE, footer=5),
    Command("output.timestamps", ("t",), "times", "Show when each line came", Scope.VIEW, where=_HERE),
    Command("output.next", ("]",), "next output", "Output of the next task", Scope.VIEW, where=_HERE),
    Command("output.previous", ("[",), "previous output", "Output of the previous task", Scope.VIEW, where=_HERE),
)
