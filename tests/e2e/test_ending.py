"""However boxtop ends, the terminal is as it was, nothing of it lives on, and it does not take long."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.e2e.terminal import Boxtop
from tests.engines.docker_engine import wait_until


def test_q_quits_and_restores_the_terminal(tmp_path: Path) -> None:
    with Boxtop(tmp_path, "--demo") as app:
        app.wait_row("grafana", "up ")
        app.press("q")
        assert app.wait_end() == 0
        app.wait_restored()
        assert not app.left_behind()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_and_restores_the_terminal(tmp_path: Path, number: signal.Signals) -> None:
    with Boxtop(tmp_path, "--demo") as app:
        app.wait_row("grafana", "up ")
        app.signal(number)
        assert app.wait_end() in {0, 128 + number}
        app.wait_restored()
        assert not app.left_behind()
        assert b"Traceback" not in app.raw


def test_a_signal_ends_it_while_a_question_is_open(tmp_path: Path) -> None:
    with Boxtop(tmp_path, "--demo") as app:
        app.wait_row("grafana", "up ")
        app.press("K")
        app.wait_text("Kill container grafana?")
        app.signal(signal.SIGTERM)
        assert app.wait_end() == 128 + signal.SIGTERM
        app.wait_restored()


def test_a_closed_terminal_ends_it(tmp_path: Path) -> None:
    with Boxtop(tmp_path, "--demo") as app:
        app.wait_row("grafana", "up ")
        # the shell around it is told by a signal and stays, boxtop is not told
        app.hang_up()
        app.wait_end()
        wait_until(lambda: not app.left_behind(), "every process to be gone", 15)


def test_a_terminal_closed_amid_much_output_ends_it(tmp_path: Path) -> None:
    with Boxtop(tmp_path, "--demo") as app:
        app.wait_row("grafana", "up ")
        # each digit is another view: far more to draw than waits for a terminal that is gone
        app.press(*"4506789123" * 40)
        app.hang_up()
        wait_until(lambda: not app.left_behind(), "every process to be gone", 30)


def test_a_killed_shell_ends_it(tmp_path: Path) -> None:
    with Boxtop(tmp_path, "--demo") as app:
        app.wait_row("grafana", "up ")
        app.end_shell()
        wait_until(lambda: not app.left_behind(), "every process to be gone", 15)


def test_a_signal_during_the_start_leaves_a_sane_terminal(tmp_path: Path) -> None:
    with Boxtop(tmp_path, "--demo") as app:
        app.wait_for(lambda: b"\x1b[?1049h" in app.raw, "the alternate screen")
        app.signal(signal.SIGTERM)
        app.wait_end()
        app.wait_restored()
