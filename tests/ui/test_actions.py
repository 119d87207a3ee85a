"""Keys on the simulated engines: what they do to them, what is asked before, what is shown after."""

from __future__ import annotations

import pytest
from textual import events
from textual.widgets import Input

from backends.model import Action, Change, Kind, State
from tests.ui.boxtop import TestApp, listed, said, select, until
from tui.journal import tail
from tui.options import HostOption
from tui.store import Failure
from widgets.confirm import Choice, Confirm
from widgets.picker import Picker

SIZE = (160, 48)


def state_of(app: TestApp, name: str) -> State:
    return app.named(name).state  # type: ignore[union-attr]


async def test_stop_and_start_without_a_question(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await select(pilot, "shop-web")
        await pilot.press("t")
        await until(pilot, lambda: state_of(app, "shop-web") is State.EXITED, "shop-web exited")
        await until(pilot, lambda: not app.store.pending, "the action ended")
        await pilot.press("s")
        await until(pilot, lambda: state_of(app, "shop-web") is State.RUNNING, "shop-web runs")
        await until(pilot, lambda: len(tail(app.journal_file)) == 2, "both in the journal")
    assert [entry.action for entry in tail(app.journal_file)] == ["start", "stop"]


async def test_the_transition_is_shown_at_once(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        ref = await select(pilot, "shop-web")
        await pilot.press("t")
        await pilot.pause()
        row = next(row for row in app.main.active.table.rows if row.key == ref)
        assert row.cells[1].text in {"stopping", "exited 0 0s"}


async def test_delete_asks_and_the_first_enter_does_nothing(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        ref = await select(pilot, "nightly-backup")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Confirm), "the question")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.main, "the question is gone")
        assert app.store.get(ref) is not None
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Confirm), "the question again")
        await pilot.press("right", "enter")
        await until(pilot, lambda: app.store.get(ref) is None, "deleted")


@pytest.mark.parametrize("key", ["y", "d", "K", "space"])
async def test_no_letter_answers_a_question(app, key):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        ref = await select(pilot, "nightly-backup")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Confirm), "the question")
        await pilot.press(key)
        await pilot.pause(0.2)
        assert app.store.get(ref) is not None
        assert not app.store.pending


async def test_disks_are_deleted_only_after_the_name_is_typed(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await pilot.press("2")
        ref = await select(pilot, "lab-fedora")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Confirm), "the question")
        dialog = app.screen
        for _ in range(6):  # wherever the focus goes, the disks cannot be chosen yet
            await pilot.press("tab")
        assert app.screen is dialog
        assert app.store.get(ref) is not None
        dialog.query_one("Input").focus()
        await pilot.press(*"lab-fedora")
        for _ in range(6):
            await pilot.press("tab")
            if "Delete with" in str(getattr(app.focused, "label", "")):
                break
        await pilot.press("enter")
        await until(pilot, lambda: app.store.get(ref) is None, "the VM is gone")


async def test_marked_rows_are_named_and_each_is_done(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        refs = []
        for name in ("shop-web", "shop-cache", "grafana"):
            refs.append(await select(pilot, name))
            await pilot.press("space")
        assert app.main.active.table.marks == set(refs)
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, Confirm), "several are confirmed")
        await pilot.press("right", "enter")
        await until(
            pilot,
            lambda: all(state_of(app, name) is State.EXITED for name in ("shop-web", "shop-cache", "grafana")),
            "all three stopped",
        )


async def test_a_failure_stays_in_the_row_and_on_screen_until_dismissed(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        ref = await select(pilot, "shop-proxy-canary")
        await pilot.press("s")
        await until(pilot, lambda: ref in app.store.failures, "the failure")
        await pilot.pause()
        row = next(row for row in app.main.active.table.rows if row.key == ref)
        assert row.cells[1].text == "start failed"
        assert "port is already allocated" in app.main.notices.entries[-1][1]
        await pilot.press("x")
        await pilot.pause()
        assert not app.main.notices.entries
        assert ref not in app.store.failures


async def test_what_cannot_apply_is_said_with_the_reason(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await select(pilot, "shop-web")
        await pilot.press("s")
        await until(pilot, lambda: "running already" in said(app), "the reason")
        assert not app.store.pending


async def test_the_menu_offers_what_applies_and_runs_it(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await select(pilot, "build-cache")
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, Picker), "the menu")
        await pilot.press(*"resume", "enter")
        await until(pilot, lambda: state_of(app, "build-cache") is State.RUNNING, "resumed")


async def test_read_only_changes_nothing(tmp_path):
    app = TestApp(tmp_path / "journal.jsonl", read_only=True)
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await select(pilot, "shop-web")
        before = dict(app.store.items[Kind.CONTAINER])
        await pilot.press("t", "r", "p", "K", "d")
        await until(pilot, lambda: "read-only" in said(app), "the reason")
        await pilot.pause(0.3)
        assert app.screen is app.main
        assert app.store.items[Kind.CONTAINER] == before
    assert tail(app.journal_file) == []


async def test_the_selection_is_kept_by_identity_when_others_come_and_go(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        ref = await select(pilot, "shop-search")
        index = app.main.active.table.cursor_index
        removed = app.named("grafana").ref
        app.store.apply(Change("docker", app.clock.now, removed=(removed,)))
        await pilot.pause()
        await pilot.pause()
        assert app.main.active.table.cursor_key == ref
        assert app.main.active.table.cursor_index == index - 1


async def test_filter_narrows_and_escape_shows_all_again(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        total = app.main.active.table.row_count
        await pilot.press("slash", *"shop -web")
        await pilot.pause()
        names = [row.cells[0].spans[1][0] for row in app.main.active.table.rows]
        assert names
        assert all("shop" in name and "web" not in name for name in names)
        await pilot.press("enter", "escape")
        await pilot.pause()
        assert app.main.active.table.row_count == total


async def test_sorting_by_a_live_figure(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await app.sample(3)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, Picker), "the choice")
        await pilot.press(*"CPU", "enter")
        await until(pilot, lambda: app.main.active.sort_id == "cpu", "sorted by CPU")
        await pilot.pause()
        usage = app.store.usage
        figures = [usage[row.key].cpu for row in app.main.active.table.rows if row.key in usage]
        assert figures == sorted(figures, reverse=True)


async def test_quit_ends_with_status_0(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await pilot.press("q")
    assert app.return_code == 0


async def test_keys_of_commands_and_of_widgets_can_be_remapped(tmp_path):
    keys = {"item.stop": ("X",), "table.down": ("*",), "list.mark_all": ()}
    app = TestApp(tmp_path / "journal.jsonl", keys=keys)
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await select(pilot, "shop-web")
        at = app.main.active.table.cursor_index
        await pilot.press("asterisk")
        assert app.main.active.table.cursor_index == at + 1
        await pilot.press("j")
        assert app.main.active.table.cursor_index == at + 1
        await select(pilot, "shop-web")
        await pilot.press("t")
        await pilot.pause(0.1)
        assert not app.store.pending
        await pilot.press("X")
        await until(pilot, lambda: state_of(app, "shop-web") is State.EXITED, "shop-web exited")


async def mark(pilot, *names):
    for name in names:
        await select(pilot, name)
        await pilot.press("space")


async def test_no_to_one_question_is_no_to_all(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await pilot.press("0")
        await mark(pilot, "shop-web", "build-debian")
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, Confirm), "several are confirmed, whatever their kinds")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.main, "the question is gone")
        await pilot.pause(0.2)
        assert app.screen is app.main
        assert not app.store.pending


async def test_a_row_that_goes_away_does_not_pass_its_key_to_the_next(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        ref = await select(pilot, "shop-web")
        app.store.apply(Change("docker", app.clock.now, removed=(ref,)))
        await pilot.pause()
        await pilot.pause()
        await pilot.press("t")
        await until(pilot, lambda: "is gone" in said(app), "the reason")
        await pilot.pause(0.2)
        assert not app.store.pending
        await pilot.press("t")
        await until(pilot, lambda: app.store.pending, "the second press is meant")


async def test_marks_hidden_by_a_filter_are_kept_and_nothing_else_is_hit(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await pilot.press("a")
        await mark(pilot, "shop-web")
        await pilot.press("t")
        await until(pilot, lambda: state_of(app, "shop-web") is State.EXITED, "shop-web exited")
        await until(pilot, lambda: not app.store.pending, "the action ended")
        await pilot.pause()
        await pilot.press("t")
        await until(pilot, lambda: "hidden by the filter" in said(app), "the reason")
        await pilot.pause(0.2)
        assert not app.store.pending


async def test_the_menu_acts_on_what_it_was_opened_for(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        ref = await select(pilot, "shop-web")
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, Picker), "the menu")
        # gone in the engine too, or its next listing would bring it back
        app.session.backend("docker").world.drop(ref)
        app.store.apply(Change("docker", app.clock.now, removed=(ref,)))
        await pilot.press(*"stop", "enter")
        await until(pilot, lambda: app.screen is app.main, "the menu is gone")
        await until(pilot, lambda: "is gone already" in said(app), "the reason")
        await pilot.pause(0.2)
        assert not app.store.pending


async def test_quitting_while_something_is_under_way_asks(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await pilot.press("2")
        await select(pilot, "legacy-xp")  # ignores its power button
        await pilot.press("t")
        await until(pilot, lambda: app.runner.under_way, "the stop is under way")
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, Confirm), "the question")
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.main, "stayed")
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, Confirm), "the question again")
        await pilot.press("right", "enter")
    assert app.return_code == 0
    assert "quit" in tail(app.journal_file)[0].result or tail(app.journal_file)[0].result == "done"


@pytest.mark.parametrize("keys", [("enter", "enter", "enter"), ("right", "enter", "enter"), ("escape", "escape")])
async def test_a_question_is_answered_once_however_often_the_key_comes(app, keys):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await select(pilot, "nightly-backup")
        for _ in range(3):
            await pilot.press("d")
            await until(pilot, lambda: isinstance(app.screen, Confirm), "the question")
            for key in keys:  # as a terminal sends them: faster than the dialog closes
                app.post_message(events.Key(key, None))
            await until(pilot, lambda: app.screen is app.main, "the list again")
            await until(pilot, lambda: not app.store.pending, "the action ended")
            await pilot.pause(0.05)
            if "right" in keys:
                break
        assert app.main.active.table.has_focus
        assert app.is_running


async def test_the_journal_in_view_gets_new_entries(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await select(pilot, "shop-web")
        await pilot.press("t", "5")
        await until(pilot, lambda: (view := app.main.views.get("journal")) and view.table.row_count == 1, "the entry")
        await pilot.pause(0.35)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm), "the entry whole")


async def test_a_name_to_type_may_be_typed_at_once(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await pilot.press("2")
        await select(pilot, "lab-fedora")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Confirm), "the question")
        await pilot.press(*"lab-fedora")
        assert app.screen.query_one("Input").value == "lab-fedora"


async def test_a_name_to_type_may_be_pasted_and_have_a_space(app):
    asked = Confirm(
        "Delete?", (), choices=(Choice("no", "No"), Choice("go", "Go", needs_typed=True)), typed="b o", safe="no"
    )
    async with app.run_test(size=SIZE) as pilot:
        await app.push_screen(asked)
        for key, character in (("b", "b"), ("space", " "), ("o", "o")):
            app.post_message(events.Key(key, character))  # in one go, as over a slow line
        await until(pilot, lambda: asked.query_one("Input").value == "b o", "all that was typed")
        await pilot.press("ctrl+u")
        await until(pilot, lambda: not asked.query_one("Input").value, "an empty field")
        await pilot.press("up")
        await until(pilot, lambda: not isinstance(app.focused, Input), "the field was left")
        app.post_message(events.Paste("b o"))
        await until(pilot, lambda: asked.query_one("Input").value == "b o", "what was pasted")


async def test_the_footer_of_inspect_names_its_keys(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await select(pilot, "shop-web")
        await pilot.press("i")
        await until(pilot, lambda: app.main.place == "tab.inspect", "Inspect has the keyboard")
        await pilot.pause()
        hints = [hint.id for hint in app.main.keybar.hints]
        assert {"list.filter", "tree.reveal", "details.back"} <= set(hints)
        assert "item.stop" not in hints


async def test_rows_scrolled_to_with_the_wheel_are_up_to_date(tmp_path):
    app = TestApp(tmp_path / "journal.jsonl", hosts=(HostOption("demo://docker?containers=300"),))
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await app.sample(2)
        await pilot.pause()
        table = app.main.active.table
        table.scroll_to_top(200)
        await pilot.pause()
        await pilot.pause()
        shown = table.keys_on_screen()
        rows = {row.key: row for row in table.rows}
        running = [key for key in shown if key in app.store.usage]
        assert running
        cpu = [column.id for column in table.columns].index("cpu")
        assert all(rows[key].cells[cpu].text for key in running)


async def test_a_filter_of_ones_own_is_no_surprise(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await select(pilot, "grafana")
        await pilot.press("slash", *"shop-web", "enter", "t")
        # the simulated stop takes a second: on a busy machine it may be over when this looks
        begun = lambda: app.store.pending or app.named("shop-web").state is not State.RUNNING  # noqa: E731
        await until(pilot, begun, "the action is begun")


async def test_a_host_is_called_as_the_configuration_says(tmp_path):
    app = TestApp(tmp_path / "journal.jsonl", hosts=(HostOption("demo://docker", name="shop"),))
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        assert list(app.store.engines) == ["shop"]
        assert app.named("shop-web").ref.engine == "shop"


async def test_what_failed_is_past_once_something_else_is_done_to_the_vm(app):
    async with app.run_test(size=(120, 40)) as pilot:
        await listed(pilot)
        vm = app.named("build-debian")
        app.store.fail(Failure(vm.ref, vm.name, Action.STOP, "it is deaf"))
        app.main.warnings.of(vm.ref, "stop build-debian: it is deaf")
        assert "it is deaf" in said(app)
        app.store.set_pending(vm.ref, Action.KILL)
        await until(pilot, lambda: "it is deaf" not in said(app), "the end of what was said")


async def test_a_list_that_is_not_shown_is_neither_marked_nor_sorted(app):
    async with app.run_test(size=SIZE) as pilot:
        await listed(pilot)
        await pilot.press("2", "4")
        await until(pilot, lambda: app.main.view == "host", "the host")
        for key in ("asterisk", "space", "o", "O", "a"):
            await pilot.press(key)
            await pilot.pause()
            assert app.screen is app.main
            assert "No list" in said(app)
        await pilot.press("2")
        assert not app.main.active.marks
        assert not app.main.active.filter.only_running
