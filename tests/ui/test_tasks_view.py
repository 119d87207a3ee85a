"""The tasks view: which task it shows to somebody who comes to it; and what becomes of tasks when boxtop quits."""

from __future__ import annotations

import asyncio

from backends.base import ActionError
from backends.progress import Report
from tests.ui.boxtop import TestApp, listed, until
from tui.tasks import Tasks, TaskState
from tui.tasks_view import TasksView
from widgets.confirm import Confirm


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


async def test_quitting_waits_until_what_a_task_has_begun_is_undone(tmp_path):
    app = TestApp(tmp_path / "journal.jsonl")
    begun, may_end, undone = asyncio.Event(), asyncio.Event(), []

    async def work(report: Report) -> str:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            await may_end.wait()
            report.line("undone: the disk x")
            undone.append(True)
        return ""

    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        task = app.tasks.start("create", "x", "libvirt", work)
        await begun.wait()
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, Confirm), "the question")
        await pilot.press("right", "enter")
        await until(pilot, lambda: app.leaving, "it to be on its way out")
        assert app.is_running and not undone
        may_end.set()
        await until(pilot, lambda: not app.tasks.under_way, "the end of the task")
    assert undone and task.result == "cancelled; undone: the disk x"
    assert app.return_code == 0


async def test_a_signal_waits_for_the_undoing_too(tmp_path):
    tasks = Tasks(tmp_path / "journal.jsonl", noted=lambda: None)
    undone = []

    async def work(report: Report) -> str:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.8)
            undone.append(True)
        return ""

    task = tasks.start("create", "x", "libvirt", work)
    await asyncio.sleep(0.01)
    tasks.cancel(task)
    await tasks.close()
    assert undone == [True], "cancelled once, however often it is asked: a second time would end the undoing"
