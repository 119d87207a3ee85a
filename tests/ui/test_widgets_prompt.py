"""The entry line: what is typed right after Enter goes where the keyboard is then."""

from typing import ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.events import Key
from textual.widgets import Input, Static

from tests.ui.boxtop import until
from widgets.prompt import Prompt


class PromptApp(App[None]):
    BINDINGS: ClassVar = [("l", "note('l')"), ("x", "note('x')")]

    def __init__(self, *, closes: bool) -> None:
        super().__init__()
        self.closes = closes
        self.pressed: list[str] = []

    def compose(self) -> ComposeResult:
        self.list = Static("list")
        self.list.can_focus = True
        yield self.list
        self.prompt = Prompt(id="words")
        yield self.prompt

    def on_mount(self) -> None:
        self.prompt.focus()

    @on(Input.Submitted)
    def _done(self) -> None:
        if self.closes:
            self.prompt.display = False
            self.list.focus()

    def action_note(self, key: str) -> None:
        self.pressed.append(key)

    def type_at_once(self, *keys: str) -> None:
        """As a terminal hands them over that had them in one go."""
        for key in keys:
            self.post_message(Key(key, key if len(key) == 1 else None))


async def test_keys_right_after_enter_go_to_what_has_the_keyboard_next():
    app = PromptApp(closes=True)
    async with app.run_test() as pilot:
        app.type_at_once("w", "e", "b", "enter", "l", "x")
        await until(pilot, lambda: len(app.pressed) == 2, "the keys")
        assert (app.prompt.value, app.pressed) == ("web", ["l", "x"])


async def test_a_prompt_that_stays_open_takes_them():
    app = PromptApp(closes=False)
    async with app.run_test() as pilot:
        app.type_at_once("(", "enter", ")")
        await until(pilot, lambda: app.prompt.value == "()", "the keys")
        await pilot.pause(0.8)
        assert (app.prompt.value, app.pressed) == ("()", [])
        app.type_at_once("x")
        await until(pilot, lambda: app.prompt.value == "()x", "another")
