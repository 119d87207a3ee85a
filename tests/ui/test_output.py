"""The output of the user's own commands, and the choice of a shell: as pictures, and under the keys."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from textual.pilot import Pilot

from backends.base import ActionError
from backends.model import Kind
from backends.progress import Report
from tests.ui.boxtop import TestApp, listed, select, until
from tui.custom.declared import CustomCommand
from tui.output_view import OutputView
from tui.tasks import Task, TaskState

COMMANDS = (
    CustomCommand("history", ("docker", "history", "{image}"), frozenset({Kind.CONTAINER}), key="f6"),
    CustomCommand("look", ("dive", "{image}"), frozenset({Kind.CONTAINER}), output="terminal", changes=False),
)


@pytest.fixture
def app(tmp_path: Path) -> TestApp:
    return TestApp(tmp_path / "journal.jsonl", commands=COMMANDS)


async def shown(pilot: Pilot[object], lines: int = 60) -> tuple[TestApp, OutputView, Task]:
    """The app in the view of a task that wrote so many lines and failed."""
    app = await listed(pilot)

    async def work(report: Report) -> str:
        for number in range(lines):
            report.line(f"step {number}: {'copied ' * (number % 9)}{number * 37 % 100} files")
        raise ActionError("ended with exit status 4")

    task = app.tasks.start("check", "shop-web", "docker", work)
    await app.main.show_view("output")
    view = app.main.views["output"]
    assert isinstance(view, OutputView)
    view.watch_task(task)
    await until(pilot, lambda: task.state is TaskState.FAILED, "its end")
    await until(pilot, lambda: view.log_view.ring.count == min(lines, 5000), "its lines")
    view.draw()
    app.main.notices.dismiss()
    await pilot.pause()
    return app, view, task


@pytest.mark.parametrize("size", [(160, 48), (80, 24)], ids=["160x48", "80x24"])
def test_output(app, size, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        await shown(pilot)
        await pilot.press("slash", *"step 4", "enter")
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=before)


def test_choice_of_a_shell(app, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        await listed(pilot)
        await select(pilot, "shop-db")
        await pilot.press("E")
        await until(pilot, lambda: type(pilot.app.screen).__name__ == "Form", "the form")
        await pilot.pause()

    assert snap_compare(app, terminal_size=(80, 24), run_before=before)


def test_question_before_a_command(app, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        await listed(pilot)
        await select(pilot, "shop-db")
        await pilot.press("f6")
        await until(pilot, lambda: type(pilot.app.screen).__name__ == "Confirm", "the question")
        await pilot.pause()

    assert snap_compare(app, terminal_size=(80, 24), run_before=before)


async def test_output_is_bounded_and_searched(app: TestApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        _, view, task = await shown(pilot, 7000)
        assert (task.dropped, view.log_view.ring.count) == (2000, 5000)
        await pilot.press("slash", *"step 3210:", "enter")
        await pilot.pause()
        ring, selected = view.log_view.ring, view.log_view.selected
        assert selected is not None
        assert ring.texts[selected[0] - ring.base].startswith(b"step 3210:")
        assert not view.log_view.following
        await pilot.press("n")  # there is no other
        assert view.log_view.selected == selected
        await pilot.press("f")
        assert view.log_view.following
        await pilot.press("escape", "escape")
        await pilot.pause()
        assert app.main.view == "panes"


async def test_it_is_run_again_and_cancelled(app: TestApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await listed(pilot)
        begun = 0

        async def work(report: Report) -> str:
            nonlocal begun
            begun += 1
            report.line(f"run {begun}")
            await asyncio.sleep(60)
            return "done"

        task = app.tasks.start("wait", "shop-web", "docker", work)
        await app.main.show_view("output")
        view = app.main.views["output"]
        assert isinstance(view, OutputView)
        view.watch_task(task)
        await until(pilot, lambda: begun == 1, "the first run")
        await pilot.press("r")  # not while it runs
        await pilot.press("c")
        await until(pilot, lambda: type(pilot.app.screen).__name__ == "Confirm", "the question")
        await pilot.press("right", "enter")
        await until(pilot, lambda: task.state is TaskState.CANCELLED, "its end")
        await pilot.press("r")
        await until(pilot, lambda: begun == 2, "the second run")
        assert view.task_shown is not task
        await pilot.press("left_square_bracket")
        assert view.task_shown is task


async def test_the_users_commands_are_in_menu_palette_and_help(app: TestApp) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        await listed(pilot)
        await select(pilot, "shop-db")
        for key in ("m", "colon"):
            await pilot.press(key)
            await pilot.pause()
            offered = {item.id for item in pilot.app.screen._items}  # type: ignore[attr-defined]
            assert {"custom.history", "custom.look"} <= offered
            await pilot.press("escape")
            await pilot.pause()
        assert any(hint.id == "custom.history" for hint in app.main.keybar._hints)
