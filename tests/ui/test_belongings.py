"""Volumes, networks and events on the demo: as pictures, and by the keys an operator presses."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from backends.model import Kind, Network, Ref, Volume
from tests.ui.boxtop import TestApp, asked, listed, press, said, select, typed, until
from tui.events_view import EventsView
from tui.tasks import TaskState
from widgets.confirm import Confirm
from widgets.form import Form
from widgets.picker import Picker

SIZES = pytest.mark.parametrize("size", [(160, 48), (80, 24)], ids=["160x48", "80x24"])


def volumes(app: TestApp) -> dict[str, Volume]:
    return {item.name: item for item in app.store.of_kind(Kind.VOLUME) if isinstance(item, Volume)}


def networks(app: TestApp) -> dict[str, Network]:
    return {item.name: item for item in app.store.of_kind(Kind.NETWORK) if isinstance(item, Network)}


def row(app: TestApp, ref: Ref) -> None:
    assert app.main.active.table.select(ref)


# -- pictures ------------------------------------------------------------------------------------------------------


@SIZES
def test_volumes(app: TestApp, size: tuple[int, int], snap_compare) -> None:
    async def before(pilot: Pilot[object]) -> None:
        await listed(pilot)
        await press(pilot, "6", "s")
        await until(pilot, lambda: app.store.volume_sizes, "the sizes")
        row(app, volumes(app)["shop_db-data"].ref)
        app.main.warnings.dismiss_newest()
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=before)


@SIZES
def test_networks(app: TestApp, size: tuple[int, int], snap_compare) -> None:
    async def before(pilot: Pilot[object]) -> None:
        await listed(pilot)
        await press(pilot, "7")
        row(app, networks(app)["shop_default"].ref)
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=before)


@SIZES
def test_events(app: TestApp, size: tuple[int, int], snap_compare) -> None:
    async def before(pilot: Pilot[object]) -> None:
        await listed(pilot)
        await app.sample(20)
        await press(pilot, "9")

    assert snap_compare(app, terminal_size=size, run_before=before)


def test_question_before_volumes_are_pruned(app: TestApp, snap_compare) -> None:
    async def before(pilot: Pilot[object]) -> None:
        await listed(pilot)
        await press(pilot, "6", "X")
        await asked(pilot, Confirm)
        app.main.warnings.dismiss_newest()
        await pilot.pause(0.1)

    assert snap_compare(app, terminal_size=(80, 24), run_before=before)


# -- volumes -------------------------------------------------------------------------------------------------------


async def test_a_volume_goes_when_its_name_was_typed_and_a_used_one_says_by_whom(app: TestApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        await press(pilot, "6")
        row(app, volumes(app)["shop_db-data"].ref)
        await press(pilot, "d")
        await until(pilot, lambda: "used by shop-db" in said(app), "who uses it")
        row(app, volumes(app)["shop_uploads-old"].ref)
        await press(pilot, "d")
        await asked(pilot, Confirm)
        await typed(pilot, "shop_uploads-old")
        await press(pilot, "enter", "enter")
        await until(pilot, lambda: "shop_uploads-old" not in volumes(app), "its end")


async def test_a_volume_is_made_by_the_form_and_selected(app: TestApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        await press(pilot, "6", "+")
        await asked(pilot, Form)
        await typed(pilot, "shop_db-data")
        await press(pilot, "ctrl+s")
        assert isinstance(app.screen, Form), "the name is taken"
        await typed(pilot, "-17")
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "shop_db-data-17" in volumes(app), "the volume")
        made = volumes(app)["shop_db-data-17"].ref
        await until(pilot, lambda: app.main.active.table.cursor_key == made, "the new row's selection")


async def test_pruning_removes_what_was_listed_and_nothing_else(app: TestApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        before = volumes(app)
        used = {name for name, item in before.items() if app.store.users_of(item)}
        named = {name for name, item in before.items() if name not in used and not item.anonymous}
        await press(pilot, "6", "X")
        await asked(pilot, Confirm)
        await press(pilot, "right", "enter")
        await until(pilot, lambda: app.tasks.all and not app.tasks.under_way, "the task")
        assert set(volumes(app)) == used | named
        assert app.tasks.all[0].state is TaskState.DONE
        assert app.tasks.all[0].result.startswith("2 removed, ")
        assert len(app.tasks.all[0].lines) == 2


async def test_pruning_leaves_alone_what_is_used_by_the_time(app: TestApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        await press(pilot, "7")
        assert "staging_default" in networks(app)
        await press(pilot, "X")
        await asked(pilot, Confirm)
        backend = app.session.backend("docker")
        assert backend is not None
        from backends.abilities.belongings import Networks

        keeper = backend.ability(Networks)
        assert keeper is not None
        await keeper.connect(networks(app)["staging_default"].ref, app.named("shop-web").ref)
        await app.sample()
        await press(pilot, "right", "enter")
        await until(pilot, lambda: app.tasks.all and not app.tasks.under_way, "the task")
        assert app.tasks.all[0].state is TaskState.FAILED
        assert "used by shop-web now" in app.tasks.all[0].result
        assert "staging_default" in networks(app)


async def test_a_container_under_recreation_is_not_pruned(app: TestApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        app.tasks.start("recreate", "shop-migrate", "docker", lambda _: asyncio.sleep(60, ""))
        await press(pilot, "X")
        await asked(pilot, Confirm)
        told = [text for text, _ in app.screen._texts]  # type: ignore[attr-defined]
        assert any("nightly-backup" in text for text in told)
        assert not any("shop-migrate" in text for text in told)


async def test_stopped_containers_the_filter_shows_are_pruned_and_no_others(app: TestApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        await press(pilot, "slash")
        await typed(pilot, "shop -canary")
        await press(pilot, "enter", "X")
        await asked(pilot, Confirm)
        await press(pilot, "right", "enter")
        await until(pilot, lambda: app.tasks.all and not app.tasks.under_way, "the task")
        left = {item.name for item in app.store.of_kind(Kind.CONTAINER)}
        assert "shop-migrate" not in left
        assert {"nightly-backup", "shop-proxy-canary", "shop-web"} <= left
        assert app.tasks.all[0].result.startswith("1 removed, ")


async def test_a_volume_made_anew_since_the_question_is_not_pruned(app: TestApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        await press(pilot, "6", "X")
        await asked(pilot, Confirm)
        lost = next(item for item in volumes(app).values() if item.anonymous and not app.store.users_of(item))
        backend = app.session.backend(lost.ref.engine)
        backend._world.put(replace(lost, created=1.0))  # type: ignore[union-attr]
        await press(pilot, "right", "enter")
        await until(pilot, lambda: app.tasks.all and not app.tasks.under_way, "the task")
        assert "was made anew meanwhile" in "\n".join(app.tasks.all[0].lines)
        assert lost.name in volumes(app)


# -- networks ------------------------------------------------------------------------------------------------------


async def test_a_container_joins_and_leaves_from_either_side(app: TestApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        await press(pilot, "7")
        row(app, networks(app)["monitoring_default"].ref)
        await press(pilot, "l")
        await asked(pilot, Picker)
        await typed(pilot, "shop-web")
        await press(pilot, "enter")
        await asked(pilot, Form)
        await press(pilot, "tab")
        await typed(pilot, "10.1.1.1")
        await press(pilot, "ctrl+s")
        assert isinstance(app.screen, Form), "the address is in another subnet"
        for _ in "10.1.1.1":
            await press(pilot, "backspace")
        await press(pilot, "ctrl+s")
        web = app.named("shop-web").ref
        await until(pilot, lambda: len(app.store.get(web).networks) == 2, "it is in both")

        await press(pilot, "1")
        await select(pilot, "shop-web")
        await press(pilot, "m")
        await asked(pilot, Picker)
        await typed(pilot, "leave")
        await press(pilot, "enter")
        await until(pilot, lambda: isinstance(app.screen, Picker) and not app.screen.query_one(Input).value, "networks")
        await typed(pilot, "monitoring")
        await press(pilot, "enter")
        await asked(pilot, Confirm)
        await press(pilot, "right", "enter")
        await until(pilot, lambda: len(app.store.get(web).networks) == 1, "it left")


async def test_a_network_is_made(app: TestApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        await press(pilot, "7", "+")
        await asked(pilot, Form)
        await typed(pilot, "blue")
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: "blue" in networks(app), "the network")
        assert networks(app)["blue"].subnets


async def test_read_only_takes_it_all_away(tmp_path: Path) -> None:
    app = TestApp(tmp_path / "journal.jsonl", read_only=True)
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        for view in ("6", "7"):
            await press(pilot, view, "+")
            await until(pilot, lambda: "read-only" in said(app), "the refusal")
            for key in ("X", "d"):
                await press(pilot, key)
                assert app.screen is app.main


# -- events --------------------------------------------------------------------------------------------------------


async def test_events_follow_hold_and_filter(app: TestApp) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await listed(pilot)
        await press(pilot, "9")
        view = app.main.views["events"]
        assert isinstance(view, EventsView)
        count = view.table.row_count
        assert view.table.cursor_index == count - 1
        await app.sample(15)
        await until(pilot, lambda: view.table.row_count > count, "new events")
        assert view.table.cursor_index == view.table.row_count - 1

        await press(pilot, "k")
        assert view.held
        held = view.table.row_count
        await app.sample(15)
        await pilot.pause(0.6)
        assert view.table.row_count == held
        await press(pilot, "f")
        assert view.table.row_count > held

        await press(pilot, "slash")
        await typed(pilot, "die -nothing")
        await until(pilot, lambda: {view._events[row.key].action for row in view.table.rows} == {"die"}, "the filter")  # type: ignore[index]
        await press(pilot, "enter", "enter")
        await asked(pilot, Confirm)
        await press(pilot, "right", "enter")
        await until(pilot, lambda: app.main.view == "panes", "the container's list")
        assert app.main.active.current == app.named("shop-mailer")


async def test_chatter_shows_on_demand(app: TestApp) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await listed(pilot)
        await press(pilot, "9")
        view = app.main.views["events"]
        assert isinstance(view, EventsView)
        without = view.table.row_count
        await press(pilot, "a")
        assert view.table.row_count > without
        await press(pilot, "escape")
        assert app.main.view == "panes"
