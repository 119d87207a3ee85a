"""The commands of the tasks view: what runs in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.commands.declare import Command, Scope

if TYPE_CHECKING:
    from tui.tasks import Task

_AGAIN = frozenset({"failed", "cancelled"})


def ended(task: Task) -> str | None:
    """Why it cannot be cancelled."""
    return None if task.open else f"{task.title} has ended already"


def _not_failed(task: Task) -> str | None:
    return None if task.state in _AGAIN else "only what failed or was cancelled is started once more"


def _under_way(task: Task) -> str | None:
    return "it is under way: cancel it first" if task.open else None


COMMANDS: tuple[Command, ...] = (
    Command("view.tasks", ("8",), "tasks", "What runs in the background: progress, output, results", Scope.VIEW),
    Command(
        "tasks.output",
        ("o",),
        "output",
        "Go to the selected task's output; Esc: back",
        Scope.VIEW,
        where="tasks",
    ),
    Command(
        "tasks.cancel",
        ("c",),
        "cancel",
        "Cancel the selected task; asks first when it is at work",
        Scope.VIEW,
        where="tasks",
        footer=2,
        refuse=ended,
    ),
    Command(
        "tasks.retry",
        ("r",),
        "retry",
        "Start the selected task once more when it failed",
        Scope.VIEW,
        where="tasks",
        footer=3,
        refuse=_not_failed,
        changes=True,
    ),
    Command("tasks.retry_all", ("F",), "retry failed", "Start all failed tasks once more", Scope.VIEW, where="tasks"),
    Command(
        "tasks.forget",
        ("d", "delete"),
        "forget",
        "Take the selected task off the list when it has ended",
        Scope.VIEW,
        where="tasks",
        footer=4,
        refuse=_under_way,
    ),
    Command(
        "tasks.forget_all",
        ("D",),
        "forget ended",
        "Take all ended tasks off the list",
        Scope.VIEW,
        where="tasks",
    ),
)
