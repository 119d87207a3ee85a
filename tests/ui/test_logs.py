"""Logs on the screen, from the demo: one, several merged, the details' tab; and what is done in them."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from backends.log_text import pieces
from backends.model import State
from tests.ui.boxtop import TestApp, listed, select, until
from tui.log_view import LogsView
from widgets.log_view import LogLook, LogView


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestApp:
    monkeypatch.setenv("HOME", str(tmp_path))
    return TestApp(tmp_path / "journal.jsonl")


def logs_view(app: TestApp) -> LogsView:
    view = app.main.views["logs"]
    assert isinstance(view, LogsView)
    return view


def text_of(view: LogView) -> list[str]:
    """The rows on screen."""
    return ["".join(segment.text for segment in view.line(y))[:-1].rstrip() for y in range(view.size.height)]


def lines_of(view: LogView) -> list[str]:
    return [raw.decode() for raw in view.ring.texts]


async def opened(pilot: Pilot[object], *names: str) -> LogsView:
    """The logs of these containers, their last lines there."""
    app = await listed(pilot)
    for name in names:
        await select(pilot, name)
        if len(names) > 1:
            await pilot.press("space")
    await pilot.press("l")
    await until(
        pilot, lambda: "logs" in app.main.views and len(logs_view(app).log_view.ring) >= 1000 * len(names), "logs"
    )
    await pilot.pause()
    return logs_view(app)


@pytest.mark.parametrize("size", [(160, 48), (80, 24)], ids=["160x48", "80x24"])
def test_one_log(app, size, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        await opened(pilot, "shop-web")
        await pilot.press("t")
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", [(160, 48), (80, 24)], ids=["160x48", "80x24"])
def test_several_logs_merged(app, size, snap_compare):
    async def before(pilot: Pilot[object]) -> None:
        await opened(pilot, "shop-web", "shop-db", "shop-worker")
        await pilot.press("/", *"order", "enter")
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=before)


async def test_the_details_tab_follows_the_selected_container_only_while_it_is_in_view(app):
    def followed() -> set[str]:
        names = (task.get_name() for task in asyncio.all_tasks())
        return {name.removeprefix("logs of ") for name in names if name.startswith("logs of ")}

    async with app.run_test(size=(160, 48)) as pilot:
        await listed(pilot)
        await select(pilot, "shop-web")
        assert not followed()
        app.main.details.pick("logs")
        tab = app.main.details.current
        assert tab is not None
        view = tab.main_widget()
        assert isinstance(view, LogView)
        await until(pilot, lambda: len(view.ring) >= 1000, "the log")
        assert "INFO GET" in "".join(text_of(view))
        assert followed() == {"shop-web"}
        await select(pilot, "shop-db")
        await until(pilot, lambda: followed() == {"shop-db"} and len(view.ring) >= 1000, "the other log")
        assert "checkpoint" in "".join(text_of(view))
        assert "INFO GET" not in "".join(text_of(view))
        app.main.details.pick("overview")
        await until(pilot, lambda: not followed(), "the stream closed")
        app.main.details.pick("logs")
        await until(pilot, lambda: followed() == {"shop-db"}, "followed again")
        await pilot.press("4")
        await until(pilot, lambda: not followed(), "the stream closed behind another view")


async def test_older_lines_come_on_scrolling_to_the_top_and_what_is_read_stays_in_place(app):
    async with app.run_test(size=(100, 30)) as pilot:
        view = await opened(pilot, "shop-web")
        log = view.log_view
        assert log.following
        newest = text_of(log)[-1]
        await pilot.press("pageup")
        assert not log.following
        held = text_of(log)
        app.clock.now += 60
        await until(pilot, lambda: len(log.ring) > 1010, "new lines")
        assert text_of(log) == held
        await pilot.press("g")
        await until(pilot, lambda: len(log.ring) > 2000, "older lines")
        assert text_of(log)[0] == "  " + _plain(lines_of(log)[log.ring.place(log.first_on_screen)])
        assert log.ring.place(log.first_on_screen) >= 1000
        assert list(log.ring.stamps) == sorted(log.ring.stamps)
        assert len(set(log.ring.stamps)) == len(log.ring.stamps)
        await pilot.press("G")
        assert log.following
        assert text_of(log)[-1] != newest
        await pilot.press("k", "j")
        assert log.following


async def test_a_filter_a_search_and_back_out_of_both(app):
    async with app.run_test(size=(120, 30)) as pilot:
        view = await opened(pilot, "shop-web")
        log = view.log_view
        await pilot.press("\\", *"ERROR", "enter")
        await until(pilot, lambda: not log.ring.sifting, "all looked at")
        assert 0 < log.ring.count < len(log.ring)
        assert all("ERROR" in row for row in text_of(log) if row)
        await pilot.press("\\")
        view.entry.value = "!/(INFO|WARN).* 200/"
        await pilot.press("enter")
        await until(pilot, lambda: not log.ring.sifting, "all looked at")
        assert not any("INFO" in row for row in text_of(log))
        await pilot.press("\\")
        view.entry.value = "/(/"
        await pilot.press("enter")
        assert view.entry.display
        assert view.filter.typed.startswith("!")
        await pilot.press("escape", "escape")
        assert not view.filter.active
        await pilot.press("/", *"timeout", "enter")
        await pilot.pause()
        first = log.selected
        assert first is not None
        await pilot.press("N")
        assert log.selected < first
        await pilot.press("n")
        assert log.selected == first
        assert "timeout" in lines_of(log)[first[0] - log.ring.base]
        for _ in range(2):
            await pilot.press("escape")
        assert app.main.view == "logs"
        await pilot.press("escape")
        assert app.main.view == "panes"
        await until(
            pilot,
            lambda: not [task for task in asyncio.all_tasks() if task.get_name().startswith("logs of ")],
            "all ended",
        )


async def test_copying_saving_and_clearing(app, tmp_path):
    async with app.run_test(size=(100, 30)) as pilot:
        view = await opened(pilot, "shop-web", "shop-db")
        log = view.log_view
        last = lines_of(log)[-2:]
        await pilot.press("shift+up", "shift+up", "c")
        assert app.clipboard.splitlines() == [_plain(line) for line in last]
        await pilot.press("escape", "c")
        assert len(app.clipboard.splitlines()) == len(set(log.chosen()))
        file = tmp_path / "saved.log"
        await view.save(file)
        saved = file.read_text().splitlines()
        assert file.stat().st_mode & 0o777 == 0o600
        assert len(saved) == len(log.ring)
        name = view.containers[log.ring.tags[-1] >> 1].name
        assert saved[-1].startswith(f"{name} ")
        assert saved[-1].endswith(_plain(last[-1]))
        assert not any("\x1b" in line for line in saved)
        with pytest.raises(OSError):
            await view.save(tmp_path / "no-folder" / "saved.log")
        assert list(tmp_path.glob("*.part")) == []
        await pilot.press("X")
        assert len(log.ring) == 0
        app.clock.now += 30
        await until(pilot, lambda: len(log.ring) > 0, "new lines")
        assert log.following


async def test_since_and_looks(app):
    async with app.run_test(size=(100, 30)) as pilot:
        view = await opened(pilot, "shop-web")
        log = view.log_view
        await pilot.press("s")
        await until(pilot, lambda: app.screen is not app.main, "the question")
        await pilot.press(*"minute", "enter")
        await until(pilot, lambda: view.since == "60" and 0 < len(log.ring) < 1000, "the last minute")
        assert all(stamp >= (app.clock.now - 60) * 1e9 for stamp in log.ring.stamps)
        await pilot.press("g")
        await until(pilot, lambda: view.sources.complete, "no older lines")
        await pilot.press("t")
        assert all(row.startswith("01-01 ") for row in text_of(log) if row)
        await pilot.press("w")
        assert not log.look.wrap
        await pilot.press("f")
        assert log.following


async def test_it_goes_on_when_the_container_runs_again(app):
    async with app.run_test(size=(100, 30)) as pilot:
        view = await opened(pilot, "shop-web")
        log = view.log_view
        backend = app.session.backend(app.named("shop-web").ref.engine)
        web = app.named("shop-web")
        backend.world.put(replace(web, state=State.EXITED, ended=app.clock.now, exit_code=0))
        await until(pilot, lambda: any("shop-web is exited" in line for line in lines_of(log)), "its end told", 5)
        app.clock.now += 120
        backend.world.put(replace(web, state=State.RUNNING, started=app.clock.now))
        app.clock.now += 30
        told = len(log.ring)
        await until(pilot, lambda: len(log.ring) > told + 3, "it to go on", 5)
        stamps = [stamp for stamp, tag in zip(log.ring.stamps, log.ring.tags, strict=True) if not tag]
        assert len(stamps) == len(set(stamps))


class Alone(App[None]):
    def compose(self) -> ComposeResult:
        yield LogView(pieces)


async def test_hostile_lines_and_endless_ones_do_no_harm():
    app = Alone()
    async with app.run_test(size=(60, 10)) as pilot:
        view = app.query_one(LogView)
        hostile = [
            b"\x1b[2J\x1b[?1049l\x1b]52;c;aGk=\x07x",
            "\u202egnp.exe \U000e0041\u200b[red]x[/red]".encode(),
            b"\r\x08\x0b\x7f",
        ]
        view.add(hostile, [1, 2, 3], [0, 0, 1])
        view.add([b"0123456789" * 3200 + b"end", b"\xff" * 100], [4, 5], [0, 0])
        await pilot.pause()
        began = time.process_time()
        for wrap in (True, False):
            view.set_look(LogLook(timestamps=True, wrap=wrap))
            for key in ("g", "pagedown", "down", "up", "G", "pageup", "right", "left", "g"):
                await pilot.press(key)
                for row in text_of(view):
                    assert row.isprintable(), ascii(row)
        assert time.process_time() - began < 3
        view.set_look(LogLook(wrap=True))
        await pilot.press("g")
        assert "[red]x[/red]" in text_of(view)[1]
        assert text_of(view)[2].startswith("! ")
        rows = len("0123456789" * 3200 + "end") // 57
        for _ in range(3):
            await pilot.press("down")
        for _ in range(rows):
            view.action_scroll_rows(1)
        assert any("end" in row for row in text_of(view))


def _plain(line: str) -> str:
    from backends.log_text import plain

    return plain(line.encode())
