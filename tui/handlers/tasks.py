"""Commands of the tasks view."""

from __future__ import annotations

from tui.confirmations import CANCEL
from tui.handlers.area import Area
from tui.task_news import notice_of
from tui.tasks import Task, TaskState
from tui.tasks_view import TasksView
from widgets.confirm import Choice, Confirm
from widgets.tones import Tone

_AGAIN = {TaskState.FAILED, TaskState.CANCELLED}


class TasksArea(Area):
    def output(self) -> None:
        if self._current("look at") is not None:
            self._view.output.focus()

    async def cancel(self) -> None:
        task = self._current("cancel")
        if task is None:
            return
        if not task.open:
            self.main.say(f"{task.title} has ended already.")
            return
        if task.state is TaskState.RUNNING and not await self._agreed(task):
            return
        if task.open:
            self.app.tasks.cancel(task)
        else:
            self.main.say(f"{task.title} has ended meanwhile.")

    async def _agreed(self, task: Task) -> bool:
        lines: list[tuple[str, Tone]] = [
            (f"{task.title}  on {task.engine}", "strong"),
            ("It stops where it is: what it was to make is not made, what it has removed stays removed.", "warn"),
        ]
        choices = (Choice(CANCEL, "Go on"), Choice("end", "Cancel it", tone="warn"))
        answer = await self.ask(Confirm("Cancel?", lines, choices=choices, safe=CANCEL, glyphs=self.glyphs))
        return answer is not None and answer.choice == "end"

    def retry(self) -> None:
        task = self._current("retry")
        if task is not None:
            if task.state in _AGAIN:
                self._again(task)
            else:
                self.main.say("Only what failed or was cancelled is started once more.")

    def retry_all(self) -> None:
        failed = [task for task in self.app.tasks.all if task.state is TaskState.FAILED]
        for task in failed:
            self._again(task)
        if not failed:
            self.main.say("No task failed.")

    def forget(self) -> None:
        task = self._current("forget")
        if task is None:
            return
        if task.open:
            self.main.say("It is under way: cancel it first.")
            return
        self.main.notices.dismiss(notice_of(task))
        self.app.tasks.forget(task)

    def forget_all(self) -> None:
        for task in self.app.tasks.all:
            if not task.open:
                self.main.notices.dismiss(notice_of(task))
        self.app.tasks.forget_ended()

    def _again(self, task: Task) -> None:
        """A task of its own takes the place of the one that failed."""
        reason = self.app.store.barred.get(task.engine)
        if reason:
            self.main.say(f"retry {task.title}: {reason}.", "warn")
            return
        self.main.notices.dismiss(notice_of(task))
        fresh = self.app.tasks.retry(task)
        self.app.tasks.forget(task)
        self._view.draw()
        self._view.table.select(fresh.id)

    @property
    def _view(self) -> TasksView:
        view = self.main.views["tasks"]
        assert isinstance(view, TasksView)  # noqa: S101
        return view

    def _current(self, verb: str) -> Task | None:
        task = self._view.current
        if task is None:
            self.main.say(f"There is no task to {verb}.")
        return task
