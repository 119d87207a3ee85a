"""Sizes, poor terminals, options and the configuration, on the simulated engines."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.e2e.run_cli import COMMAND
from tests.e2e.terminal import Boxtop
from tests.e2e.tmux import Tmux
from tests.engines.docker_engine import wait_until
from tests.engines.require import need


def test_every_size_and_back(tmp_path: Path) -> None:
    with Boxtop(tmp_path, "--demo") as app:
        app.wait_row("grafana", "up ")
        for size in ((100, 30), (80, 24), (40, 10), (20, 5), (1, 1), (2, 40), (200, 2), (80, 24)):
            app.resize(*size)
            # it is at home in a size when it answers a key there
            before = len(app.raw)
            app.press("Down", "Enter", "Esc")
            app.wait_for(lambda before=before: len(app.raw) > before, f"an answer at {size}")
        app.resize(160, 48)
        app.wait_row("grafana", "up ")
        app.wait_text("1 Containers", "2 VMs", "3 Images", "Overview", "q quit")
        assert not (tmp_path / ".local/state/boxtop/boxtop.log").exists()


def test_80x24_has_one_list_and_details_on_enter(tmp_path: Path) -> None:
    with Boxtop(tmp_path, "--demo", size=(80, 24)) as app:
        app.wait_row("grafana", "up ")
        app.press("Enter")
        app.wait_text("[Overview]", "grafana/grafana:11.5.2")
        app.wait_gone("prometheus")
        app.press("Esc")
        app.wait_row("prometheus", "up ")
        app.press("Tab")
        app.wait_row("build-win11", "up ")
        app.press("Tab")
        app.wait_row("postgres:17", "438M")


def test_what_was_out_of_view_is_drawn_anew(tmp_path: Path) -> None:
    with Boxtop(tmp_path, "--demo") as app:
        app.wait_for(lambda: app.selected == "grafana", "the first container's details")
        for view, sign in (("5", "5 Journal"), ("4", "CPU, all cores"), ("0", "0 All boxes")):
            app.press("1")
            app.wait_text("▾1 Containers")
            app.press(view)
            app.wait_text(sign)
            app.press("2")
            app.wait_text("▾2 VMs", " 1 Containers")
            app.wait_for(lambda: app.selected == "build-debian", "the first VM's details")


def test_what_is_typed_fast_into_the_filter_is_no_command(tmp_path: Path) -> None:
    with Boxtop(tmp_path, "--demo") as app:
        app.wait_for(lambda: app.selected == "grafana", "the first container selected")
        # as a paste, or as a slow line delivers it: t stops, K kills, q quits
        app.press("/prometheusqtK")
        app.wait_text("/prometheusqtK", "None of the containers matches.")
        app.press("Esc")
        app.wait_row("grafana", "up ")
        app.wait_row("prometheus", "up ")
        assert not (tmp_path / ".local/state/boxtop/journal.jsonl").exists()


def test_read_only_takes_every_change_away(tmp_path: Path) -> None:
    with Boxtop(tmp_path, "--demo", "--read-only") as app:
        app.wait_row("grafana", "up ")
        app.wait_text("read-only")
        assert "t stop" not in app.screen()
        assert "d delete" not in app.screen()
        for key in "tKdprw":
            app.press(key)
            app.wait_text("is read-only")
            app.press("x")
            app.wait_gone("is read-only")
        assert not (tmp_path / ".local/state/boxtop/journal.jsonl").exists()


def test_ascii_is_nothing_but_ascii(tmp_path: Path) -> None:
    with Boxtop(tmp_path, "--demo", "--ascii") as app:
        app.wait_row("grafana", "* grafana", "up ")
        for key, sign in (("0", "0 All boxes"), ("4", "CPU, all cores"), ("1", "v1 Containers"), ("[", "[Inspect]")):
            app.press(key)
            app.wait_text(sign)
            assert app.screen().isascii(), next(line for line in app.lines() if not line.isascii())
        for sign in (
            "[Health]",
            "[Ports]",
            "[Networks]",
            "[Mounts]",
            "[Environment]",
            "[Changes]",
            "[Processes]",
            "[Stats]",
        ):
            app.press("[")
            app.wait_text(sign)
            assert app.screen().isascii(), next(line for line in app.lines() if not line.isascii())
        for key, sign in (("?", "Esc closes"), ("m", "Copy name"), ("d", "Cancel"), ("i", "[Inspect]")):
            app.press(key)
            app.wait_text(sign)
            assert app.screen().isascii(), next(line for line in app.lines() if not line.isascii())
            app.press("Esc")
            app.wait_gone(*([sign] if key != "i" else []))


def test_no_color_means_none(tmp_path: Path) -> None:
    with Boxtop(tmp_path, "--demo", NO_COLOR="1") as app:
        app.wait_row("grafana", "● grafana", "up ")
        before = app.looks("prometheus")
        app.press("Down")
        # the cursor is seen without colours
        app.wait_for(lambda: app.looks("prometheus") != before, "the cursor on the second row")
        colours = {look[:2] for look in app.looks("build-win11") + app.looks("grafana")}
        assert all(len({one[:2], one[2:4], one[4:6]}) == 1 or one == "default" for pair in colours for one in pair)


@pytest.mark.parametrize("term", ["linux", "vt100", "screen", "xterm", "unheard-of"])
def test_a_poor_terminal_stays_readable(tmp_path: Path, term: str) -> None:
    with Boxtop(tmp_path, "--demo", size=(80, 24), TERM=term) as app:
        app.wait_row("grafana", "up ")
        app.wait_text("1 Containers", "q quit")
        # no truecolour, and no braille on the console
        assert b"38;2;" not in app.raw
        if term == "linux":
            assert not any("\u2800" <= character <= "\u28ff" for character in app.screen())
        app.press("q")
        assert app.wait_end() == 0
        app.wait_restored()


def test_a_dumb_terminal_gets_a_listing(tmp_path: Path) -> None:
    with Boxtop(tmp_path, "--demo", TERM="dumb") as app:
        assert app.wait_end(20) == 0
        wait_until(lambda: b"shop-web" in app.raw, "the listing")
        assert b"\x1b" not in app.raw


def test_keys_and_theme_of_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / ".config/boxtop/config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('theme = "nord"\n[keys]\n"item.stop" = "ctrl+t"\n"app.quit" = "Q"\n')
    with Boxtop(tmp_path, "--demo") as app:
        app.wait_row("grafana", "up ")
        app.wait_text("Ctrl-T stop", "Q quit")
        app.press("t")
        app.press("\x14")
        app.wait_row("grafana", "exited")
        app.press("q", "Q")
        assert app.wait_end() == 0


@pytest.mark.tmux
def test_in_tmux(tmp_path: Path) -> None:
    need(bool(shutil.which("tmux")), "tmux not found: apt-get install tmux")
    with Tmux(tmp_path, 80, 24) as tmux:
        tmux.type(f"{' '.join(COMMAND)} --demo; echo ended-$?")
        tmux.wait_text("grafana", "q quit")
        tmux.press("t")
        wait_until(lambda: re.search(r"○ grafana +exited 0 ", tmux.screen()), "the container to exit")
        tmux.press("Tab")
        tmux.wait_text("build-win11")
        tmux.press("?")
        tmux.wait_text("On the selected row")
        tmux.press("Escape")
        tmux.wait_gone("On the selected row")
        tmux.press("q")
        tmux.wait_text("ended-0")
        assert "build-win11" not in tmux.screen()
