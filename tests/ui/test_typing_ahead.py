"""Keys that come faster than screens: they reach the dialog they were typed for; and quitting out of one."""

import asyncio

from textual.events import Key

from backends.abilities.creating import Limits
from backends.base import EngineError
from backends.demo.creating import DemoCreating
from backends.model import Kind
from tests.ui.boxtop import TestApp, asked, listed, press, said, select, until
from tui.screens.help import Help
from widgets.confirm import Confirm
from widgets.form import Form, TextField
from widgets.picker import Picker
from widgets.waiting import Waiting


def type_at_once(app: TestApp, *keys: str) -> None:
    """As a terminal hands them over that had them in one go."""
    for key in keys:
        app.post_message(Key(key, key if len(key) == 1 else None))


async def test_letters_right_behind_the_palettes_key_search_it(app):
    async with app.run_test(size=(160, 40)) as pilot:
        await listed(pilot)
        type_at_once(app, "colon", *"helps", "backspace", "enter")
        await until(pilot, lambda: isinstance(app.screen, Help), "the help")
        await press(pilot, "escape")
        type_at_once(app, "m", "down", "up", *"logz", "backspace", "s", "enter")
        await until(pilot, lambda: app.main.view == "logs", "the logs")


async def test_what_is_typed_while_a_form_is_made_goes_into_it_and_never_to_the_list(app, monkeypatch):
    answers, limits = asyncio.Event(), DemoCreating.limits

    async def late(creating: DemoCreating) -> Limits:
        await answers.wait()
        return await limits(creating)

    monkeypatch.setattr(DemoCreating, "limits", late)
    async with app.run_test(size=(160, 40)) as pilot:
        await listed(pilot)
        await press(pilot, "2")
        chosen = await select(pilot, "build-debian")
        type_at_once(app, "plus", *"dtq")
        await until(pilot, lambda: isinstance(app.screen, Waiting) and len(app.screen.typed) == 3, "what waits")
        await pilot.press("j", "backspace", *"Kx")
        type_at_once(app, "tab", "tab")
        answers.set()
        await until(pilot, lambda: isinstance(app.screen, Form), "the form")
        type_at_once(app, "7")
        await until(pilot, lambda: app.screen.values["cpus"] == "7", "the rest of it")
        assert app.screen.values["name"] == "dtqKx"
        assert app.main.active.current.ref == chosen
        assert app.main.view == "panes"


async def test_a_form_is_called_filled_and_sent_in_one_go(app):
    def names() -> set[str]:
        return {vm.name for vm in app.store.items[Kind.VM].values()}

    async with app.run_test(size=(160, 40)) as pilot:
        await listed(pilot)
        await press(pilot, "2")
        await select(pilot, "build-debian")
        # also those keys count that the list was handed before there was a form
        type_at_once(app, "y", *"one0x", "ctrl+s")
        await until(pilot, lambda: "one0x" in names(), "the first clone")
        await select(pilot, "build-debian")
        await press(pilot, "y")
        await asked(pilot, Form)
        type_at_once(app, *"two0x", "ctrl+s")
        await until(pilot, lambda: "two0x" in names(), "the second clone")
        assert not {name for name in names() if "clone" in name}


async def test_esc_gives_up_waiting_and_what_was_typed_before_means_nothing(app, monkeypatch):
    answers, questions = asyncio.Event(), []

    async def late(creating: DemoCreating) -> Limits:
        questions.append(creating)
        await answers.wait()
        raise EngineError("it hangs")

    monkeypatch.setattr(DemoCreating, "limits", late)
    async with app.run_test(size=(160, 40)) as pilot:
        await listed(pilot)
        await press(pilot, "2")
        chosen = await select(pilot, "build-debian")
        type_at_once(app, "plus", *"jjq", "escape")
        await until(pilot, lambda: questions and app.screen is app.main, "the list")
        type_at_once(app, "plus", *"jjq")
        await until(pilot, lambda: isinstance(app.screen, Waiting) and len(app.screen.typed) == 3, "what waits")
        answers.set()
        await until(pilot, lambda: "it hangs" in said(app), "the failure")
        await until(pilot, lambda: app.screen is app.main, "the list")
        await press(pilot, "y")
        await asked(pilot, Form)
        assert app.screen.values["name"] == "build-debian-clone"
        assert app.main.active.current.ref == chosen


async def test_a_key_right_behind_the_filters_enter_goes_to_the_row_it_led_to(app):
    async with app.run_test(size=(160, 40)) as pilot:
        await listed(pilot)
        await press(pilot, "2")
        type_at_once(app, "slash", *"kernex", "backspace", "l", "minus", "enter", "u")
        await until(pilot, lambda: app.main.view == "settings", "the settings")
        await press(pilot, "escape")
        assert app.main.active.current.name == "kernel-lab"


async def test_the_palette_takes_the_width_its_entries_need(app):
    async with app.run_test(size=(160, 40)) as pilot:
        await listed(pilot)
        await press(pilot, ":")
        await asked(pilot, Picker)
        text = "\n".join(strip.text for strip in app.screen._compositor.render_strips())
        assert (
            "Show only the lines" in text or "SIGTERM and then SIGKILL to a container, the power button to a VM" in text
        )


async def test_quitting_out_of_a_form_asks_once_when_something_was_entered(app):
    async with app.run_test(size=(100, 30)) as pilot:
        await listed(pilot)
        form = Form("Name it", [TextField("name", "Name", "old")])
        app.push_screen(form)
        await press(pilot, "x", "ctrl+q", "ctrl+q")
        await asked(pilot, Confirm)
        await press(pilot, "enter")
        assert app.screen is form
        assert form.values == {"name": "x"}
        await press(pilot, "ctrl+c", "ctrl+d", "ctrl+p")
        assert app.screen is form
        await press(pilot, "ctrl+q")
        await asked(pilot, Confirm)
        await press(pilot, "right", "enter")
        await until(pilot, lambda: app.return_code == 0, "the end")
