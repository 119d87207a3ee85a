"""Keys that come faster than screens: they reach the dialog they were typed for; and quitting out of one."""

from textual.events import Key

from tests.ui.boxtop import TestApp, asked, listed, press, until
from tui.screens.help import Help
from widgets.confirm import Confirm
from widgets.form import Form, TextField
from widgets.picker import Picker


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
