"""Commands of the user's own in the running program: what reaches the program, and what comes of it."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.e2e.run_cli import boxtop
from tests.e2e.terminal import Boxtop
from tests.engines.docker_engine import PrivateDocker, wait_until

CONFIG = """
[[commands]]
name = "arguments"
kinds = ["container"]
command = ["python3", "-c", "import sys, os; print(sys.argv[1:], os.environ['DOCKER_HOST'])", "{project}", "{name}"]
key = "f6"

[[commands]]
name = "lines"
kinds = ["container"]
command = ["sh", "-c", 'seq -f "line %g $1" 3000; printf "\\\\033[31mred\\\\033[0m"; exit 4', "sh", "{name}"]
confirm = false
key = "f7"

[[commands]]
name = "forever"
kinds = ["container"]
command = ["sleep", "98765"]
confirm = false
key = "f8"

[[commands]]
name = "brief"
kinds = ["container"]
command = ["sleep", "98766"]
confirm = false
timeout = 0.3
key = "f9"

[[commands]]
name = "inside"
kinds = ["container"]
command = ["sh", "-c", 'trap "echo interrupted" INT; echo in $1; read line; sleep 98767; exit $line', "sh", "{name}"]
confirm = false
output = "terminal"
key = "f11"

[[commands]]
name = "stubborn"
kinds = ["container"]
command = ["sh", "-c", 'trap "" TERM; echo it is begun; sleep 98768']
confirm = false
key = "f10"

[[commands]]
name = "absent"
kinds = ["container"]
command = ["/nonexistent/program", "{name}"]
confirm = false
key = "f12"
"""
KEYS = {
    "f6": "\x1b[17~",
    "f7": "\x1b[18~",
    "f8": "\x1b[19~",
    "f9": "\x1b[20~",
    "f10": "\x1b[21~",
    "f11": "\x1b[23~",
    "f12": "\x1b[24~",
}
SLY = "-rf \"two words\" 'x' $(touch /tmp/never); `id` {name}"
PROJECT = "com.docker.compose.project"


def running(argument: str) -> list[int]:
    """Processes with this argument."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if argument.encode() in words and words[0].endswith(b"sleep"):
            found.append(int(process.name))
    return found


@pytest.mark.docker
def test_commands_reach_programs_with_exact_arguments_and_show_what_they_write(
    tmp_path: Path, docker: PrivateDocker
) -> None:
    docker.run("honest", labels={PROJECT: SLY[4:]})
    docker.run("sly", labels={PROJECT: SLY})
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)
    with Boxtop(tmp_path, "--host", docker.url, "--config", str(config)) as app:
        app.wait_row("honest", "up ")
        app.select("sly")
        app.press(KEYS["f6"])
        app.wait_text("would be taken for an option")
        app.select("honest")
        app.press(KEYS["f6"])
        app.wait_text("Run arguments on honest?")
        app.answer("Cancel")
        app.wait_gone("Run arguments")
        app.press(KEYS["f6"])
        app.answer("Run")
        app.wait_text("ended with exit status 0", "honest", docker.url)
        shown = app.screen().replace("\n", "")
        assert repr([SLY[4:], "honest"])[:40] in shown

        app.press("1")
        app.wait_text("1 Containers")
        app.press(KEYS["f7"])
        app.wait_text("line 3000 honest", "red", "ended with exit status 4")
        app.press("/")
        app.wait_text("search:")
        app.press("line 1234 \r")
        app.wait_text("line 1234 honest")
        app.wait_text("stays")
        app.press("f")
        app.wait_text("line 3000 honest", "follows")

        app.press("1")
        app.wait_text("1 Containers")
        app.press(KEYS["f8"])
        app.wait_text("running")
        wait_until(lambda: running("98765"), "the program to run")
        app.press("c")
        app.wait_text("Cancel?")
        app.answer("Cancel it")
        app.wait_text("cancelled")
        wait_until(lambda: not running("98765"), "the program to end")

        app.press("1")
        app.wait_text("1 Containers")
        app.press(KEYS["f9"])
        app.wait_text("it took more than 0.3 s")
        wait_until(lambda: not running("98766"), "the program to end")

        app.press("1")
        app.wait_text("1 Containers")
        app.press(KEYS["f12"])
        app.wait_text("/nonexistent/program cannot be started: No such file or directory")

        app.press("1")
        app.wait_text("1 Containers")
        app.press(KEYS["f11"])
        app.wait_text("in honest")
        app.press("7\r")
        wait_until(lambda: running("98767"), "the program to go on")
        app.press("Ctrl-C")
        app.wait_text("interrupted", "ended with exit status 7. Enter returns to boxtop.")
        app.press("\r")
        app.wait_text("inside honest: ended with exit status 7", "1 Containers")
        assert app.modes()[1049]

        app.press(KEYS["f11"])
        app.wait_text("in honest")
        app.press("7\r")
        wait_until(lambda: running("98767"), "the program to go on")
        app.signal(signal.SIGTERM)
        assert app.wait_end() == 128 + signal.SIGTERM
        app.wait_restored()


@pytest.mark.docker
def test_a_signal_amid_a_task_gives_the_terminal_back_and_says_what_is_waited_for(
    tmp_path: Path, docker: PrivateDocker
) -> None:
    docker.run("box")
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)
    with Boxtop(tmp_path, "--host", docker.url, "--config", str(config)) as app:
        app.wait_row("box", "up ")
        app.press(KEYS["f10"])
        app.wait_for(lambda: any(row.strip() == "it is begun" for row in app.lines()), "its first line")
        app.signal(signal.SIGTERM)
        app.wait_for(lambda: b"as soon as this is taken back: stubborn box" in app.raw, "what it waits for")
        assert app.raw.index(b"\x1b[?1049l") < app.raw.index(b"as soon as this")
        assert app.wait_end(20) == 128 + signal.SIGTERM
        app.wait_restored()
        assert not app.left_behind()
        assert not running("98768")


def test_the_demo_runs_nothing_on_what_is_simulated(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG)
    with Boxtop(tmp_path, "--demo", "--config", str(config)) as app:
        app.wait_row("grafana", "up ")
        app.press(KEYS["f8"])
        app.wait_text("$ sleep 98765", "nothing was run: the object is simulated")
        assert not running("98765")


def test_a_wrong_command_ends_it_with_one_line(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[[commands]]\nname = "a"\nkinds = ["vm"]\ncommand = ["a", "{image}"]')
    ended = boxtop(tmp_path, "--config", str(config), "ls")
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "commands[0].command[1]: {image} is not known of a vm" in ended.stderr
