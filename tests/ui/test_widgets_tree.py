"""The tree and the facts: folding, finding, secrets, and big data."""

import time
from typing import Any

from textual.app import App, ComposeResult

from widgets.facts import Cell, Fact, Facts, Heading
from widgets.tree import DataTree, Masked

DATA = {
    "Id": "abc",
    "Config": {"Env": [Masked("PASSWORD=hunter2"), "MODE=[b]fast[/b]"], "Labels": {}, "Tty": False},
    "State": {"Status": "running", "Health": {"Log": [{"Output": "needle in here"}]}},
}


class TreeApp(App[None]):
    CSS = "DataTree, Facts { height: 1fr; }"

    def compose(self) -> ComposeResult:
        yield DataTree()
        yield Facts()

    def on_mount(self) -> None:
        self.query_one(DataTree).focus()


def text_of(widget: DataTree | Facts) -> list[str]:
    return [widget.line(y).text.rstrip() for y in range(widget.size.height)]


async def test_first_levels_are_open_and_keys_fold():
    app = TreeApp()
    async with app.run_test(size=(60, 40)) as pilot:
        tree = app.query_one(DataTree)
        tree.set_data(DATA)
        assert [line.strip() for line in text_of(tree)[:5]] == [
            "Id: abc",
            "▾ Config: {3 entries}",
            "▸ Env: [2 entries]",
            "Labels: {}",
            "Tty: false",
        ]
        await pilot.press("down", "enter")
        assert "▸ Config" in text_of(tree)[1]
        await pilot.press("right", "right", "space")
        assert "MODE=[b]fast[/b]" in "\n".join(text_of(tree))
        await pilot.press("left", "left")
        assert tree.cursor_path == ("Config",)
        await pilot.press("E")
        assert "needle" in "\n".join(text_of(tree))
        await pilot.press("C")
        assert tree.total_lines() == 3


async def test_secrets_are_shown_copied_and_found_only_once_revealed_and_stay_so_for_that_value_only():
    app = TreeApp()
    async with app.run_test(size=(60, 40)) as pilot:
        tree = app.query_one(DataTree)
        tree.set_data(DATA)
        assert tree.search("hunter2") == 0
        assert tree.search("Env") == 1
        assert "hunter2" not in tree.current_text()
        await pilot.press("enter", "down")
        assert tree.current_text() == "••••••"
        assert "hunter2" not in repr(DATA)
        await pilot.press("v")
        assert "hunter2" in "\n".join(text_of(tree))
        assert tree.current_text() == "PASSWORD=hunter2"
        tree.set_data({**DATA, "Config": {"Env": [Masked("PASSWORD=hunter2")]}})
        assert "hunter2" in "\n".join(text_of(tree))
        tree.set_data({**DATA, "Config": {"Env": [Masked("TOKEN=other")]}})
        assert "other" not in "\n".join(text_of(tree))


async def test_search_opens_what_hides_a_match_and_steps_around():
    app = TreeApp()
    async with app.run_test(size=(60, 40)) as pilot:
        tree = app.query_one(DataTree)
        tree.set_data(DATA)
        assert tree.search("NEEDLE") == 1
        assert tree.current_text() == "needle in here"
        assert tree.search("a") > 2
        first = tree.cursor_path
        tree.next_match()
        assert tree.cursor_path != first
        tree.previous_match()
        assert tree.cursor_path == first
        assert tree.search("no such thing") == 0
        await pilot.pause()


async def test_cursor_and_folds_stay_when_the_data_is_set_anew():
    app = TreeApp()
    async with app.run_test(size=(60, 40)) as pilot:
        tree = app.query_one(DataTree)
        tree.set_data(DATA)
        tree.search("needle")
        where = tree.cursor_path
        tree.set_data({"Added": 1, **DATA})
        assert tree.cursor_path == where
        tree.set_data({"Other": 1}, keep_folds=False)
        assert tree.cursor_path == ("Other",)
        for leaf in ("just text", None, [], {}):
            tree.set_data(leaf)
            await pilot.pause()


async def test_big_data_does_not_stall():
    app = TreeApp()
    async with app.run_test(size=(60, 40)) as pilot:
        tree = app.query_one(DataTree)
        deep: Any = "bottom"
        for _ in range(3000):
            deep = [deep]
        data = {"long": "文" * 90_000 + "needle", "many": list(range(20_000)), "deep": deep}
        start = time.perf_counter()
        tree.set_data(data)
        await pilot.press("E", "G", "g", "j")
        assert tree.search("needle") == 1
        await pilot.pause()
        assert time.perf_counter() - start < 10
        assert tree.current_text() == data["long"]
        await pilot.press("C", "G")
        assert "too deep" in tree.current_text()


async def test_facts_wrap_under_their_column_and_scroll():
    app = TreeApp()
    async with app.run_test(size=(40, 20)) as pilot:
        facts = app.query_one(Facts)
        facts.focus()
        facts.set_facts(
            [
                Heading("Container"),
                ("Name", "web"),
                Fact("Command", Cell("word " * 20, "dim")),
                Heading("End"),
                ("Last", "x"),
            ]
        )
        lines = text_of(facts)
        assert lines[0] == "Container"
        assert lines[1].startswith("Name     web")
        assert lines[2].startswith("Command  word")
        assert lines[3].startswith("         word")
        facts.set_facts([(f"label-{n}", "value") for n in range(50)])
        await pilot.press("end")
        assert "label-49" in text_of(facts)[-1]
        await pilot.press("home", "pagedown")
        assert facts.top > 0
