"""Forms: what is typed is checked, what is wrong is said and not sent, what is right comes back as typed."""

import asyncio
from collections.abc import Mapping

import pytest
from textual.app import App
from textual.events import Key

from tests.ui.boxtop import until
from widgets.fields import LinesControl, TextControl
from widgets.form import ChoiceField, Form, LinesField, TextField, ToggleField, Tool, Values
from widgets.form_parts import FieldRow
from widgets.picker import Picker

UNSET = object()


class FormApp(App[None]):
    ENABLE_COMMAND_PALETTE = False
    result: object = UNSET

    def query_one_of(self, field_id: str) -> TextControl:
        return next(row for row in self.screen.query(FieldRow) if row.field.id == field_id).query_one(TextControl)

    def ask(self, form: Form) -> None:
        self.result = UNSET
        self.push_screen(form, lambda answer: setattr(self, "result", answer))


class OpenApp(FormApp):
    """With the form of the pictures on screen."""

    def on_mount(self) -> None:
        self.ask(form())


def check(values: Values) -> Mapping[str, str]:
    return {} if values["name"] != "taken" else {"name": "shop-web is called so already: choose another name"}


def preview(values: Values) -> str:
    words = ["docker", "run", "--name", str(values["name"])]
    for port in values["ports"]:  # type: ignore[union-attr]
        words += ["-p", port]
    return " ".join(words)


def form(**options: object) -> Form:
    chosen: dict[str, object] = {"check": check, "preview": preview, "suggest": {"name": ["one", "two"]}, **options}
    return Form(
        "Run a container",
        [
            TextField("name", "Name", "shop", placeholder="chosen by the engine", help="How it is called"),
            TextField("path", "Folder", browse="folder", help="Where it works"),
            LinesField("ports", "Ports", ("8080:80",), placeholder="8080:80", help="HOST:CONTAINER, one a line"),
            ChoiceField("restart", "Restart", (("no", "never"), ("always", "always"), ("fail", "on failure")), "no"),
            ToggleField("remove", "Remove on exit", help="Removed as soon as it ends"),
            TextField("password", "Password", "s3cret ", secret=True),
        ],
        submit="Run",
        **chosen,  # type: ignore[arg-type]
    )


def screen_text(app: App[None]) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


@pytest.mark.parametrize("size", [(160, 48), (80, 24)])
def test_a_form_looks_as_it_did(snap_compare, size):
    async def fill(pilot):
        await pilot.pause()
        await pilot.press(*"taken", "tab", "tab", "enter", *"9090:90")
        await pilot.pause()

    assert snap_compare(OpenApp(), terminal_size=size, run_before=fill)


async def test_what_is_entered_comes_back_with_ctrl_s():
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(form())
        await pilot.pause()
        await pilot.press("end", *"-web ", "enter", *"/srv", "down", "enter", *" 9090:90 ", "enter", "enter")
        await pilot.press("tab", "right", "down", "space", "ctrl+s")
        await pilot.pause()
        assert app.result == {
            "name": "shop-web",
            "path": "/srv",
            "ports": ("8080:80", "9090:90"),
            "restart": "always",
            "remove": True,
            "password": "s3cret ",
        }


async def test_enter_in_the_last_field_sends_and_escape_sends_nothing():
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(form())
        await pilot.pause()
        await pilot.press("tab", "tab", "tab", "tab", "tab", "enter")
        await pilot.pause()
        assert isinstance(app.result, dict)
        app.ask(form())
        await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert app.result is None


async def test_what_is_wrong_is_said_while_it_is_typed_and_is_not_sent():
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(form())
        await pilot.pause()
        assert "called so already" not in screen_text(app)
        await pilot.press(*"taken")
        await pilot.pause()
        assert "called so already" in screen_text(app)
        await pilot.press("tab", "tab", "ctrl+s")
        await pilot.pause()
        assert app.result is UNSET
        assert isinstance(app.focused, TextControl)
        assert app.focused.value == "taken"
        await pilot.press("2")
        await pilot.pause()
        assert "called so already" not in screen_text(app)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert isinstance(app.result, dict)


async def test_a_slow_check_is_waited_for_before_sending_and_its_word_goes_when_the_value_does():
    asked: list[str] = []
    go_on = asyncio.Event()

    async def slow(values: Values) -> Mapping[str, str]:
        asked.append(str(values["path"]))
        await go_on.wait()
        return {"path": "no such folder"} if values["path"] == "/bad" else {}

    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(form(slow_check=slow))
        await pilot.pause()
        await pilot.press("tab", *"/bad", "ctrl+s")
        await pilot.pause()
        assert app.result is UNSET
        assert "checking" in screen_text(app)
        go_on.set()
        await until(pilot, lambda: "no such folder" in screen_text(app), "what is wrong")
        assert app.result is UNSET
        await pilot.press("2")
        await pilot.pause()
        assert "no such folder" not in screen_text(app)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.result, dict), "the answer")
        assert "/bad" in asked
        assert asked[-1] == "/bad2"


async def test_a_check_that_breaks_keeps_nobody_from_sending():
    async def slow(values: Values) -> Mapping[str, str]:
        raise OSError("the engine is gone")

    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(form(slow_check=slow))
        await pilot.pause()
        await pilot.press("ctrl+s")
        await until(pilot, lambda: isinstance(app.result, dict), "the answer")


async def test_lists_and_browsers_fill_their_field():
    async def browse(label: str, value: str, kind: str) -> str | None:
        return f"/found/{label}/{value}/{kind}"

    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(form(browse=browse, suggest={"name": ["one", "two"], "ports": ["53:53/udp"]}))
        await pilot.pause()
        await pilot.press("ctrl+l")
        await pilot.pause()
        assert isinstance(app.screen, Picker)
        await pilot.press("down", "enter")
        await pilot.pause()
        await pilot.press("tab", "x", "ctrl+o")
        await pilot.pause()
        await pilot.press("tab", "ctrl+l")
        await pilot.pause()
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("tab", "enter")
        await pilot.pause()
        assert isinstance(app.screen, Picker)
        await pilot.press(*"fail", "enter")
        await pilot.pause()
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert isinstance(app.result, dict)
        assert app.result["name"] == "two"
        assert app.result["path"] == "/found/Folder/x/folder"
        assert app.result["ports"] == ("8080:80", "53:53/udp")
        assert app.result["restart"] == "fail"


async def test_the_preview_follows_and_is_copied():
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(form())
        await pilot.pause()
        assert "docker run --name shop -p 8080:80" in screen_text(app)
        await pilot.press("end", "1", "ctrl+y")
        await pilot.pause()
        assert app.clipboard == "docker run --name shop1 -p 8080:80"
        assert "Copied" in screen_text(app)


async def test_a_tool_changes_what_is_entered():
    async def run(values: Values) -> Values | None:
        return {"name": f"{values['name']}-read", "ports": ("1:1",), "remove": True, "restart": "fail"}

    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(form(tools=[Tool("paste", "Paste", run)]))
        await pilot.pause()
        await pilot.click("#tool-paste")
        await pilot.pause()
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert isinstance(app.result, dict)
        assert (app.result["name"], app.result["ports"]) == ("shop-read", ("1:1",))
        assert (app.result["remove"], app.result["restart"]) == (True, "fail")


async def test_two_dozen_fields_are_all_reached_at_80x24():
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(Form("Much", [TextField(f"f{n}", f"Field {n}") for n in range(24)]))
        await pilot.pause()
        for n in range(24):
            await pilot.press(chr(97 + n), "tab")
        await pilot.pause()
        assert "[>Cancel<]" in screen_text(app)
        await pilot.press("tab", "enter")
        await pilot.pause()
        assert app.result == {f"f{n}": chr(97 + n) for n in range(24)}


async def test_arrows_leave_a_field_of_lines_at_its_edges():
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(form())
        await pilot.pause()
        await pilot.press("down", "down")
        assert isinstance(app.focused, LinesControl)
        await pilot.press("up")
        assert isinstance(app.focused, TextControl)
        await pilot.press("down", "down")
        assert not isinstance(app.focused, LinesControl)


async def test_keys_typed_ahead_go_to_the_field_they_were_meant_for():
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(form())
        typed = "right 1 enter / tab 9 tab tab shift+tab up 8 tab down down end x z backspace"
        for key in typed.split():
            app.post_message(Key(key, key if len(key) == 1 else None))
        await pilot.pause()
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert isinstance(app.result, dict)
        assert app.result["name"] == "shop1"
        assert app.result["path"] == "/"
        assert app.result["ports"] == ("8080:8098",)
        assert app.result["password"] == "s3cret x"


async def test_what_is_typed_first_replaces_the_text_a_field_was_entered_with():
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(form(first="password"))
        await pilot.pause()
        await pilot.press(*"new", "shift+tab", "shift+tab", "shift+tab", "shift+tab", "shift+tab", *"web")
        await pilot.press("tab", "shift+tab", "left", "x")
        await pilot.click(app.query_one_of("path"), offset=(10, 0))
        await pilot.press(*"/a", "enter", "shift+tab")
        await pilot.click(app.query_one_of("path"), offset=(10, 0))
        await pilot.press("b", "ctrl+s")
        await pilot.pause()
        assert isinstance(app.result, dict)
        assert (app.result["name"], app.result["path"], app.result["password"]) == ("xweb", "/ab", "new")


async def test_esc_discards_at_once_what_nobody_changed_and_else_when_pressed_again():
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(form())
        await pilot.pause()
        await pilot.press("end", "x", "backspace", "escape")
        await pilot.pause()
        assert app.result is None
        app.ask(form())
        await pilot.pause()
        await pilot.press("x", "escape")
        await pilot.pause()
        assert "Esc again discards" in screen_text(app)
        await pilot.press("y", "escape")
        await pilot.pause()
        assert app.result is UNSET
        await pilot.press("escape")
        await pilot.pause()
        assert app.result is None


async def test_nothing_is_called_wrong_before_it_was_changed_or_sent():
    def wrong(values: Values) -> Mapping[str, str]:
        return {field: "this is missing" for field in ("name", "path") if values[field] != "right"}

    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(form(check=wrong))
        await pilot.pause()
        await pilot.press("tab", "tab", "shift+tab")
        await pilot.pause()
        assert "this is missing" not in screen_text(app)
        await pilot.press("r")
        await pilot.pause()
        assert screen_text(app).count("this is missing") == 1
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert screen_text(app).count("  this is missing") == 2
        assert app.result is UNSET


async def test_a_text_that_waits_for_its_rest_is_typed_on():
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(Form("Tag", [TextField("name", "New name", "shop/api:")]))
        await pilot.pause()
        await pilot.press(*"2.0", "enter")
        await pilot.pause()
        assert app.result == {"name": "shop/api:2.0"}
