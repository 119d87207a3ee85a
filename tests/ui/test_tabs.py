"""The details' tabs, ports, bulk work and its retry, on the simulated engines."""

from __future__ import annotations

import pytest
from textual import events
from textual.pilot import Pilot

from backends.abilities.inside import Changes, FileChanges, How, Processes
from backends.base import ActionError
from backends.model import Action, State
from backends.secrets import MASK
from tests.ui.boxtop import TestApp, listed, select, until
from tui.tabs.changes import ChangesTab
from tui.tabs.environment import EnvironmentTab
from tui.tabs.particulars import FactsTab
from tui.tabs.ports import PortsTab
from tui.tabs.processes import ProcessesTab
from widgets.confirm import Confirm
from widgets.picker import Picker
from widgets.table import Table

SIZES = pytest.mark.parametrize("size", [(160, 48), (80, 24)], ids=["160x48", "80x24"])
WIDE = (160, 48)


def filled(tab: object) -> bool:
    match tab:
        case ProcessesTab() | EnvironmentTab() | PortsTab():
            return bool(tab.table.row_count)
        case ChangesTab():
            return bool(tab.lines.total_lines())
        case FactsTab():
            return tab.facts.total_lines() > 1
    return tab is not None


async def opened(pilot: Pilot[object], tab: str, name: str = "shop-api") -> TestApp:
    """The app with a tab of one container in front, filled."""
    app = await listed(pilot)
    await select(pilot, name)
    app.main.open_details(tab)
    await until(pilot, lambda: app.main.details.tab == tab and filled(app.main.details.current), f"{tab} filled")
    await pilot.pause()
    return app


@SIZES
@pytest.mark.parametrize("tab", ["stats", "processes", "environment", "health"])
def test_tabs(app, tab, size, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        app = await opened(pilot, tab)
        if tab == "stats":
            await app.sample(60)
        await pilot.pause()
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=before)


async def test_a_secret_is_shown_one_by_one_and_copied_only_then(app):
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "environment", "shop-db")
        tab = app.main.details.current
        assert isinstance(tab, EnvironmentTab)
        rows = [row.cells[0].text for row in tab.table.rows]
        tab.table.select(rows.index("POSTGRES_PASSWORD"))

        def value() -> str:
            return tab.table.rows[tab.table.cursor_index].cells[1].text

        assert value() == MASK
        await pilot.press("c")
        assert app.clipboard == ""
        assert "masked: v shows it first" in app.main.notices.entries[-1][1]
        await pilot.press("v")
        assert value() == "correct-horse"
        await pilot.press("c")
        assert app.clipboard == "correct-horse"
        assert "correct-horse" not in app.main.notices.entries[-1][1]
        await pilot.press("v")
        assert value() == MASK
        await pilot.press("v", "slash", *"password", "enter")
        assert [row.cells[0].text for row in tab.table.rows] == ["POSTGRES_PASSWORD"]
        # another container, and back: nothing stays revealed
        await pilot.press("escape", "escape")
        await select(pilot, "shop-web")
        await until(pilot, lambda: "SESSION_SECRET" in str(tab.table.rows), "its variables")
        await select(pilot, "shop-db")
        await until(pilot, lambda: "POSTGRES_USER" in str(tab.table.rows), "the first one's")
        assert "correct-horse" not in str(tab.table.rows)


async def test_processes_are_sorted_and_asked_for_only_in_view(app, monkeypatch):
    asked: list[str] = []
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "processes")
        backend = app.session.backend("docker")
        able = backend.ability(Processes)
        real = able.processes

        async def counted(ref):
            asked.append(ref.id)
            return await real(ref)

        monkeypatch.setattr(able, "processes", counted)
        monkeypatch.setattr(ProcessesTab, "every", 0.05)
        tab = app.main.details.current
        assert isinstance(tab, ProcessesTab)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, Picker), "the columns")
        await pilot.press(*"%cpu", "enter")
        await until(pilot, lambda: app.screen is app.main and tab.sort_id == "%CPU", "sorted by CPU")
        at = list(tab.titles).index("%CPU")
        loads = [float(row.cells[at].text) for row in tab.table.rows]
        assert loads == sorted(loads, reverse=True)
        await pilot.press("O")
        assert [float(row.cells[at].text) for row in tab.table.rows] == sorted(loads)
        app.main.details.ask_again()
        await until(pilot, lambda: len(asked) >= 3, "asked again and again")
        await pilot.press("]")
        await pilot.pause(0.1)
        count = len(asked)
        await pilot.pause(0.4)
        assert len(asked) == count


async def test_a_container_that_does_not_run_is_not_asked_for_processes(app, monkeypatch):
    async with app.run_test(size=WIDE) as pilot:
        await listed(pilot)
        able = app.session.backend("docker").ability(Processes)
        monkeypatch.setattr(able, "processes", None)
        await select(pilot, "nightly-backup")
        app.main.open_details("processes")
        tab = lambda: app.main.details.current  # noqa: E731
        await until(pilot, lambda: "No processes: it is exited" in tab().table.line(1).text, "the reason")


async def test_resting_on_a_row_asks_once_and_passing_over_rows_never(app, monkeypatch):
    asked: list[str] = []
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "changes")
        able = app.session.backend("docker").ability(Changes)

        async def counted(ref):
            asked.append(ref.id)
            return FileChanges(((How.ADDED, f"/{ref.id[:12]}"),), 1)

        monkeypatch.setattr(able, "changes", counted)
        await pilot.press("escape")
        for _ in range(4):  # as a terminal sends them
            app.post_message(events.Key("down", None))
        tab = app.main.details.current
        await until(pilot, lambda: asked, "the engine was asked")
        last = app.main.active.current.ref.id
        await until(pilot, lambda: f"/{last[:12]}" in tab.lines.line(0).text, "the last one's changes")
        assert asked == [last]
        await app.sample(2)
        await pilot.pause(0.4)
        assert asked == [last]


async def test_changes_many_and_filtered(app, monkeypatch):
    many = tuple((How.ADDED, f"/srv/file-{number:06}") for number in range(100_000))
    async with app.run_test(size=(80, 24)) as pilot:
        await listed(pilot)
        able = app.session.backend("docker").ability(Changes)

        async def changes(ref):
            return FileChanges(many, 123_456)

        monkeypatch.setattr(able, "changes", changes)
        await select(pilot, "shop-api")
        app.main.open_details("changes")
        await until(pilot, lambda: filled(app.main.details.current), "the changes")
        tab = app.main.details.current
        assert "the first 100,000 of 123,456" in tab.head.line(0).text
        await pilot.press("G")
        assert tab.lines.current_text() == "/srv/file-099999"
        await pilot.press("slash", *"file-0123", "enter")
        assert tab.lines.total_lines() == 100
        await pilot.press("c")
        assert app.clipboard.startswith("/srv/file-0123")
        await pilot.press("escape")
        assert tab.lines.total_lines() == 100_000
        assert app.main.details.display
        await pilot.press("escape")
        assert app.main.active.table.has_focus


async def test_the_tab_is_come_back_to(app):
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "mounts", "shop-db")
        await pilot.press("3")
        await until(pilot, lambda: app.main.details.tab == "overview", "an image has no mounts")
        await pilot.press("1")
        await until(pilot, lambda: app.main.details.tab == "mounts", "the container's mounts again")


async def test_what_cannot_be_inspected_says_why_in_the_tab(app):
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "networks")
        backend = app.session.backend("docker")
        backend.world.items.pop(app.main.details.item.ref)
        app.main.details.ask_again()
        facts = app.main.details.current.facts
        await until(pilot, lambda: "No such container" in facts.line(0).text, "the reason")


async def test_b_copies_the_address_where_no_browser_can_be_opened(app):
    async with app.run_test(size=WIDE) as pilot:
        await listed(pilot)
        await select(pilot, "grafana")
        await pilot.press("b")
        await until(pilot, lambda: app.clipboard == "http://localhost:3001", "the address")
        assert "No browser" in app.main.notices.entries[-1][1]
        await select(pilot, "shop-proxy")
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, Picker), "which of its ports")
        await pilot.press(*"443", "enter")
        await until(pilot, lambda: app.clipboard == "https://localhost:443", "the other address")
        await select(pilot, "shop-web")
        await pilot.press("b")
        assert "it publishes no port" in app.main.notices.entries[-1][1]


async def test_b_in_ports_means_the_port_under_the_cursor(app, monkeypatch, tmp_path):
    told = tmp_path / "told"
    helper = tmp_path / "helper"
    helper.write_text(f'#!/bin/sh\necho "$1" > {told}\n')
    helper.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(helper))
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "ports", "shop-proxy")
        await pilot.press("down", "b")
        await until(pilot, lambda: told.exists() and told.read_text() == "https://localhost:443\n", "it was opened")
        await pilot.press("c")
        assert app.clipboard == "https://localhost:443"


async def failed_start(pilot: Pilot[object]) -> TestApp:
    app = await listed(pilot)
    ref = await select(pilot, "shop-proxy-canary")
    await pilot.press("s")
    await until(pilot, lambda: ref in app.store.failures, "its port is taken")
    return app


async def test_what_failed_is_tried_again(app):
    async with app.run_test(size=WIDE) as pilot:
        await failed_start(pilot)
        ref = app.main.active.current.ref
        await select(pilot, "shop-proxy")
        await pilot.press("t")
        await until(pilot, lambda: app.named("shop-proxy").state is State.EXITED, "the port is free")
        await until(pilot, lambda: not app.store.pending, "nothing under way")
        # the selected row did not fail: F means the list
        await pilot.press("F")
        await until(pilot, lambda: app.store.pending.get(ref) is Action.START, "it is started once more")
        assert not any("shop-proxy-canary" in text for _, text, _ in app.main.notices.entries)
        await until(pilot, lambda: not app.store.pending, "the action ended")


async def test_bulk_work_is_counted_and_its_failures_named_until_dismissed(app):
    async with app.run_test(size=WIDE) as pilot:
        await listed(pilot)
        for name in ("shop-proxy-canary", "shop-migrate", "nightly-backup"):
            await select(pilot, name)
            await pilot.press("space")
        await pilot.press("s")
        await until(pilot, lambda: any("start 3:" in text for _, text, _ in app.main.notices.entries), "the count")
        await until(
            pilot,
            lambda: any("1 failed (shop-proxy-canary): F" in text for _, text, _ in app.main.notices.entries),
            "the result",
        )
        assert app.store.failures
        await pilot.press("escape")
        await pilot.press("colon")
        await until(pilot, lambda: isinstance(app.screen, Picker), "the palette")
        await pilot.press(*"dismiss failures", "enter")
        await until(pilot, lambda: not app.store.failures and not app.main.notices.entries, "all dismissed")
        await pilot.press("F")
        await until(pilot, lambda: app.main.notices.entries, "a word")
        assert "Nothing failed" in app.main.notices.entries[-1][1]


async def test_a_failed_deletion_asks_again_with_its_boxes_as_they_were(app, monkeypatch):
    async with app.run_test(size=WIDE) as pilot:
        await listed(pilot)
        backend = app.session.backend("docker")
        real = backend.perform
        seen = []

        async def busy(action, ref, options):
            seen.append(options)
            if len(seen) == 1:
                raise ActionError("device or resource busy")
            await real(action, ref, options)

        monkeypatch.setattr(backend, "perform", busy)
        ref = await select(pilot, "grafana")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Confirm), "the question")
        app.screen.query("Toggle").first().action_activate()
        await pilot.press("right", "enter")
        await until(pilot, lambda: ref in app.store.failures, "it failed")
        await pilot.press("F")
        await until(pilot, lambda: isinstance(app.screen, Confirm), "the question again")
        assert app.screen.query("Toggle").first().value
        await pilot.press("right", "enter")
        await until(pilot, lambda: app.store.get(ref) is None, "deleted")
    assert [options.force for options in seen] == [True, True]


async def test_the_list_keeps_its_own_keys_and_table(app):
    """Tables of tabs are no lists: their cursor selects no object, their Enter opens nothing of the list."""
    async with app.run_test(size=WIDE) as pilot:
        await opened(pilot, "environment")
        item = app.main.details.item
        await pilot.press("down", "down")
        assert app.main.details.item == item
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm), "the value whole")
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.main, "closed")
        assert isinstance(app.focused, Table)
        assert app.focused is app.main.details.current.table
