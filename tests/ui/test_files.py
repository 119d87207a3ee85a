"""A container's files and builds on the demo: the browser, copies both ways, the build form and its task."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from backends.abilities.files import Files
from tests.ui.boxtop import TestApp, listed, select, until
from tui.options import HostOption
from tui.tasks import TaskState
from widgets.browser import Browser
from widgets.confirm import Confirm
from widgets.form import Form

QUICK = (HostOption("demo://docker?pace=0"),)
SIZES = pytest.mark.parametrize("size", [(160, 48), (80, 24)], ids=["160x48", "80x24"])


@pytest.fixture
def app(tmp_path: Path) -> TestApp:
    return TestApp(tmp_path / "journal.jsonl", hosts=QUICK)


async def browsing(pilot: Pilot[object], path: str = "/") -> Browser:
    """The browser of a container's files, at a path."""
    app = await listed(pilot)
    await select(pilot, "shop-api")
    await pilot.press("f")
    await until(pilot, lambda: isinstance(app.screen, Browser), "the browser")
    browser = app.screen
    assert isinstance(browser, Browser)
    await until(pilot, lambda: browser._entries.counts[1], "the root to be listed")
    if path != "/":
        await pilot.press(*path, "enter")
        await until(pilot, lambda: browser.folder == path, path)
        await until(pilot, lambda: browser._entries.counts[1], "it to be listed")
    return browser


async def enter(pilot: Pilot[object], text: str, *keys: str) -> None:
    """Put a text in the focused field at once, and press keys, else Enter."""
    field = pilot.app.focused
    assert isinstance(field, Input)
    field.value = text
    await pilot.press(*(keys or ("enter",)))


async def alone(app: TestApp, pilot: Pilot[object]) -> None:
    """Have the dialog alone in the picture: the lists behind it are another picture's."""
    app.main.visible = False
    await pilot.pause()


@SIZES
def test_the_files_of_a_container(app, size, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        await browsing(pilot, "/app")
        await pilot.press("down", "down")
        await alone(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=before)


@SIZES
def test_the_build_form(app, size, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        await listed(pilot)
        await pilot.press("3", "B")
        await until(pilot, lambda: isinstance(app.screen, Form), "the form")
        await enter(pilot, "/srv/shop", "tab", "tab", *"a/b:1", "tab", "V")
        await until(pilot, lambda: "V: write" in shown(app), "what is wrong with it")
        await pilot.pause(0.4)
        await alone(app, pilot)

    assert snap_compare(app, terminal_size=size, run_before=before)


def shown(app: TestApp) -> str:
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line) for line in lines)


async def test_a_file_is_copied_out_in_the_background(app, tmp_path):
    async with app.run_test(size=(100, 30)) as pilot:
        browser = await browsing(pilot, "/app")
        await pilot.press(*"server", "ctrl+o")
        await until(pilot, lambda: app.screen is not browser and isinstance(app.screen, Browser), "where to")
        await until(pilot, lambda: app.screen.folder and "server.js" in shown(app), "a name proposed")
        await enter(pilot, f"{tmp_path}/here.js")
        await until(pilot, lambda: app.screen is browser and app.tasks.all, "the task")
        task = app.tasks.all[0]
        await until(pilot, lambda: task.state is TaskState.DONE, "the copy's end")
        assert task.title == "copy out shop-api:/app/server.js"
        assert task.result == f"1 file, 18 KiB, to {tmp_path}/here.js"
        await until(pilot, lambda: "copy out shop-api:/app/server.js: 1 file" in shown(app), "it to be told")


async def test_what_is_there_is_replaced_only_when_agreed(app, tmp_path):
    (tmp_path / "server.js").write_text("other")
    async with app.run_test(size=(100, 30)) as pilot:
        browser = await browsing(pilot, "/app")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: app.screen is not browser and isinstance(app.screen, Browser), "what to copy")
        await pilot.press("ctrl+l")
        await enter(pilot, f"{tmp_path}/server.js")
        await until(pilot, lambda: isinstance(app.screen, Confirm), "a question")
        assert "/app/server.js" in shown(app)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is browser, "the browser again")
        assert not app.tasks.all
        await pilot.press("ctrl+r")
        await until(pilot, lambda: app.screen is not browser and isinstance(app.screen, Browser), "what to copy")
        await pilot.press("ctrl+l")
        await enter(pilot, f"{tmp_path}/server.js")
        await until(pilot, lambda: isinstance(app.screen, Confirm), "a question")
        await pilot.press("right", "enter")
        await until(pilot, lambda: app.tasks.all and app.tasks.all[0].state is TaskState.DONE, "the copy")
        backend = app.session.backend("docker")
        assert backend is not None
        found = await backend.ability(Files).find(app.named("shop-api").ref, "/app/server.js")
        assert found.size == 5


async def test_a_read_only_engine_gives_files_and_takes_none(tmp_path):
    app = TestApp(tmp_path / "journal.jsonl", hosts=QUICK, read_only=True)
    async with app.run_test(size=(100, 30)) as pilot:
        browser = await browsing(pilot, "/app")
        await pilot.press("ctrl+r")
        await until(pilot, lambda: "read-only" in shown(app), "the reason")
        assert app.screen is browser
        await pilot.press("ctrl+o")
        await until(pilot, lambda: app.screen is not browser, "where to")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: app.screen is app.main, "the list")
        await pilot.press("B")
        await until(pilot, lambda: "Build: " in shown(app), "no build")


async def test_a_failed_build_shows_its_output_and_is_mended(app, tmp_path):
    async with app.run_test(size=(120, 36)) as pilot:
        await listed(pilot)
        await pilot.press("B")
        await until(pilot, lambda: isinstance(app.screen, Form), "the form")
        await enter(pilot, str(tmp_path), "tab", "tab", *"a/fail", "ctrl+s")
        await until(pilot, lambda: app.main.view == "tasks", "the tasks")
        task = app.tasks.all[0]
        await until(pilot, lambda: task.state is TaskState.FAILED, "the failure")
        assert task.result.startswith("step 5/8 failed, RUN npm test")
        await until(pilot, lambda: "FAILED at step 5/8: RUN npm test" in shown(app), "the step that failed")
        await pilot.press("escape", "B")
        await until(pilot, lambda: isinstance(app.screen, Form), "the form once more")
        assert str(tmp_path) in shown(app)
        await pilot.press("tab", "tab", "ctrl+end", *["backspace"] * 6, *"new", "tab", "tab", "x", "ctrl+s")
        await until(pilot, lambda: "no such stage in the Dockerfile: deps, final" in shown(app), "what is wrong")
        await pilot.press("backspace", *"deps", "ctrl+s")
        await until(pilot, lambda: len(app.tasks.all) == 2, "the next task")
        task = app.tasks.all[1]
        await until(pilot, lambda: task.state is TaskState.DONE, "its end")
        assert task.result.endswith(" as new:latest")
        await app.sample()
        images = [item for items in app.store.items.values() for item in items.values()]
        assert any("new:latest" in getattr(item, "tags", ()) for item in images)
