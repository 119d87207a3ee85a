"""Groups on screen: folding, marking, acting on a header, Compose from its menu; and as pictures."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from backends.model import Kind, State
from tests.ui.boxtop import TestApp, listed, select, until
from tui.grouping import GroupKey
from tui.journal import tail
from tui.selection import name_of
from tui.tasks import TaskState
from widgets.confirm import Confirm
from widgets.picker import Picker

SIZE = (160, 48)
SHOP = 9


def headers(app: TestApp) -> list[str]:
    return [key.path[-1] if key.path else "" for key in keys(app) if isinstance(key, GroupKey)]


def keys(app: TestApp) -> list[object]:
    return [row.key for row in app.main.active.table.rows]


async def header(pilot: Pilot[object], *path: str) -> GroupKey:
    """Put the cursor on the header of this group."""
    app = pilot.app
    assert isinstance(app, TestApp)
    key = next(key for key in keys(app) if isinstance(key, GroupKey) and key.path == path)
    assert app.main.active.table.select(key)
    await pilot.pause()
    return key


async def grouped(pilot: Pilot[object]) -> TestApp:
    app = await listed(pilot)
    await pilot.press("v")
    await pilot.pause()
    return app


async def test_groups_come_go_and_fold(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        ref = await select(pilot, "shop-db")
        flat = len(keys(app))
        await pilot.press("v")
        assert headers(app) == ["monitoring", "shop", ""]
        assert app.main.active.table.cursor_key == ref
        await pilot.press("left")
        assert app.main.active.table.cursor_key == GroupKey("container", "docker", ("shop",))
        await pilot.press("left")
        assert len(keys(app)) == flat + 3 - SHOP
        await app.sample(3)
        await pilot.pause()
        assert len(keys(app)) == flat + 3 - SHOP
        await pilot.press("right", "right", "Z")
        assert headers(app) == ["monitoring", "shop", ""]
        assert len(keys(app)) == 3
        assert app.main.active.table.cursor_key == GroupKey("container", "docker", ("shop",))
        await pilot.press("enter")
        assert len(keys(app)) == 3 + SHOP
        await pilot.press("Z", "Z", "v")
        assert len(keys(app)) == flat
        assert name_of(app.main.active.current).startswith("shop-")


async def test_a_configured_group_is_there_from_the_first(tmp_path):
    app = TestApp(tmp_path / "journal.jsonl", group=True)
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        assert headers(app) == ["monitoring", "shop", ""]
        await pilot.press("2")
        assert headers(app) == ["build", "lab", "test", ""]
        await pilot.press("0")
        assert {"shop", "lab"} <= set(headers(app))
        await pilot.press("3", "v")
        assert not headers(app)


async def test_a_filter_opens_groups_and_keeps_those_with_a_match(app):
    async with app.run_test(size=SIZE) as pilot:
        await grouped(pilot)
        await pilot.press("Z", "/", *"grafana", "enter")
        assert headers(app) == ["monitoring"]
        assert len(keys(app)) == 2
        await pilot.press("escape")
        assert len(keys(app)) == 3


async def test_the_header_marks_and_acts_on_all_that_is_in_it(app):
    async with app.run_test(size=SIZE) as pilot:
        await grouped(pilot)
        key = await header(pilot, "monitoring")
        await pilot.press("enter", "space")
        assert {app.named(name).ref for name in ("grafana", "prometheus")} == app.main.active.marks
        assert key in app.main.active.table.marks
        await pilot.press("escape")
        assert not app.main.active.marks
        await header(pilot, "monitoring")
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, Confirm), "the question")
        assert app.store.get(app.named("grafana").ref).state is State.RUNNING
        await pilot.press("right", "enter")
        await until(pilot, lambda: app.named("grafana").state is State.EXITED, "grafana stopped")
        await until(pilot, lambda: app.named("prometheus").state is State.EXITED, "prometheus stopped")
        await until(pilot, lambda: not app.store.pending, "both ended")
        await pilot.press("s")
        await until(pilot, lambda: app.named("prometheus").state is State.RUNNING, "started without a question")


async def test_the_details_tell_of_the_group(app):
    async with app.run_test(size=SIZE) as pilot:
        await grouped(pilot)
        await header(pilot, "shop")
        assert app.main.details.group is not None
        assert app.main.details.group.size == SHOP
        await pilot.press("down")
        assert app.main.details.group is None
        assert app.main.details.item is not None


async def compose(pilot: Pilot[object], what: str) -> None:
    """Pick a Compose command from the row's menu."""
    await pilot.press("m")
    await until(pilot, lambda: isinstance(pilot.app.screen, Picker), "the menu")
    await pilot.press(*"compose", "space", *what, "enter")


async def test_down_asks_and_keeps_volumes(app):
    async with app.run_test(size=SIZE) as pilot:
        await grouped(pilot)
        await header(pilot, "monitoring")
        volumes = len(app.store.items[Kind.VOLUME])
        await compose(pilot, "down")
        await until(pilot, lambda: isinstance(app.screen, Confirm), "the question")
        await pilot.press("right", "enter")
        await until(pilot, lambda: "monitoring" not in headers(app), "the project is gone")
        await until(pilot, lambda: app.tasks.all[-1].state is TaskState.DONE, "the task is done")
        assert len(app.store.items[Kind.VOLUME]) == volumes
        await until(pilot, lambda: tail(app.journal_file), "the journal")
        entry = tail(app.journal_file)[-1]
        assert (entry.action, entry.name) == ("compose down", "monitoring")


async def test_from_a_container_its_service_or_its_project_is_picked(app):
    async with app.run_test(size=SIZE) as pilot:
        await grouped(pilot)
        await select(pilot, "grafana")
        await compose(pilot, "restart")
        await until(pilot, lambda: isinstance(app.screen, Picker) and len(app.screen._items) == 2, "service or project")
        await pilot.press("enter")
        await until(pilot, lambda: app.tasks.all and not app.tasks.all[-1].open, "the task ended")
        task = app.tasks.all[-1]
        assert (task.target, task.state) == ("monitoring/grafana", TaskState.DONE)


async def test_the_logs_of_a_project_are_one_view(app):
    async with app.run_test(size=SIZE) as pilot:
        await grouped(pilot)
        await header(pilot, "monitoring")
        await compose(pilot, "logs")
        await until(pilot, lambda: app.main.view == "logs", "the logs")


async def test_without_compose_a_project_is_stopped_through_its_containers(app, monkeypatch):
    from backends.base import ActionError
    from backends.demo.compose import DemoCompose

    async def absent(_: object) -> None:
        raise ActionError("neither `docker compose` nor docker-compose is on this machine: install it")

    monkeypatch.setattr(DemoCompose, "tool", absent)
    async with app.run_test(size=SIZE) as pilot:
        await grouped(pilot)
        await header(pilot, "monitoring")
        await compose(pilot, "stop")
        await until(pilot, lambda: isinstance(app.screen, Confirm), "the question of an ordinary stop")
        await pilot.press("right", "enter")
        await until(pilot, lambda: app.named("grafana").state is State.EXITED, "grafana stopped")
        assert not app.tasks.all


async def test_a_header_that_goes_does_not_make_a_key_mean_another_row(app):
    async with app.run_test(size=SIZE) as pilot:
        await grouped(pilot)
        await header(pilot, "monitoring")
        backend = app.session.backend("docker")
        for name in ("grafana", "prometheus"):
            backend.world.drop(app.named(name).ref)
        await until(pilot, lambda: "monitoring" not in headers(app), "the group is gone")
        await pilot.press("t")
        await pilot.pause(0.2)
        assert app.screen is app.main
        assert not app.store.pending


@pytest.mark.parametrize("size", [(160, 48), (80, 24)], ids=["160x48", "80x24"])
@pytest.mark.parametrize("folded", [False, True], ids=["open", "folded"])
def test_picture(app, size, folded, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        await grouped(pilot)
        await app.sample(20)
        if folded:
            await pilot.press("Z")
        await header(pilot, "shop")
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=before)


def test_picture_of_vms(app, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        await listed(pilot)
        await app.sample(20)
        await pilot.press("2", "v")
        await header(pilot, "lab")
        await pilot.pause()

    assert snap_compare(app, terminal_size=SIZE, run_before=before)


def test_picture_of_the_question_before_down(app, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        await grouped(pilot)
        await header(pilot, "shop")
        await compose(pilot, "down")
        await until(pilot, lambda: isinstance(app.screen, Confirm), "the question")
        await pilot.pause()

    assert snap_compare(app, terminal_size=(80, 24), run_before=before)
