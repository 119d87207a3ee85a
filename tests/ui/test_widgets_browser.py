"""The file browser by itself: going about, finding, choosing, and folders of 50,000 entries."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path

import pytest
from textual.app import App
from textual.events import Key

from tui import host_files
from widgets.browser import BrowseError, Browser
from widgets.entries import Entry, Listing
from widgets.glyphs import BRAILLE


class Host(App[None]):
    """An app that asks for a path of this machine."""

    def __init__(self, start: str, kind: host_files.BrowseKind) -> None:
        super().__init__()
        self.begin, self.kind = start, kind
        self.answers: list[str | None] = []

    def look(self):
        class Look:
            glyphs = BRAILLE

        return Look

    async def on_mount(self) -> None:
        async def ask() -> None:
            self.answers.append(await host_files.browse_host(self, "Where?", self.begin, kind=self.kind))  # type: ignore[arg-type]

        self.asking = asyncio.create_task(ask())

    @property
    def browser(self) -> Browser:
        assert isinstance(self.screen, Browser)
        return self.screen

    @property
    def listed(self) -> bool:
        return not self.browser._busy and bool(self.browser._entries.counts[1])

    @property
    def names(self) -> list[str]:
        return [row[1].name for row in self.browser._entries._rows]

    @property
    def current(self) -> str:
        entry = self.browser._entries.current
        return entry.name if entry else ""

    @property
    def said(self) -> str:
        return self.browser._said[0]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("alpha/one.txt", "alpha/two.txt", "beta/.hidden/deep.txt", "beta/three.md", "README", ".profile"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    os.symlink("alpha", tmp_path / "link")
    return tmp_path


async def at(pilot, path) -> None:
    app = pilot.app
    for _ in range(1500):
        await pilot.pause(0.01)
        if isinstance(app.screen, Browser) and app.browser.folder == str(path) and app.listed:
            return
    raise AssertionError(f"not at {path}")


async def type_path(pilot, path) -> None:
    """Put a path in the path field at once, and Enter."""
    await pilot.press("ctrl+l")
    pilot.app.browser._path.value = str(path)
    await pilot.press("enter")


async def answered(pilot) -> str | None:
    for _ in range(1500):
        if pilot.app.answers:
            return pilot.app.answers[-1]
        await pilot.pause(0.01)
    raise AssertionError("no answer")


async def questioned(pilot) -> None:
    """Wait for the question before something is replaced."""
    for _ in range(1500):
        await pilot.pause(0.01)
        if not isinstance(pilot.app.screen, Browser):
            return
    raise AssertionError("no question")


async def test_folders_open_and_typing_finds(tree):
    app = Host(str(tree), "file")
    async with app.run_test(size=(80, 24)) as pilot:
        await at(pilot, tree)
        assert app.names == ["alpha", "beta", "link", "README"]
        await pilot.press("b", "enter")
        await at(pilot, tree / "beta")
        assert app.names == ["three.md"]
        await pilot.press("ctrl+t")
        assert app.names == [".hidden", "three.md"]
        await pilot.press("up", "right")
        await at(pilot, tree / "beta/.hidden")
        await pilot.press("backspace")
        await at(pilot, tree / "beta")
        assert app.current == ".hidden"
        await pilot.press("left")
        await at(pilot, tree)
        assert app.current == "beta"
        await pilot.press(".", "p")
        assert app.names == [".profile"]
        await pilot.press("enter")
        assert await answered(pilot) == str(tree / ".profile")


async def test_a_path_is_typed(tree):
    app = Host(str(tree), "file")
    async with app.run_test(size=(80, 24)) as pilot:
        await at(pilot, tree)
        await pilot.press("/", *"no", "enter")
        while app.browser._busy:
            await pilot.pause(0.01)
        assert app.said == "/no: No such file or directory"
        await type_path(pilot, "link")
        await at(pilot, tree / "link")
        await type_path(pilot, tree / "alpha/two.txt")
        assert await answered(pilot) == str(tree / "alpha/two.txt")


async def test_a_folder_is_chosen(tree):
    app = Host(str(tree / "alpha" / "one.txt" / "gone"), "folder")
    async with app.run_test(size=(80, 24)) as pilot:
        await at(pilot, tree / "alpha")
        await pilot.press(*"one", "enter")
        assert app.said == "a folder is asked for"
        await pilot.press(*["backspace"] * 3, "enter")
        assert await answered(pilot) == str(tree / "alpha")


async def test_a_place_to_save_is_named_and_nothing_is_replaced_unasked(tree):
    app = Host(str(tree / "alpha/new.tar"), "save")
    async with app.run_test(size=(80, 24)) as pilot:
        await at(pilot, tree / "alpha")
        await pilot.press("tab", "left")
        await at(pilot, tree)
        assert app.browser._path.value == str(tree / "new.tar")
        await pilot.press(*"READ", "enter")
        await pilot.press("enter")
        await questioned(pilot)
        await pilot.press("enter")
        await at(pilot, tree)
        assert not app.answers
        await pilot.press("enter")
        await questioned(pilot)
        await pilot.press("right", "enter")
        assert await answered(pilot) == str(tree / "README")


async def test_esc_answers_nothing(tree):
    app = Host(str(tree), "any")
    async with app.run_test(size=(80, 24)) as pilot:
        await at(pilot, tree)
        await pilot.press("escape")
        assert await answered(pilot) is None


async def test_names_that_are_no_text_are_drawn_and_kept(tree):
    odd = tree / "alpha" / "line\nbreak\x1b[31m\udcff"
    odd.write_text("x")
    app = Host(str(tree / "alpha"), "file")
    async with app.run_test(size=(80, 24)) as pilot:
        await at(pilot, tree / "alpha")
        await pilot.press(*"line", "enter")
        assert await answered(pilot) == str(odd)


async def test_a_huge_folder_does_not_stall():
    entries = [Entry(f"file-{number:06}.dat", "file", number, 1e9) for number in range(50_000)]

    async def listing(path: str) -> Listing:
        await asyncio.sleep(0)
        if path != "/":
            raise BrowseError("nothing there")
        return Listing(path, entries)

    class Many(App[None]):
        def on_mount(self) -> None:
            self.push_screen(Browser("Many", "/", listing))

    app = Many()
    async with app.run_test(size=(80, 24)) as pilot:
        browser = app.screen
        assert isinstance(browser, Browser)
        while not browser._entries.counts[1]:
            await pilot.pause(0.01)
        worst = 0.0
        for key in ["4", "9", "9", "down", "pagedown", "backspace", "backspace", "backspace", "pagedown"]:
            began = time.perf_counter()
            await pilot.press(key)
            worst = max(worst, time.perf_counter() - began)
        # a pilot waits for the screen after each key
        assert worst < 3
        await pilot.press(*"049999")
        assert browser._entries.current.name == "file-049999.dat"


def typed_at_once(app: App[None], *keys: str) -> None:
    """As a terminal hands them over that had them in one go."""
    for key in keys:
        app.post_message(Key(key, key if len(key) == 1 else None))


async def pushed(pilot) -> None:
    while not isinstance(pilot.app.screen, Browser):
        await pilot.pause(0.01)


@pytest.mark.parametrize("before", [(), ("ctrl+l",), ("x", "backspace")])
async def test_a_path_typed_while_the_first_folder_is_listed_is_gone_to(tree, before):
    app = Host("/", "file")
    async with app.run_test(size=(80, 24)) as pilot:
        await pushed(pilot)
        typed_at_once(app, *before, *str(tree / "beta"), "enter", *"thx", "backspace", "enter")
        assert await answered(pilot) == str(tree / "beta/three.md")


async def test_the_button_takes_the_typed_path_not_the_entry_under_the_cursor(tree):
    app = Host(str(tree / "beta"), "file")
    async with app.run_test(size=(80, 24)) as pilot:
        await at(pilot, tree / "beta")
        typed_at_once(app, *str(tree / "alpha/two.txt"), "ctrl+s")
        assert await answered(pilot) == str(tree / "alpha/two.txt")


async def test_keys_in_one_go_open_one_folder_after_the_other(tree):
    app = Host(str(tree / "alpha"), "file")
    async with app.run_test(size=(80, 24)) as pilot:
        await pushed(pilot)
        typed_at_once(app, "left", *"bet", "enter", "backspace", *"link", "enter", *"two", "ctrl+s")
        assert await answered(pilot) == str(tree / "link/two.txt")


async def test_a_folder_that_hangs_says_so_and_can_be_left(tree, monkeypatch):
    hangs = threading.Event()
    scandir = os.scandir

    def slow(path):
        if str(path).endswith("beta"):
            hangs.wait(30)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", slow)
    app = Host(str(tree), "file")
    async with app.run_test(size=(80, 24)) as pilot:
        await at(pilot, tree)
        monkeypatch.setattr(host_files, "_PATIENCE", 0.5)
        await pilot.press("b", "enter")
        while "file system hangs" not in app.said:
            await pilot.pause(0.01)
        hangs.set()
        monkeypatch.undo()
        await pilot.press("l", "enter")
        await at(pilot, tree / "link")
