"""A VM's screen on the demo: picture and text, search, saving, typing and the ways out of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from backends import png
from backends.abilities.screens import Screens
from backends.base import ActionError
from backends.model import Action, ActionOptions, Change, State
from tests.ui.boxtop import TestApp, listed, select, until
from tui.options import HostOption
from tui.screen_view import ScreenView
from widgets.browser import Browser
from widgets.confirm import Confirm
from widgets.form import Form
from widgets.picker import Picker

VMS = (HostOption("demo://virtualbox?pace=0"),)
SIZES = pytest.mark.parametrize("size", [(160, 48), (80, 24)], ids=["160x48", "80x24"])


@pytest.fixture
def app(tmp_path: Path) -> TestApp:
    return TestApp(tmp_path / "journal.jsonl", hosts=VMS)


async def opened(pilot: Pilot[object], name: str = "build-debian") -> ScreenView:
    """The screen of a VM, drawn."""
    app = await listed(pilot)
    await pilot.press("2")
    await select(pilot, name)
    await pilot.press("V")
    await until(pilot, lambda: app.main.view == "screen", "the view")
    view = app.main.views["screen"]
    assert isinstance(view, ScreenView)
    await until(pilot, lambda: view.followed.picture is not None and view.lines._lines, "the picture")
    await pilot.pause()
    return view


def shown(app: TestApp) -> str:
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line) for line in lines)


@SIZES
def test_the_text_read_from_a_console(app, size, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        await opened(pilot)

    assert snap_compare(app, terminal_size=size, run_before=before)


@SIZES
def test_the_picture_of_a_desktop(app, size, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        await opened(pilot, "build-win11")

    assert snap_compare(app, terminal_size=size, run_before=before)


@SIZES
def test_typing_into_a_vm(app, size, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        view = await opened(pilot)
        await pilot.press("i", *"root", "enter", *"pw", "enter", *"uname", "enter", "é")
        await until(pilot, lambda: "# uname\nLinux" in text_of(view), "the answer")
        await pilot.pause(0.1)

    assert snap_compare(app, terminal_size=size, run_before=before)


def text_of(view: ScreenView) -> str:
    return view.followed.text.text if view.followed.text is not None else ""


async def test_every_key_and_paste_goes_to_the_vm_until_the_way_out_is_taken(app):
    async with app.run_test(size=(100, 30)) as pilot:
        view = await opened(pilot)
        # typed ahead: not one of them may be a command
        await pilot.press("i", *"q:2?", "ctrl+q", "escape", "f1", "tab", "x", "enter")
        await until(pilot, lambda: "login: q:2?" in text_of(view), "what was typed")
        assert app.main.view == "screen" and app.screen is app.main and app.is_running
        assert view.takes_keys
        assert "TYPING into build-debian" in shown(app) and "Ctrl-] or F12 leaves" in shown(app)
        assert shown(app).splitlines()[-1].strip() == "Ctrl-] stop typing"
        await app.action_command("view.host")  # as a click on a hint would
        assert app.main.view == "screen"
        await pilot.press("ctrl+right_square_bracket")
        assert not view.takes_keys
        await pilot.press("i")
        assert view.takes_keys
        view.lines.post_message(events.Paste("Grüße"))
        await until(pilot, lambda: "a US keyboard cannot type ß ü: nothing was typed" in shown(app), "the refusal")
        view.lines.post_message(events.Paste("pw\nuname\n"))
        await until(pilot, lambda: "# uname\nLinux" in text_of(view), "the paste")
        await pilot.press("f12", "4")
        await until(pilot, lambda: app.main.view == "host", "keys that are boxtop's again")
        assert view._painting is None and view.followed._task is None
        entries = (app.journal_file).read_text()
        assert entries.count("type into") == 2 and "q:2" not in entries


async def test_text_is_searched_and_copied_and_can_be_a_picture(app):
    async with app.run_test(size=(80, 24)) as pilot:
        view = await opened(pilot)
        await pilot.press("/")
        field = app.focused
        assert isinstance(field, Input)
        field.value = "mem"
        await pilot.press("enter")
        await until(pilot, lambda: "/mem  1 of 1" in shown(app), "the match")
        assert "Memory: " in shown(app)
        await pilot.press("n")
        await pilot.press("c")
        assert app.clipboard == text_of(view)
        assert app.clipboard.endswith("build-debian login:")
        await pilot.press("escape")
        assert view.words == "" and app.main.view == "screen"
        await pilot.press("v")
        await until(pilot, lambda: "v shows the text" in shown(app), "the picture")
        assert "picture 1" in shown(app)
        await pilot.press("plus", "plus")
        await until(pilot, lambda: "picture 25%" in shown(app), "a larger picture")
        await pilot.press("end", "z")
        await until(pilot, lambda: "picture 1" in shown(app), "all of it")
        await pilot.press("f")
        await until(pilot, lambda: "held" in shown(app), "it is held")
        app.clock.now += 75
        view._draw_title()
        await until(pilot, lambda: "1m 15s ago" in shown(app), "its age")


async def test_a_desktop_has_no_text(app):
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(pilot, "legacy-xp")
        for key in ("v", "/", "c"):
            await pilot.press(key)
            await until(pilot, lambda: "No text was read from this screen" in shown(app), "why not")
            app.main.notices.dismiss("info")
            await pilot.pause()


async def test_the_picture_is_saved_as_png_and_replaced_only_when_agreed(app, tmp_path):
    target = tmp_path / "shot.png"
    async with app.run_test(size=(100, 30)) as pilot:
        view = await opened(pilot)
        for _ in range(2):
            await pilot.press("S")
            await until(pilot, lambda: isinstance(app.screen, Browser), "where to")
            await until(pilot, lambda: isinstance(app.focused, Input) and app.screen.folder, "the folder")
            app.focused.value = str(target)
            await pilot.press("enter")
            await until(pilot, lambda: not isinstance(app.screen, Browser), "the answer")
            if isinstance(app.screen, Confirm):
                assert "is there already" in shown(app)
                await pilot.press("right", "enter")
            await until(pilot, lambda: "Saved 720x400 pixels" in shown(app), "the result")
            assert png.decode(target.read_bytes()) == view.followed.picture
            app.main.notices.dismiss("info")
        assert [path.name for path in tmp_path.iterdir() if "shot" in path.name] == ["shot.png"]


async def test_a_text_is_typed_from_the_list(app):
    async with app.run_test(size=(100, 30)) as pilot:
        await listed(pilot)
        await pilot.press("2")
        ref = await select(pilot, "build-debian")
        await pilot.press("Y")
        await until(pilot, lambda: isinstance(app.screen, Form), "the form")
        await pilot.press(*"roé")
        await until(pilot, lambda: "cannot type é" in shown(app), "what is wrong")
        await pilot.press("backspace", *"ot", "ctrl+s")
        await until(pilot, lambda: "Typed 5 signs in build-debian" in shown(app), "the result")
        backend = app.session.backend("virtualbox")
        assert backend is not None
        guest = backend.ability(Screens).guest(ref)
        assert guest._asks == "password"


async def test_ctrl_alt_del_asks_first_and_restarts_the_guest(app):
    async with app.run_test(size=(100, 30)) as pilot:
        view = await opened(pilot)
        await pilot.press("i", *"someone", "f12")
        await until(pilot, lambda: "login: someone" in text_of(view), "what was typed")
        await pilot.press("K")
        await until(pilot, lambda: isinstance(app.screen, Picker), "the keys")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm), "the question")
        assert "unsaved data is lost" in shown(app)
        await pilot.press("enter")
        await until(pilot, lambda: app.screen is app.main, "nothing")
        assert "login: someone" in text_of(view)
        await pilot.press("K")
        await until(pilot, lambda: isinstance(app.screen, Picker), "the keys")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Confirm), "the question")
        await pilot.press("right", "enter")
        await until(pilot, lambda: "Pressed Ctrl-Alt-Del in build-debian" in shown(app), "the result")
        app.clock.now += 60
        await pilot.press("r")
        await until(pilot, lambda: text_of(view).endswith("build-debian login:"), "it started anew")


async def test_a_read_only_engine_shows_and_takes_no_key(tmp_path):
    app = TestApp(tmp_path / "journal.jsonl", hosts=VMS, read_only=True)
    async with app.run_test(size=(100, 30)) as pilot:
        view = await opened(pilot)
        assert "login:" in text_of(view)
        for key in ("i", "Y", "K"):
            await pilot.press(key)
            await until(pilot, lambda: "virtualbox is read-only" in shown(app), "the reason")
            assert app.screen is app.main and not view.takes_keys
            app.main.notices.dismiss("info")
            await pilot.pause()


async def test_what_does_not_run_has_no_screen(app):
    async with app.run_test(size=(100, 30)) as pilot:
        view = await opened(pilot)
        vm = view.followed.vm
        assert vm is not None
        backend = app.session.backend("virtualbox")
        assert backend is not None
        await backend.perform(Action.KILL, vm.ref, ActionOptions())
        await app.sample()
        await until(pilot, lambda: "is off: only what runs has a screen" in shown(app), "that it is off")
        await pilot.press("i")
        await until(pilot, lambda: "type: build-debian is off" in shown(app), "the refusal")
        await backend.perform(Action.START, vm.ref, ActionOptions())
        app.clock.now += 60
        await app.sample()
        await until(pilot, lambda: "live" in shown(app) and "login:" in shown(app), "its screen again")
        await pilot.press("escape")
        await select(pilot, "lab-fedora")
        assert app.named("lab-fedora").state is State.OFF
        await pilot.press("V")
        await until(pilot, lambda: "lab-fedora is off" in shown(app), "the reason")
        assert app.main.view == "panes"


async def test_typing_ends_with_what_the_vm_does_and_says_so(app):
    async with app.run_test(size=(160, 48)) as pilot:
        view = await opened(pilot)
        ref = view.followed.ref
        backend = app.session.backend("virtualbox")
        assert backend is not None and ref is not None
        await pilot.press("i")
        await backend.perform(Action.PAUSE, ref, ActionOptions())
        await app.sample()
        await until(pilot, lambda: "Typing into build-debian ended: it is paused" in shown(app), "the end of it")
        assert not view.takes_keys
        await until(pilot, lambda: "  paused" in shown(app), "the title")
        await backend.perform(Action.RESUME, ref, ActionOptions())
        await app.sample()
        await until(pilot, lambda: "  live now" in shown(app), "the title")
        app.store.apply(Change("virtualbox", app.clock.now, removed=(ref,)))
        view.draw()
        await until(pilot, lambda: "build-debian is gone. Esc goes back." in shown(app), "that it is gone")


async def test_a_vm_that_runs_without_a_picture_is_not_called_stopped(app, monkeypatch):
    async with app.run_test(size=(80, 24)) as pilot:
        app = await listed(pilot)
        backend = app.session.backend("virtualbox")
        assert backend is not None

        async def none(_: object) -> None:
            raise ActionError("no video device is defined for it")

        monkeypatch.setattr(backend.ability(Screens), "picture", none)
        await pilot.press("2")
        await select(pilot, "build-debian")
        await pilot.press("V")
        said = "build-debian is running. There is no picture of its screen: no video device"
        await until(pilot, lambda: said in " ".join(shown(app).split()), "why there is none")
        assert "no picture" in shown(app).splitlines()[2]


async def test_keys_typed_right_after_a_search_are_commands(app):
    async with app.run_test(size=(100, 30)) as pilot:
        view = await opened(pilot)
        await pilot.press("slash")
        await until(pilot, lambda: view.entry.has_focus, "the entry")
        for key in (*"mem", "enter", "v"):
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: view.as_picture, "the picture")
        assert view.words == "mem"
