"""Keys that leave a console, what a stream leaves the terminal in, and the demo's simulated shell."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from backends.console import Console
from backends.demo.prompt import SimulatedShell
from backends.docker.hijack import _Frames
from tui.terminal.keys import DETACH, THRICE, Keys, Leave
from tui.terminal.outcome import How, Outcome, ending
from tui.terminal.reset import Screens


class Far(Console):
    def __init__(self, *, terminal: bool = True, takes_input: bool = True) -> None:
        self.terminal, self.takes_input = terminal, takes_input

    def fileno(self) -> int:
        raise NotImplementedError

    def recv(self) -> bytes | None:
        raise NotImplementedError

    def send(self, data: bytes) -> int:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is open."""


def typed(leave: Leave, console: Console, *portions: bytes) -> tuple[bytes, bool]:
    keys = Keys(leave, console)
    passed = b"".join(keys.take(portion) for portion in portions)
    return passed, keys.left


@pytest.mark.parametrize(
    ("portions", "passed", "left"),
    [
        ([b"ls\r"], b"ls\r", False),
        ([b"a\x10\x11b"], b"a", True),
        ([b"\x10", b"\x11"], b"", True),
        ([b"\x10"], b"", False),
        ([b"\x10x"], b"\x10x", False),
        ([b"\x10\x10\x11"], b"\x10", True),
        ([b"\x03"], b"\x03", False),
    ],
)
def test_detach_keys_are_kept_back_until_they_are_something_else(
    portions: Sequence[bytes], passed: bytes, left: bool
) -> None:
    assert typed(DETACH, Far(), *portions) == (passed, left)


def test_a_shell_gets_every_key_and_is_left_by_three_in_a_row() -> None:
    assert typed(THRICE, Far(), b"\x1d", b"\x1d", b"x\x1d") == (b"\x1d\x1dx\x1d", False)
    assert typed(THRICE, Far(), b"\x1d\x1d", b"\x1d") == (b"\x1d\x1d\x1d", True)


def test_ctrl_c_leaves_where_nobody_would_be_interrupted() -> None:
    assert typed(DETACH, Far(terminal=False), b"a\x03")[1]
    assert not typed(DETACH, Far(terminal=False), b"q")[1]
    assert typed(DETACH, Far(terminal=False, takes_input=False), b"q")[1]
    assert typed(DETACH, Far(takes_input=False), b"\x03")[1]


@pytest.mark.parametrize("cut", range(1, 8))
def test_the_alternate_screen_is_followed_through_cut_sequences(cut: int) -> None:
    screens = Screens()
    sequence = b"\x1b[?1049h"
    screens.feed(b"text" + sequence[:cut])
    screens.feed(sequence[cut:] + b"more")
    assert b"\x1b[?1049l" in screens.way_back()
    screens.feed(b"\x1b[?25;1049l")
    assert screens.way_back() == b""


def test_frames_come_apart_wherever_they_are_cut() -> None:
    stream = b"\x01\0\0\0\0\0\0\x03one\x02\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\x03two"
    for cut in range(len(stream)):
        frames = _Frames()
        assert frames.take(stream[:cut]) + frames.take(stream[cut:]) == b"onetwo"


def test_ends_are_told_in_words() -> None:
    assert ending(Outcome(How.FAR_END, 3)) == "ended with exit status 3"
    assert ending(Outcome(How.FAR_END, -9)) == "ended by SIGKILL"
    assert "too long" in ending(Outcome(How.TIMEOUT, -15))


def shell() -> SimulatedShell:
    return SimulatedShell("0123456789ab", ("PORT=3000",), ("node server.js",), lambda: 1_760_000_000.0)


def says(keys: str, to: SimulatedShell | None = None) -> str:
    return (to or shell()).feed(keys.encode()).decode()


def test_the_simulated_shell_answers() -> None:
    assert "os-release" in says("ls /etc\r")
    assert "bookworm" in says("cat /etc/os-release\r")
    assert "node server.js" in says("ps\r")
    assert "PORT=3000" in says("env\r")
    assert "\r\n/srv/app\r\n" in says("cd /srv/app\rpwd\r")
    assert "command not found" in says("vim\r")
    assert "No such file" in says("cat /nothing\r")
    assert says("lx\x7fs\r").count("bin") == 1
    assert "^C" in says("echo\x03")


@pytest.mark.parametrize(("keys", "code"), [("exit\r", 0), ("exit 4\r", 4), ("nope\rexit\r", 127), ("\x04", 0)])
def test_the_simulated_shell_ends(keys: str, code: int) -> None:
    one = shell()
    says(keys, one)
    assert one.code == code
    assert says("ls\r", one) == ""


def test_the_simulated_shell_recalls_lines() -> None:
    one = shell()
    says("echo first\r", one)
    assert "first" in says("\x1b[A\r", one)
