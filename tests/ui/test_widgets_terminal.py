"""What a terminal receives: bytes counted on a real pseudo-terminal, the screen read back by a terminal emulator."""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyte
import pytest

ROOT = Path(__file__).parents[2]
COLUMNS, LINES = 120, 30
PROGRAM = """
from textual.app import App
from widgets.exact import ExactUpdates
from widgets.table import Cell, Column, Row, Table

def row(n, cpu="1.5"):
    cells = (Cell("*", "ok"), Cell(f"box-{n}"), Cell("nginx:1.27", "dim"), Cell(cpu + "%"), Cell("\u4e2d\u6587"))
    return Row(n, cells)

class Program(ExactUpdates, App):
    CSS = "Table { height: 100%; }"
    def compose(self):
        yield Table([Column("s", "", 1), Column("name", "Name", 10, 1), Column("image", "Image", 12, 1),
                     Column("cpu", "CPU", 7, align="right"), Column("tag", "Tag", 6)])
    def on_mount(self):
        table = self.query_one(Table)
        table.focus()
        table.set_rows([row(n) for n in range(200)])
    def on_key(self, event):
        table = self.query_one(Table)
        if event.key == "x":
            table.update_rows([row(3, "2.5")])
        elif event.key == "y":
            table.update_rows([row(150, "2.5")])
        elif event.key == "z":
            table.set_rows([row(n, "7.25" if n % 2 else "1.5") for n in range(199, -1, -1)])
        elif event.key == "q":
            self.exit()

Program().run()
"""


class Terminal:
    """The program on a pseudo-terminal, and the screen it has drawn."""

    def __init__(self, program: str) -> None:
        self.screen = pyte.Screen(COLUMNS, LINES)
        self._stream = pyte.ByteStream(self.screen)
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            # before the program looks, which it does once
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
            environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            # what a test runner may set: it would come before the terminal's own size
            for name in ("NO_COLOR", "COLUMNS", "LINES"):
                environment.pop(name, None)
            os.execve(sys.executable, [sys.executable, "-c", program], environment)

    def read(self, seconds: float) -> bytes:
        """Whatever comes until nothing has come for `seconds`."""
        received = b""
        while select.select([self.fd], [], [], seconds)[0]:
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                break
            if not data:
                break
            received += data
            # pyte does not know kitty's keyboard sequences and would print their ends.
            self._stream.feed(data.replace(b"\x1b[>25u", b"").replace(b"\x1b[<u", b""))
        return received

    def press(self, key: str, *, answers: bool = True) -> bytes:
        """What comes of a key; of one that `answers` something does, however late."""
        os.write(self.fd, key.encode())
        if answers:
            select.select([self.fd], [], [], 30)
        return self.read(0.5)

    def wait(self, condition: Callable[[str], bool], seconds: float = 20) -> None:
        deadline = time.monotonic() + seconds
        while not condition("\n".join(self.screen.display)):
            assert time.monotonic() < deadline, "\n".join(self.screen.display)
            self.read(0.1)
        self.read(0.5)

    def close(self) -> None:
        os.close(self.fd)
        os.waitpid(self.pid, 0)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    program = Terminal(PROGRAM)
    try:
        program.wait(lambda text: "box-20" in text)
        yield program
        program.press("q", answers=False)
    finally:
        program.close()


def test_a_changed_cell_costs_few_bytes_one_off_screen_none_and_the_screen_is_right(terminal: Terminal):
    changed = terminal.press("x")
    assert 0 < len(changed) < 100
    assert "2.5%" in terminal.screen.display[4]

    assert terminal.press("y", answers=False) == b""

    moved = terminal.press("j")
    assert 0 < len(moved) < 800

    terminal.press("g")
    terminal.press("z")
    # The cursor's row went to the end of the list and the view followed it.
    wanted = [f"box-{n}" for n in range(LINES - 2, -1, -1)]
    terminal.wait(lambda _: [(line.split() + [""] * 2)[1] for line in terminal.screen.display[1:]] == wanted)
    assert terminal.screen.display[LINES - 2].split()[3] == "7.25%"
    assert all("中" in line for line in terminal.screen.display[1:])
