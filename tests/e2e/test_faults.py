"""Docker's daemon stopped, killed, frozen, and back; names made to spoil the screen."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.terminal import Boxtop
from tests.engines.docker_engine import PrivateDocker

pytestmark = pytest.mark.docker

_ANSWERS = 5.0
"""Seconds, well below the ten that a call to an engine has: it waits for none."""
FAULTS: dict[str, tuple[Callable[[PrivateDocker], None], Callable[[PrivateDocker], None]]] = {
    "stopped": (PrivateDocker.terminate, PrivateDocker.start),
    "killed": (PrivateDocker.kill, PrivateDocker.start),
    "frozen": (PrivateDocker.freeze, PrivateDocker.thaw),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_rows_outlive_the_daemon_until_it_is_back(tmp_path: Path, docker: PrivateDocker, fault: str) -> None:
    lose, bring_back = FAULTS[fault]
    docker.run("first")
    witness = docker.run("witness")
    with Boxtop(tmp_path, "--host", docker.url) as app:
        app.wait_row("witness", "up ")
        app.select("first")
        fresh = app.looks("witness")
        lose(docker)
        if fault == "frozen":
            app.press("R")
        app.wait_text("docker unreachable since", "retrying in", seconds=40)
        app.wait_row("first")
        app.wait_for(lambda: app.looks("witness") not in ([], fresh), "the rows dimmed")
        # all the while it answers
        app.press("t")
        app.wait_text("docker does not answer", seconds=_ANSWERS)
        app.press("Down")
        app.wait_for(lambda: app.selected == "witness", "the cursor to move", _ANSWERS)
        for key, sign in (("?", "Esc closes"), (":", "Commands")):
            app.press(key)
            app.wait_text(sign, seconds=_ANSWERS)
            app.press("Esc")
            app.wait_gone(sign, seconds=_ANSWERS)
        app.press("Up")
        app.wait_for(lambda: app.selected == "first", "the cursor to move", _ANSWERS)
        bring_back(docker)
        app.wait_gone("unreachable since", seconds=40)
        app.wait_for(lambda: app.looks("witness") == fresh or docker.state(witness) != "running", "the rows as before")
        docker.run("afterwards")
        app.wait_row("afterwards", "up ")


def test_it_quits_at_once_with_a_frozen_daemon(tmp_path: Path, docker: PrivateDocker) -> None:
    docker.run("box")
    with Boxtop(tmp_path, "--host", docker.url) as app:
        app.wait_row("box", "up ")
        docker.freeze()
        app.press("t", "R")
        app.wait_row("box", "stopping")
        app.press("q")
        app.wait_text("1 under way: quit all the same?")
        app.answer("Quit")
        assert app.wait_end() == 0
        app.wait_restored()
        assert not app.left_behind()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_a_frozen_daemon(tmp_path: Path, docker: PrivateDocker, number: signal.Signals) -> None:
    docker.run("box")
    with Boxtop(tmp_path, "--host", docker.url) as app:
        app.wait_row("box", "up ")
        docker.freeze()
        app.press("t", "R")
        app.wait_row("box", "stopping")
        app.signal(number)
        app.wait_end()
        app.wait_restored()
        assert not app.left_behind()


ODD = {
    "escape": "\x1b[2J\x1b[31mred\x1b]0;title\x07",
    "bidi": "abc\u202edef\u2066ghi",
    "markup": "[red]not red[/red] [bold]",
    "wide": "日本語のコンテナ" * 8,
    "joined": "👩‍👩‍👧‍👦 e\u0301\u0301\u0301 \u200b\ufeff",
    "long": "x" * 200,
    "lines": "one\ntwo\r\nthree\ttab\x85\x9b31m",
}


_FURTHER = (
    "[Stats]",
    "[Processes]",
    "[Changes]",
    "[Environment]",
    "[Mounts]",
    "[Networks]",
    "[Ports]",
    "[Health]",
    "[Inspect]",
)


def test_names_that_would_spoil_the_screen(tmp_path: Path, docker: PrivateDocker) -> None:
    # Docker takes ASCII for names and tags, and anything for labels, commands and variables
    docker.ensure_image("odd/" + "i" * 190 + ":1", "odd")
    docker.run("n" * 200, labels=ODD, environment=ODD)
    docker.run("a-box", ["sh", "-c", "sleep 1000", *ODD.values()], labels={text: name for name, text in ODD.items()})
    with Boxtop(tmp_path, "--host", docker.url) as app:
        app.wait_row("a-box", "up ")
        app.select("a-box")
        for key, sign in (("]", "[Logs]"), *(("]", sign) for sign in _FURTHER), ("]", "[Overview]")):
            app.press(key)
            app.wait_text(sign)
            intact(app)
        assert "[red]not red[/red]" in app.screen()
        app.press("Down")
        app.wait_text("│ nnnnnnnn")
        intact(app)
        app.press("d")
        app.wait_text("Cancel")
        app.press("Esc")
        app.wait_gone("Cancel")
        for size in ((100, 30), (80, 24), (30, 10), (160, 48)):
            app.resize(*size)
            app.wait_row("a-box", "● a-box")
        app.wait_text("│ nnnnnnnn")  # which only the widest has room for: it is drawn in full
        intact(app)
    for never in (b"\x1b[2J\x1b[31mred", b"\x1b]0;title", "\u202e".encode(), "\u2066".encode(), "\x9b31m".encode()):
        assert never not in app.raw


def intact(app: Boxtop) -> None:
    """Every frame line stands where it belongs, and no line was pushed on."""
    lines = app.lines()
    assert lines[0].startswith("boxtop ")
    assert "q quit" in lines[-1]
    columns = {line.find("│") for line in lines[3:-1]}
    assert len(columns) == 1, columns
