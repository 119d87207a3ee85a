"""The picker and the confirmation: what they let through, and what they do not."""

from textual.app import App
from textual.widgets import Input

from widgets.confirm import Answer, Choice, Confirm, Option
from widgets.picker import Picker, PickItem
from widgets.tones import Tone

UNSET = object()


class DialogApp(App[None]):
    result: object = UNSET

    def ask(self, screen: Confirm | Picker) -> None:
        self.result = UNSET
        self.push_screen(screen, lambda answer: setattr(self, "result", answer))


def confirm(count: int = 2, typed: str = "", **options: object) -> Confirm:
    lines: list[tuple[str, Tone]] = [("These are lost:", "warn"), *[(f"name-{n}", "") for n in range(count)]]
    return Confirm(
        "Delete",
        lines,
        choices=[Choice("cancel", "Cancel"), Choice("delete", "Delete", "error", needs_typed=bool(typed))],
        options=[Option("volumes", "Volumes too"), Option("force", "Force", True)],
        typed=typed,
        safe="cancel",
    )


def screen_text(app: App[None]) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def test_enter_takes_the_safe_choice_and_no_letter_answers():
    app = DialogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(confirm())
        await pilot.pause()
        await pilot.press("y", "Y", "n", "d", "D", "k")
        assert app.result is UNSET
        await pilot.press("enter")
        await pilot.pause()
        assert app.result == Answer("cancel", frozenset({"force"}))


async def test_escape_answers_nothing():
    app = DialogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(confirm())
        await pilot.press("escape")
        await pilot.pause()
        assert app.result is None


async def test_arrows_reach_the_options_and_the_other_choice():
    app = DialogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(confirm())
        await pilot.pause()
        await pilot.press("up", "up", "space", "down", "enter", "tab", "right", "enter")
        await pilot.pause()
        assert app.result == Answer("delete", frozenset({"volumes"}))


async def test_a_choice_that_needs_the_name_waits_for_exactly_it():
    app = DialogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(confirm(typed="shop-db"))
        await pilot.pause()
        assert "( Delete )" in screen_text(app)
        await pilot.click("#confirm-choices Push:last-child")
        await pilot.press("up")
        assert isinstance(app.focused, Input)
        await pilot.press(*"shop-d", "enter")
        assert "( Delete )" in screen_text(app)
        await pilot.press("b")
        await pilot.pause()
        assert "[ Delete ]" in screen_text(app)
        await pilot.press("x")
        await pilot.pause()
        assert "( Delete )" in screen_text(app)
        await pilot.press("backspace", "enter")
        await pilot.pause()
        assert app.result is UNSET
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.result, Answer)
        assert app.result.choice == "delete"


async def test_two_hundred_names_are_all_reachable_at_80x24_with_the_buttons_in_sight():
    app = DialogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(confirm(200, typed="x"))
        await pilot.pause()
        seen: set[str] = set()
        for _ in range(30):
            text = screen_text(app)
            assert "Cancel" in text
            assert "Delete )" in text
            seen |= {word for word in text.split() if word.startswith("name-")}
            await pilot.press("pagedown")
            await pilot.pause()
        assert seen == {f"name-{n}" for n in range(200)}


ITEMS = [
    PickItem("start", "Start", "s"),
    PickItem("stop", "Stop", "t", enabled=False, reason="not running"),
    PickItem("restart", "Restart", "r"),
    *[PickItem(f"item-{n}", f"[b]Item[/b] {n}") for n in range(40)],
]


async def test_typing_finds_and_enter_picks_the_best():
    app = DialogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(Picker("Commands", ITEMS))
        await pilot.pause()
        assert "[b]Item[/b] 0" in screen_text(app)
        await pilot.press(*"start", "enter")
        await pilot.pause()
        assert app.result == "start"
        app.ask(Picker("Commands", ITEMS))
        await pilot.pause()
        await pilot.press(*"start", "down", "enter")
        await pilot.pause()
        assert app.result == "restart"


async def test_what_is_disabled_says_why_and_cannot_be_picked():
    app = DialogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(Picker("Commands", ITEMS))
        await pilot.pause()
        await pilot.press("down", "enter")
        await pilot.pause()
        assert app.result is UNSET
        assert "(not running)" in screen_text(app)
        await pilot.press("escape")
        await pilot.pause()
        assert app.result is None


async def test_every_item_is_reachable_and_nothing_found_picks_nothing():
    app = DialogApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.ask(Picker("Commands", ITEMS))
        await pilot.pause()
        await pilot.press(*["pagedown"] * 6)
        assert "Item[/b] 39" in screen_text(app)
        await pilot.press(*"qqq", "enter")
        await pilot.pause()
        assert app.result is UNSET
