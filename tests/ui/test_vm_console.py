"""VMs' serial ports, engines' logs, exports and imports on the demo: as pictures, and under the keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import Input

from backends.model import VM, Kind, State
from tests.ui.boxtop import FROZEN, TestApp, listed, select, until
from tui.engine_log_view import EngineLogView
from tui.options import HostOption
from tui.tasks import TaskState

SIZES = pytest.mark.parametrize("size", [(160, 48), (80, 24)], ids=["160x48", "80x24"])
HOSTS = (HostOption(f"demo://docker?time={FROZEN}"), HostOption(f"demo://virtualbox?time={FROZEN}&pace=0.1"))


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestApp:
    monkeypatch.setenv("HOME", "/tmp")
    return TestApp(tmp_path / "journal.jsonl", hosts=HOSTS)


async def at(pilot: Pilot[object], name: str) -> TestApp:
    app = await listed(pilot)
    await pilot.press("2")
    await select(pilot, name)
    return app


async def in_log(pilot: Pilot[object], name: str) -> EngineLogView:
    app = await at(pilot, name)
    await pilot.press("l")
    await until(pilot, lambda: "engine-log" in app.main.views, "the view")
    view = app.main.views["engine-log"]
    assert isinstance(view, EngineLogView)
    await until(pilot, lambda: len(view.log_view.ring), "its lines")
    return view


def alone(app: TestApp) -> None:
    """Leave the lists, which are pictured elsewhere, out of a dialog's picture."""
    for child in app.main.children:
        child.display = False


async def form(pilot: Pilot[object]) -> None:
    await until(pilot, lambda: type(pilot.app.screen).__name__ == "Form", "the form")
    await pilot.pause(0.4)


@SIZES
def test_engine_log(app, size, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        await in_log(pilot, "build-debian")
        await pilot.press("slash", *"NAT", "enter")
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=before)


@SIZES
def test_serial_port_offered(app, size, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        await at(pilot, "lab-fedora")
        await pilot.press("e")
        await until(pilot, lambda: type(pilot.app.screen).__name__ == "Confirm", "the question")
        alone(app)
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=before)


@SIZES
def test_export(app, size, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        await at(pilot, "kernel-lab")
        await pilot.press("E")
        await form(pilot)
        alone(app)
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=before)


async def test_a_search_goes_from_match_to_match(app: TestApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        view = await in_log(pilot, "build-debian")
        await pilot.press("n")
        assert view.log_view.selected is None
        await pilot.press("slash", *"machine state", "enter")
        await pilot.pause()
        ring, selected = view.log_view.ring, view.log_view.selected
        assert selected and b"Machine state changed" in ring.texts[selected[0] - ring.base]
        await pilot.press("n")
        assert view.log_view.selected == selected
        await pilot.press("escape", "escape", "escape")
        await until(pilot, lambda: app.main.view == "panes", "the lists")


async def test_a_port_is_added_only_when_it_is_agreed_to(app: TestApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await at(pilot, "lab-fedora")
        for keys, said in ((("enter",), "It has no"), (("tab", "enter"), "It has no")):
            await pilot.press("e")
            await until(pilot, lambda: type(pilot.app.screen).__name__ == "Confirm", said)
            await pilot.press(*keys)
            await until(pilot, lambda: type(pilot.app.screen).__name__ != "Confirm", "it to be gone")
        await until(pilot, lambda: "next start" in shown(app), "the port to be there")
        await pilot.press("e")
        await until(pilot, lambda: "start it first" in shown(app), "why it cannot be joined")


def shown(app: TestApp) -> str:
    return " ".join(text for _, text, _ in app.main.notices.entries)


async def test_a_window_needs_a_desktop(app: TestApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    async with app.run_test(size=(100, 30)) as pilot:
        await at(pilot, "lab-fedora")
        for display, said in (("", "without a desktop"), (":0", "")):
            monkeypatch.setenv("DISPLAY", display)
            await app.run_command("windows.start", [app.named("lab-fedora")])
            await pilot.pause()
            assert said in shown(app)
        await until(pilot, lambda: app.named("lab-fedora").state is State.RUNNING, "it to run")  # type: ignore[union-attr]


async def test_a_vm_goes_out_and_comes_back(app: TestApp, tmp_path: Path) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await at(pilot, "lab-fedora")
        path = tmp_path / "lab.ova"
        await pilot.press("E")
        await form(pilot)
        app.screen.query_one(Input).value = str(path)
        await pilot.pause()
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.tasks.all and app.tasks.all[0].state is TaskState.DONE, "the export")
        assert path.exists()
        await pilot.press("E")
        await form(pilot)
        app.screen.query_one(Input).value = str(path)
        await pilot.pause()
        await pilot.press("ctrl+s")
        await pilot.pause(0.5)
        assert type(app.screen).__name__ == "Form", "nothing is overwritten"
        await pilot.press("escape")
        await pilot.pause()

        async def chosen(*_: object, **__: object) -> str:
            return str(path)

        app.browse_host = chosen  # type: ignore[method-assign]
        await app.run_command("transfer.import_vm", [app.named("lab-fedora")])
        await form(pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: app.tasks.all[-1].verb == "import" and not app.tasks.all[-1].open, "the import")
        assert app.tasks.all[-1].state is TaskState.DONE, app.tasks.all[-1].result
        await app.sample()
        assert "lab-fedora-import" in {vm.name for vm in app.store.items[Kind.VM].values() if isinstance(vm, VM)}


async def test_keys_typed_right_after_a_search_of_the_log_are_commands(app: TestApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        view = await in_log(pilot, "build-debian")
        wrapped = view.log_view.look.wrap

        async def search_and(key: str, words: str) -> None:
            """Hand over all that follows the slash at once, as a terminal does that had it in one go."""
            await pilot.press("slash")
            await until(pilot, lambda: view.entry.has_focus, "the entry")
            for char in words:
                app.post_message(Key({"/": "slash", "(": "left_parenthesis"}.get(char, char), char))
            app.post_message(Key("enter", "\r"))
            app.post_message(Key(key, key))

        await search_and("w", "/(/")
        await until(pilot, lambda: view.entry.value == "/(/w", "what is wrong to be typed on")
        await pilot.press("escape")
        await search_and("w", "machine")
        await until(pilot, lambda: view.log_view.look.wrap is not wrapped, "the command")
        assert view.search.typed == "machine"
        assert view.log_view.selected
