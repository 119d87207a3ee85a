"""What is told of background tasks wherever the user is: a few words in the top line, a message at each end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.timer import Timer

from tui.commands import BY_ID
from tui.rows.tasks import indicator
from tui.tasks import Task, TaskState

if TYPE_CHECKING:
    from tui.app import BoxtopApp

_EACH = 0.25
"""Seconds between two drawings of the top line at least."""


class TaskNews:
    """Costs nothing while no task is under way."""

    def __init__(self, app: BoxtopApp) -> None:
        self._app = app
        self._due: Timer | None = None
        app.tasks.listen(self._changed)
        app.tasks.listen_ends(self._ended)

    def _changed(self) -> None:
        if self._due is None and self._app.is_running:
            self._due = self._app.set_timer(_EACH, self._draw)

    def _draw(self) -> None:
        self._due = None
        app = self._app
        app.main.show_work(indicator(app.tasks.under_way, app.look().glyphs))

    def _ended(self, task: Task) -> None:
        main = self._app.main
        if not main.is_mounted:
            return
        if task.state is TaskState.DONE:
            main.say(f"{task.title}: {task.result}", "ok")
        elif task.state is TaskState.FAILED:
            key = self._app.keymap.first(BY_ID["view.tasks"])
            more = f" ({key}: tasks)" if key else ""
            main.notices.add(notice_of(task), f"{task.title}: {task.result}{more}", "error")
        else:
            main.say(f"{task.title}: cancelled.", "warn")


def notice_of(task: Task) -> str:
    """The id of the message about a task's failure."""
    return f"task {task.id}"
