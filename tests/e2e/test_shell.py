"""Shells and attached processes on the real terminal: what reaches them, and the screen that comes back."""

from __future__ import annotations

import io
import os
import shutil
import signal
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import Boxtop
from tests.engines.docker_engine import PrivateDocker, wait_until
from tests.engines.podman_engine import PrivatePodman

PROGRAM = "/busybox-alone"
READY = "exit or Ctrl-D returns"
BACK = ("e shell", "? help", "1 Containers")


@pytest.fixture
def app(tmp_path: Path, docker: PrivateDocker) -> Iterator[Boxtop]:
    docker.run("box")
    with Boxtop(tmp_path, "--host", docker.url) as running:
        running.wait_row("box", "up ")
        yield running


def open_shell(app: Boxtop) -> None:
    app.press("e")
    app.wait_text(READY, "/ #")


def wait_back(app: Boxtop, *texts: str, seconds: float = 30.0) -> None:
    """Until boxtop's screen is whole again: no line of the shell's on it, and its modes as they were."""
    app.wait_text(*BACK, *texts, seconds=seconds)
    app.wait_gone(READY, "/ #")
    modes = app.modes()
    assert (modes[1049], modes[1000], modes[1003], modes[25], modes[7], modes[2004]) == (
        True,
        True,
        True,
        False,
        False,
        True,
    )


def commands_in(docker: PrivateDocker, container: str = "box") -> list[str]:
    return [process[-1] for process in docker.client.top(container)["Processes"]]


@pytest.mark.docker
def test_a_shell_takes_keys_interrupts_and_sizes_and_leaves_the_screen_whole(
    app: Boxtop, docker: PrivateDocker
) -> None:
    open_shell(app)
    app.press("echo $((6*7))-$TERM\r")
    app.wait_text("42-xterm-256color")
    app.press("sleep 1000\r")
    wait_until(lambda: "sleep 1000" in commands_in(docker), "the command to run")
    app.signal(signal.SIGINT)  # from outside: it is for nobody
    app.press("Ctrl-C")
    app.wait_text("^C")
    wait_until(lambda: "sleep 1000" not in commands_in(docker), "it to be interrupted")
    app.resize(100, 30)
    app.press("busybox stty size\r")
    app.wait_text("30 100")
    # the worst a program can leave behind: another screen, reports, colours, a scroll region, half a sequence
    app.press("printf '\\033[?1049h\\033[?1002h\\033[?2004h\\033[31;7m\\033[3;9r\\033[?6h\\033=\\033]0;half'; exit 3\r")
    wait_back(app, "The shell in box ended with exit status 3.", "up ")
    app.press("?")
    app.wait_text("Esc closes")
    app.press("Esc")
    app.wait_gone("Esc closes")
    app.press("q")
    assert app.wait_end() == 0
    app.wait_restored()
    assert not app.left_behind()


@pytest.mark.docker
def test_a_killed_container_and_keys_typed_meanwhile_do_no_harm(app: Boxtop, docker: PrivateDocker) -> None:
    witness = docker.run("aaa")
    app.wait_row("aaa", "up ")
    app.select("box")
    open_shell(app)
    # not by the engine, which answers when it has noted the end: boxtop's patience with keys may be over then
    os.kill(docker.client.inspect_container("box")["State"]["Pid"], signal.SIGKILL)
    for key in "ttsstt":  # meant for the shell that is gone: no container is stopped by them
        app.press(key)
        time.sleep(0.03)
    wait_back(app, "The shell in box ended with exit status 137.")
    app.wait_row("box", "exited 137")
    assert docker.state(witness) == "running"


@pytest.mark.docker
def test_a_frozen_engine_is_left_by_keys_and_a_killed_one_gives_the_screen_back(
    app: Boxtop, docker: PrivateDocker
) -> None:
    open_shell(app)
    docker.freeze()
    app.press("ls\r")
    app.press("\x1d\x1d\x1d")
    app.wait_text(*BACK, "The shell in box was left")
    docker.thaw()
    open_shell(app)
    docker.kill()
    wait_back(app, "The shell in box ended", "unreachable since")


@pytest.mark.docker
def test_a_signal_ends_boxtop_and_the_shell(app: Boxtop, docker: PrivateDocker) -> None:
    open_shell(app)
    before = commands_in(docker)
    app.signal(signal.SIGTERM)
    assert app.wait_end() == 128 + signal.SIGTERM
    app.wait_restored()
    assert not app.left_behind()
    wait_until(lambda: len(commands_in(docker)) < len(before), "the shell to end")


@pytest.mark.docker
def test_a_closed_terminal_ends_the_shell_too(app: Boxtop, docker: PrivateDocker) -> None:
    open_shell(app)
    before = commands_in(docker)
    app.hang_up()
    wait_until(lambda: not app.left_behind(), "boxtop to end", 15)
    wait_until(lambda: len(commands_in(docker)) < len(before), "the shell to end")


@pytest.mark.docker
def test_an_image_without_a_shell_says_so_and_runs_another_command(tmp_path: Path, docker: PrivateDocker) -> None:
    docker.client.import_image_from_data(one_program(), repository="bare", tag="1")
    docker.run("bare", [PROGRAM, "sleep", "1000"], image="bare:1")
    with Boxtop(tmp_path, "--host", docker.url) as app:
        app.wait_row("bare", "up ")
        app.press("e")
        app.wait_text("bare holds no bash, ash or sh")
        app.press("E")
        app.wait_text("Shell in bare", "another command")
        app.press("Tab", f"{PROGRAM} sleep 0.1")
        app.wait_text(f"docker exec -it bare {PROGRAM} sleep 0.1")
        app.press("\x13")
        app.wait_text("The shell in bare ended with exit status 0.")
        app.press("E")
        app.wait_text("Shell in bare")
        app.press("Tab", "/nosuch", "Tab", "1000:1000", "\x13")
        app.wait_text("exit status 12", 'exec: "/nosuch"', "no such file")


def one_program() -> bytes:
    """A root file system without a shell."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(os.path.realpath(shutil.which("busybox") or ""), PROGRAM.lstrip("/"))
    return buffer.getvalue()


def attach(app: Boxtop, name: str, way_out: str) -> None:
    app.select(name)
    app.press("A")
    app.wait_text(f"Attach to {name}", way_out)
    app.answer("Attach")
    app.wait_text(f"boxtop: attached to {name}")


@pytest.mark.docker
def test_attached_to_a_terminal_to_lines_and_to_output_alone(tmp_path: Path, docker: PrivateDocker) -> None:
    reader = "while read line; do echo got-$line; echo bad >&2; done; echo end; trap 'exit 0' TERM; sleep 9 & wait"
    terminal = docker.run("terminal", ["sh"], tty=True, stdin_open=True)
    lines = docker.run("lines", ["sh", "-c", reader], stdin_open=True)
    output = docker.run("output", ["sh", "-c", "trap 'exit 0' TERM; while :; do echo beat; sleep 0.1; done"])
    with Boxtop(tmp_path, "--host", docker.url) as app:
        for name in ("terminal", "lines", "output"):
            app.wait_row(name, "up ")
        attach(app, "terminal", "Ctrl-P Ctrl-Q leaves it running")
        app.press("busybox stty size; echo $((6*7))-here\r")
        app.wait_text("48 160", "42-here")
        app.press("sleep 1000\r")
        wait_until(lambda: "sleep 1000" in commands_in(docker, terminal), "the command to run")
        app.press("Ctrl-C")
        wait_until(lambda: "sleep 1000" not in commands_in(docker, terminal), "it to be interrupted")
        app.press("\x10\x11")
        wait_back(app, "Detached from terminal.")
        assert docker.state(terminal) == "running"

        attach(app, "lines", "Ctrl-P Ctrl-Q or Ctrl-C leaves")
        app.press("some words\r")
        app.wait_text("got-some words", "bad")
        app.press("\x04")
        app.wait_text("end")
        app.press("\x10\x11")
        wait_back(app, "Detached from lines.")
        assert docker.state(lines) == "running"

        attach(app, "output", "Q or Ctrl-C leaves it running")
        app.wait_for(lambda: app.screen().count("beat") > 1, "the output")
        app.press("Ctrl-C")
        wait_back(app, "Detached from output.")
        assert docker.state(output) == "running"

        (tmp_path / ".docker").mkdir(exist_ok=True)
        (tmp_path / ".docker/config.json").write_text('{"detachKeys": "ctrl-x,x"}')
        attach(app, "terminal", "Ctrl-X x leaves it running")
        app.press("echo $((7*7))-there\r")
        app.wait_text("49-there")
        app.press("\x18x")
        wait_back(app, "Detached from terminal.")
        assert docker.state(terminal) == "running"

        attach(app, "terminal", "Ctrl-X x leaves it running")
        app.press("exit 5\r")
        wait_back(app, "terminal ended with exit status 5.")
        app.wait_row("terminal", "exited 5")


@pytest.mark.podman
def test_a_shell_and_an_attached_process_on_podman(tmp_path: Path, podman: PrivatePodman) -> None:
    podman.run("box", ["sh"], tty=True, stdin_open=True)
    with Boxtop(tmp_path, "--host", podman.url) as app:
        app.wait_row("box", "up ")
        open_shell(app)
        app.press("busybox stty size; echo $((6*7))\r")
        app.wait_text("48 160", "42")
        app.press("exit 4\r")
        wait_back(app, "The shell in box ended with exit status 4.")
        attach(app, "box", "Ctrl-P Ctrl-Q leaves it running")
        app.press("echo $((2*4))-here\r")
        app.wait_text("8-here")
        app.press("\x10\x11")
        wait_back(app, "Detached from box.")


def test_the_demo_has_a_shell_and_a_process_to_attach_to_and_leaves_nothing_open(tmp_path: Path) -> None:
    def files() -> int:
        return len(list(Path(f"/proc/{app.pid}/fd").iterdir()))

    with Boxtop(tmp_path, "--demo") as app:
        app.wait_row("grafana", "up ")
        before = 0
        for end in ("ls /srv/app\renv\rnonsense\rexit\r", "\x04", "exit 3\r"):
            app.press("e")
            app.wait_text("This shell is simulated")
            app.press(end)
            wait_back(app, "The shell in grafana ended with exit status")
            before = before or files()
        app.press("A")
        app.wait_text("Attach to grafana")
        app.answer("Attach")
        app.wait_text("request 1 answered")
        app.press("q")
        wait_back(app, "Detached from grafana.")
        wait_until(lambda: files() <= before, "what they opened to be closed")
        app.select("shop-proxy")
        app.press("e")
        app.wait_text("shop-proxy holds no bash, ash or sh")
