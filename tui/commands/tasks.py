"""The commands of the tasks view: what runs in the background."""

from __future__ import annotations

from tui.commands.declare import Command, Scope

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
    ),
    Command(
        "tasks.retry",
        ("r",),
        "retry",
        "Start the selected task once more when it failed",
        Scope.VIEW,
        where="tasks",
        footer=3,
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
