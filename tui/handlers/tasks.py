"""Commands of the tasks view."""

from __future__ import annotations

from collections.abc import Sequence

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
        if task is not None:
            await cancelled(self, task)

    async def retry(self) -> None:
        task = self._current("retry")
        if task is None:
            return
        if task.state not in _AGAIN:
            self.main.say("Only what failed or was cancelled is started once more.")
            return
        await self._retry([task])

    async def retry_all(self) -> None:
        failed = [task for task in self.app.tasks.all if task.state is TaskState.FAILED]
        if not failed:
            self.main.say("No task failed.")
            return
        await self._retry(failed)

    async def _retry(self, tasks: Sequence[Task]) -> None:
        if (len(tasks) > 1 or tasks[0].asked) and not await agreed_again(self, tasks):
            return
        for task in tasks:
            # one that was forgotten meanwhile is not meant any more
            if task in self.app.tasks.all:
                self._again(task)

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


async def agreed_again(area: Area, tasks: Sequence[Task]) -> bool:
    """Ask whether these are to be done once more."""
    lines: list[tuple[str, Tone]] = []
    for task in tasks:
        lines.append((f"{task.title}  on {task.engine}", "strong"))
        lines.append((f"  {task.state}: {task.result}", "dim"))
    lines += [("", ""), ("It is done with the choices made then, to what has these names now.", "warn")]
    title = f"Retry {tasks[0].title}?" if len(tasks) == 1 else f"Retry {len(tasks)} tasks?"
    choices = (Choice(CANCEL, "Cancel"), Choice("retry", "Retry", tone="warn"))
    answer = await area.ask(Confirm(title, lines, choices=choices, safe=CANCEL, glyphs=area.glyphs))
    return answer is not None and answer.choice == "retry"


async def cancelled(area: Area, task: Task) -> None:
    """Cancel it; asks first when it is at work."""
    app, main = area.app, area.main
    if not task.open:
        main.say(f"{task.title} has ended already.")
        return
    if task.state is TaskState.RUNNING:
        lines: list[tuple[str, Tone]] = [
            (f"{task.title}  on {task.engine}", "strong"),
            ("It stops where it is: what it was to make is not made, what it has removed stays removed.", "warn"),
        ]
        choices = (Choice(CANCEL, "Go on"), Choice("end", "Cancel it", tone="warn"))
        answer = await area.ask(Confirm("Cancel?", lines, choices=choices, safe=CANCEL, glyphs=area.glyphs))
        if answer is None or answer.choice != "end":
            return
    if task.open:
        app.tasks.cancel(task)
    else:
        main.say(f"{task.title} has ended meanwhile.")
