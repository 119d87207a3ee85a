"""Snapshots and clones of VMs on the demo: the tree, the questions, the form, and what they come to."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from backends.model import VM, Action, ActionOptions, Kind, State
from tests.ui.boxtop import DEMO, TestApp, asked, listed, press, said, select, typed, until
from tui.options import HostOption
from tui.snapshots_view import SnapshotsView
from tui.tabs.snapshots import SnapshotsTab
from tui.tasks import TaskState
from widgets.confirm import Confirm
from widgets.form import Form
from widgets.picker import Picker

SIZES = pytest.mark.parametrize("size", [(160, 48), (80, 24)], ids=["160x48", "80x24"])
FAST = (HostOption("demo://docker"), HostOption("demo://virtualbox?pace=0.05"))


@pytest.fixture
def app(tmp_path: Path) -> TestApp:
    return TestApp(tmp_path / "journal.jsonl", hosts=FAST)


async def opened(pilot: Pilot[object], name: str) -> SnapshotsView:
    """The view of this VM's snapshots, once it shows them."""
    app = await listed(pilot)
    await press(pilot, "2")
    await select(pilot, name)
    await press(pilot, "S")
    view = app.main.views["snapshots"]
    assert isinstance(view, SnapshotsView)
    await until(pilot, lambda: view.table.row_count, "the tree")
    await pilot.pause()
    return view


def pick(view: SnapshotsView, name: str) -> str:
    assert view.found is not None
    found = next(one for one in view.found.snapshots if one.name == name)
    view.table.select(found.id)
    return found.id


def names(view: SnapshotsView) -> list[str]:
    assert view.found is not None
    return [one.name for one in view.found.snapshots]


def machine(app: TestApp, name: str) -> VM:
    vm = app.named(name)
    assert isinstance(vm, VM)
    return vm


async def task_done(pilot: Pilot[object], app: TestApp, state: TaskState = TaskState.DONE) -> str:
    await until(pilot, lambda: app.tasks.all and not app.tasks.under_way, "the task")
    assert app.tasks.all[-1].state is state, app.tasks.all[-1].result
    await app.sample()
    await pilot.pause()
    return app.tasks.all[-1].result


async def test_the_ages_go_on_while_the_view_is_open(app: TestApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.snapshots_view._AGES", 0.05)
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot, "build-debian")
        before = view.table.rows[0].cells[1].text
        app.clock.now += 86400 * 60
        await until(pilot, lambda: view.table.rows[0].cells[1].text != before, "another age")


# -- pictures ------------------------------------------------------------------------------------------------------


@SIZES
def test_tree(tmp_path: Path, size: tuple[int, int], snap_compare) -> None:
    app = TestApp(tmp_path / "journal.jsonl", hosts=DEMO)

    async def before(pilot: Pilot[object]) -> None:
        view = await opened(pilot, "kernel-lab")
        pick(view, "6.18-rc1, panic")
        await pilot.pause(0.1)

    assert snap_compare(app, terminal_size=size, run_before=before)


@SIZES
def test_clone_form(tmp_path: Path, size: tuple[int, int], snap_compare) -> None:
    app = TestApp(tmp_path / "journal.jsonl", hosts=DEMO)

    async def before(pilot: Pilot[object]) -> None:
        await opened(pilot, "kernel-lab")
        await press(pilot, "y")
        await asked(pilot, Form)

    assert snap_compare(app, terminal_size=size, run_before=before)


def test_question_before_a_running_vm_is_taken_back(tmp_path: Path, snap_compare) -> None:
    app = TestApp(tmp_path / "journal.jsonl", hosts=DEMO)

    async def before(pilot: Pilot[object]) -> None:
        view = await opened(pilot, "build-win11")
        pick(view, "clean install")
        await press(pilot, "r")
        await asked(pilot, Confirm)

    assert snap_compare(app, terminal_size=(80, 24), run_before=before)


# -- snapshots -----------------------------------------------------------------------------------------------------


async def test_one_is_taken_described_and_deleted(app: TestApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot, "build-debian")
        assert names(view) == ["before bookworm 12.12"]
        await press(pilot, "plus")
        await asked(pilot, Form)
        await press(pilot, "ctrl+a", "ctrl+k")
        await typed(pilot, "before bookworm 12.12")
        await press(pilot, "ctrl+s")
        await pilot.pause(0.1)
        assert isinstance(app.screen, Form), "the name is taken"
        await typed(pilot, " b")
        await press(pilot, "ctrl+s")
        assert "with the memory" in await task_done(pilot, app)
        await until(pilot, lambda: names(view)[-1:] == ["before bookworm 12.12 b"], "the new one")
        assert machine(app, "build-debian").snapshots == 2

        made = pick(view, "before bookworm 12.12 b")
        await press(pilot, "M")
        await asked(pilot, Form)
        await press(pilot, "tab")
        await typed(pilot, "why")
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: any(one.description == "why" for one in view.found.snapshots), "its description")

        view.table.select(made)
        await press(pilot, "d")
        await asked(pilot, Confirm)
        await press(pilot, "right", "enter")
        await until(pilot, lambda: len(app.tasks.all) == 2, "the deletion")
        await task_done(pilot, app)
        await until(pilot, lambda: names(view) == ["before bookworm 12.12"], "its end")


async def test_going_back_offers_to_take_one_first(app: TestApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot, "build-win11")
        target = pick(view, "clean install")
        await press(pilot, "r")
        await asked(pilot, Confirm)
        await press(pilot, "right", "enter")
        await asked(pilot, Form)
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: app.tasks.all, "the task")
        assert "it is off" in await task_done(pilot, app)
        await until(pilot, lambda: view.found.current == target, "the way back")
        assert "before clean install" in names(view)
        assert machine(app, "build-win11").state is State.OFF


async def test_nothing_is_restored_where_the_vm_changed_under_the_question(app: TestApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot, "kernel-lab")
        pick(view, "base")
        await press(pilot, "r")
        await asked(pilot, Confirm)
        backend = app.session.backend("virtualbox")
        assert backend is not None
        await backend.perform(Action.START, machine(app, "kernel-lab").ref, ActionOptions())
        await app.sample()
        await press(pilot, "right", "right", "enter")
        await until(pilot, lambda: "nothing was done" in said(app), "the refusal")
        assert not app.tasks.all


async def test_what_cannot_be_done_says_why(app: TestApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot, "kernel-lab")
        pick(view, "6.18-rc1")
        await press(pilot, "d")
        await until(pilot, lambda: "2 snapshots go on from it" in said(app), "the reason")
        view.table.action_last()
        await press(pilot, "r")
        await until(pilot, lambda: "choose a snapshot" in said(app), "the reason")


# -- clones --------------------------------------------------------------------------------------------------------


async def test_a_clone_is_made_by_the_form(app: TestApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        await press(pilot, "2")
        await select(pilot, "build-win11")
        await press(pilot, "y")
        await asked(pilot, Form)
        form = app.screen
        assert isinstance(form, Form)
        assert form.values["name"] == "build-win11-clone"
        assert form.values["snapshot"], "it runs: a snapshot is proposed"
        form.set_values({"snapshot": ""})
        await press(pilot, "ctrl+s")
        await pilot.pause(0.1)
        assert isinstance(app.screen, Form), "it runs"
        form.set_values({"linked": "1", "snapshot": app_snapshot(form)})
        await press(pilot, "ctrl+s")
        assert await task_done(pilot, app) == "build-win11-clone is there, and off"
        vm = machine(app, "build-win11-clone")
        assert (vm.state, vm.snapshots, vm.cpus) == (State.OFF, 0, 4)


def app_snapshot(form: Form) -> str:
    return str(form._rows["snapshot"].control.options[1][0])  # type: ignore[union-attr]


async def test_a_cancelled_clone_is_not_there(tmp_path: Path) -> None:
    app = TestApp(tmp_path / "journal.jsonl", hosts=DEMO)
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        await press(pilot, "2")
        await select(pilot, "lab-fedora")
        before = len(app.store.of_kind(Kind.VM))
        await press(pilot, "y")
        await asked(pilot, Form)
        await press(pilot, "ctrl+s")
        await until(pilot, lambda: app.tasks.under_way and app.tasks.all[0].share, "progress")
        app.tasks.cancel(app.tasks.all[0])
        await task_done(pilot, app, TaskState.CANCELLED)
        assert len(app.store.of_kind(Kind.VM)) == before


async def test_names_that_cannot_be(app: TestApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        await press(pilot, "2")
        await select(pilot, "lab-fedora")
        await press(pilot, "y")
        await asked(pilot, Form)
        form = app.screen
        assert isinstance(form, Form)
        for name in ("", "a/b", ".hidden", "日" * 70, "build-debian"):
            form.set_values({"name": name})
            await press(pilot, "ctrl+s")
            await pilot.pause(0.05)
            assert app.screen is form, name
        assert not app.tasks.all


# -- autostart, saved states, read-only ----------------------------------------------------------------------------


async def test_autostart_and_a_saved_state_from_the_menu(app: TestApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        await press(pilot, "2")
        await select(pilot, "lab-ubuntu")
        await press(pilot, "m")
        await asked(pilot, Picker)
        await typed(pilot, "autostart on")
        await press(pilot, "enter")
        await until(pilot, lambda: "starts with the host" in said(app), "it is told")
        await press(pilot, "m")
        await asked(pilot, Picker)
        await typed(pilot, "discard")
        await press(pilot, "enter")
        await asked(pilot, Confirm)
        await press(pilot, "right", "enter")
        await app.sample()
        await until(pilot, lambda: machine(app, "lab-ubuntu").state is State.OFF, "it is off")


async def test_read_only_shows_and_changes_nothing(tmp_path: Path) -> None:
    app = TestApp(tmp_path / "journal.jsonl", hosts=FAST, read_only=True)
    async with app.run_test(size=(120, 40)) as pilot:
        view = await opened(pilot, "kernel-lab")
        pick(view, "base")
        for key in ("plus", "r", "d", "M", "y"):
            await press(pilot, key)
            assert app.screen is app.main
        assert "read-only" in said(app)
        assert not app.tasks.all


async def test_the_tab_shows_the_tree_and_leads_to_the_view(app: TestApp) -> None:
    async with app.run_test(size=(160, 48)) as pilot:
        await listed(pilot)
        await press(pilot, "2")
        await select(pilot, "kernel-lab")
        app.main.open_details("snapshots")
        tab = app.main.details.current
        assert isinstance(tab, SnapshotsTab)
        await until(pilot, lambda: tab.table.row_count == 6, "the tree")
        await press(pilot, "enter")
        await until(pilot, lambda: app.main.view == "snapshots", "the view")
