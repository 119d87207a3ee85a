"""The tasks view: which task it shows to somebody who comes to it."""

from __future__ import annotations

from backends.base import ActionError
from backends.progress import Report
from tests.ui.boxtop import TestApp, listed, until
from tui.tasks import TaskState
from tui.tasks_view import TasksView


async def test_it_opens_on_what_was_started_since_and_else_where_one_was(tmp_path):
    app = TestApp(tmp_path / "journal.jsonl")
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)

        async def work(report: Report) -> str:
            raise ActionError("no such thing")

        first = app.tasks.start("pull", "one:1", "docker", work)
        await pilot.press("8")
        view = app.main.views["tasks"]
        assert isinstance(view, TasksView)
        await until(pilot, lambda: view.current is first, "the first")
        await pilot.press("1")
        second = app.tasks.start("pull", "two:2", "docker", work)
        await until(pilot, lambda: second.state is TaskState.FAILED, "its end")
        await pilot.press("8")
        await until(pilot, lambda: view.current is second, "the one that was started since")
        await pilot.press("j", "1", "8")
        assert view.current is first
        third = app.tasks.start("pull", "three:3", "docker", work)
        await until(pilot, lambda: view.table.row_count == 3 and third.state is TaskState.FAILED, "the third listed")
        assert view.current is first
