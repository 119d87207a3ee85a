"""Commands of the view of a command's output."""

from __future__ import annotations

from tui.handlers.area import Area
from tui.handlers.tasks import agreed_again, cancelled
from tui.output_view import OutputView


class Output(Area):
    @property
    def _view(self) -> OutputView:
        view = self.main.views["output"]
        assert isinstance(view, OutputView)  # noqa: S101
        return view

    def search(self) -> None:
        self._view.ask_search()

    def next_match(self) -> None:
        self._find(1)

    def previous_match(self) -> None:
        self._find(-1)

    def _find(self, step: int) -> None:
        if not self._view.find(step):
            self.main.say("Nothing is searched for, or nothing was found: / searches.")

    async def cancel(self) -> None:
        task = self._view.task_shown
        if task is not None:
            await cancelled(self, task)

    async def again(self) -> None:
        task = self._view.task_shown
        if task is None or task.open:
            self.main.say("It has not ended yet: c ends it.")
            return
        if task.asked and not await agreed_again(self, [task]):
            return
        self._view.watch_task(self.app.tasks.retry(task))

    def follow(self) -> None:
        self._view.log_view.follow(not self._view.log_view.following)

    def wrap(self) -> None:
        self._view.toggle_wrap()

    def timestamps(self) -> None:
        self._view.toggle_times()

    def next(self) -> None:
        self._view.step(1)

    def previous(self) -> None:
        self._view.step(-1)
