"""boxtop on a real pseudo-terminal: what stands on its screen, what it does with keys, and what it leaves behind.

The session's leader is a small shell, as in a user's terminal: the terminal's settings can still be read when boxtop
has ended, which the kernel resets with the leader's end.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.bench.emulator import Emulator
from tests.bench.terminal import KEYS as NAMED
from tests.e2e.run_cli import COMMAND, environment
from tests.engines.docker_engine import wait_until

KEYS = NAMED | {"Right": "\x1b[C", "Left": "\x1b[D", "Space": " ", "Ctrl-C": "\x03", "PgDn": "\x1b[6~"}
LEADER = """
trap : INT QUIT TERM HUP
folder=$1
shift
sh -c 'echo $$ >"$0/pid.new"; mv "$0/pid.new" "$0/pid"; exec "$@"' "$folder" "$@"
echo $? >"$folder/status.new"
mv "$folder/status.new" "$folder/status"
exec sleep infinity
"""
"""Notes boxtop's pid and then its exit status in a folder, and stays."""
_MODES = re.compile(rb"\x1b\[\?([\d;]+)([hl])")
_ON_BEFORE = {7, 25}
"""Modes that are on in a fresh terminal: wrapping lines, and the cursor."""
_DETAILS = re.compile(r"│ (\S+)  (?:container|vm|image)\b")
_FOCUSED = re.compile(r"(?:\[>|>\[.\] )([^<│]*)")
_MARK = "BOXTOP_TEST_RUN"


class Terminal(Emulator):
    """A screen that can change its size, and whose cells can be looked at."""

    def resize(self, columns: int, rows: int) -> None:
        self._screen.resize(rows, columns)

    def looks(self, row: int, start: int, end: int) -> list[tuple[str, str, bool]]:
        """(foreground, background, reversed) of a row's cells."""
        cells = self._screen.buffer[row]
        return [(cells[column].fg, cells[column].bg, cells[column].reverse) for column in range(start, end)]


@contextlib.contextmanager
def _failing() -> Iterator[None]:
    """A deadline that passed fails the test in words."""
    try:
        yield
    except TimeoutError as error:
        raise AssertionError(str(error)) from None


class Boxtop:
    """The command in a terminal of its own, from `with` to the end of its block. Deadlines raise AssertionError."""

    def __init__(
        self,
        home: Path,
        *arguments: str,
        size: tuple[int, int] = (160, 48),
        prefix: Sequence[str] = (),
        **changes: str,
    ) -> None:
        """`size`: columns and rows. `prefix`: a command that runs boxtop's. `changes`: of the environment."""
        self.columns, self.rows = size
        self.home = home
        self.raw = b""
        """Every byte it wrote so far."""
        self.pid = 0
        self._terminal = Terminal(*size)
        self._seen = 0
        self._mark = f"{os.getpid()}-{id(self)}-{time.monotonic_ns()}"
        self._environment = environment(home, XDG_RUNTIME_DIR=str(home), **{_MARK: self._mark}, **changes)
        self._command = [*prefix, *COMMAND, *arguments]
        self._hung_up = False
        self._folder = Path(tempfile.mkdtemp(prefix="bt-run-"))

    def __enter__(self) -> Self:
        master, slave = os.openpty()
        self._file = master
        self._set_size()
        self._before = termios.tcgetattr(master)
        self._leader = subprocess.Popen(
            ["sh", "-c", LEADER, "sh", str(self._folder), *self._command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=self._environment,
            cwd=self.home,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0),  # noqa: PLW1509  (a system call, before exec)
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.pid = int(wait_until(lambda: self._told("pid"), "the program's pid", 30))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # pytest shows it when the test failed
        sys.stdout.write(f"--- screen of {' '.join(self._command)}\n{self.screen()}\n--- end of screen\n")
        if self.status is None and self._leader.poll() is None:
            self.signal(signal.SIGTERM)
            with contextlib.suppress(AssertionError):
                self.wait_end(5)
        self.end_shell()
        for pid in self.left_behind():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.hang_up()
        shutil.rmtree(self._folder)

    # -- what it shows -----------------------------------------------------------------------------------------

    def lines(self) -> list[str]:
        """The screen's rows now."""
        data, self._seen = self.raw[self._seen :], len(self.raw)
        if data:
            self._terminal.feed(data)
        return self._terminal.lines

    def screen(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines())

    def row(self, name: str) -> str:
        """The first row with `name` as a word in it, without what the pane at its right says; empty when there is none.

        That tells the engine's own state, also while an action is under way, and the row does not.
        """
        index = self._row_index(name)
        if index < 0:
            return ""
        line = self.lines()[index]
        end = line.find("│", line.index(name))
        return line if end < 0 else line[:end]

    def looks(self, name: str) -> list[tuple[str, str, bool]]:
        """(foreground, background, reversed) of the cells of a name on screen; empty when it is not there."""
        index = self._row_index(name)
        if index < 0:
            return []
        column = self.lines()[index].index(name)
        return self._terminal.looks(index, column, column + len(name))

    def _row_index(self, name: str) -> int:
        word = re.compile(rf"(?<!\S){re.escape(name)}(?!\S)")
        hits = [(found.start(), index) for index, line in enumerate(self.lines()) if (found := word.search(line))]
        return min(hits)[1] if hits else -1

    def wait_for(self, condition: Callable[[], Any], what: str, seconds: float = 30.0) -> Any:
        """The first true answer of `condition`; fails when boxtop ends or the deadline passes before."""

        def answer() -> Any:
            assert self.status is None, f"ended with status {self.status} before {what}"
            return condition()

        with _failing():
            return wait_until(answer, what, seconds)

    def wait_text(self, *texts: str, seconds: float = 30.0) -> None:
        """Until all of these stand on the screen."""
        self.wait_for(lambda: all(text in self.screen() for text in texts), f"on screen: {texts}", seconds)

    def wait_row(self, name: str, *words: str, seconds: float = 30.0) -> None:
        """Until the row of an object shows all of these words."""
        self.wait_for(
            lambda: (row := self.row(name)) and all(word in row for word in words),
            f"{name} on screen with {words}",
            seconds,
        )

    def wait_gone(self, *texts: str, seconds: float = 30.0) -> None:
        """Until none of these stands on the screen."""
        self.wait_for(lambda: not any(text in self.screen() for text in texts), f"off screen: {texts}", seconds)

    @property
    def selected(self) -> str:
        """The name over the details beside the lists; empty where the terminal is too narrow for both."""
        found = _DETAILS.search(self.lines()[2])
        return found.group(1) if found else ""

    def select(self, name: str) -> None:
        """Move the cursor of the list that has it to an object, by the arrow keys."""
        self.wait_for(lambda: self.selected and self.row(name), f"{name} in the list")
        for _ in range(20):  # rows may move meanwhile
            steps = self._row_index(name) - self._row_index(self.selected)
            self.press(*["Down" if steps > 0 else "Up"] * abs(steps))
            with contextlib.suppress(AssertionError):
                self.wait_for(lambda: self.selected == name, f"{name} selected", 3)
                return
        raise AssertionError(f"{name} cannot be selected")

    # -- what is done to it ------------------------------------------------------------------------------------

    def press(self, *keys: str) -> None:
        """Keys by their names in KEYS, or text as it is."""
        for key in keys:
            os.write(self._file, KEYS.get(key, key).encode())

    def focus(self, label: str) -> None:
        """In a question: move to the button or the box to check whose text begins so."""
        self.wait_for(lambda: self._focused() and label in self.screen(), f"{label} in a question")
        for _ in range(8):
            before = self._focused()
            if before.startswith(label):
                return
            self.press("Down")
            self.wait_for(lambda before=before: self._focused() != before, "the focus to move")
        raise AssertionError(f"{label} cannot be reached")

    def answer(self, label: str) -> None:
        """In a question: press the button whose label begins so."""
        self.focus(label)
        self.press("Enter")

    def _focused(self) -> str:
        found = _FOCUSED.search(self.screen())
        return found.group(1) if found else ""

    def resize(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.lines()
        self._terminal.resize(columns, rows)
        self._set_size()

    def _set_size(self) -> None:
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def hang_up(self) -> None:
        """Close the terminal, as when its window is closed."""
        if not self._hung_up:
            self._hung_up = True
            self._reader.join(5)
            os.close(self._file)

    def end_shell(self) -> None:
        """SIGKILL to the session's leader, as when the terminal's program is killed with its shell."""
        self._leader.kill()
        self._leader.wait(10)

    # -- how it ends -------------------------------------------------------------------------------------------

    def _told(self, what: str) -> str:
        with contextlib.suppress(FileNotFoundError):
            return (self._folder / what).read_text().strip()
        return ""

    @property
    def status(self) -> int | None:
        """The exit status once it ended, as a shell tells it."""
        told = self._told("status")
        return int(told) if told else None

    def wait_end(self, seconds: float = 8.0) -> int:
        """The exit status; fails when it does not end in time, which is less than an engine's calls have."""
        with _failing():
            return int(wait_until(lambda: self._told("status"), "boxtop to end", seconds))

    def wait_restored(self, seconds: float = 15.0) -> None:
        """Until the terminal is as it was; what boxtop wrote last may still be on its way."""
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: not self.not_restored(), "the terminal restored", seconds)
        assert not self.not_restored()

    def modes(self) -> dict[int, bool]:
        """Private modes of the terminal as the program set them last: 1049 alternate screen, 1000 mouse, 25 cursor."""
        found: dict[int, bool] = {}
        for numbers, word in _MODES.findall(self.raw):
            found |= {int(number): word == b"h" for number in numbers.split(b";")}
        return found

    def not_restored(self) -> list[str]:
        """What of the terminal is not as it was before boxtop; empty when all is."""
        modes = self.modes()
        wrong = [
            f"mode {mode} left {'on' if on else 'off'}" for mode, on in modes.items() if on != (mode in _ON_BEFORE)
        ]
        pushed, popped = (len(re.findall(pattern, self.raw)) for pattern in (rb"\x1b\[>\d+u", rb"\x1b\[<\d*u"))
        wrong += ["keyboard protocol left on"] if pushed > popped else []
        wrong += ["termios changed"] if termios.tcgetattr(self._file) != self._before else []
        return wrong

    def left_behind(self) -> list[int]:
        """Processes started by this run that still live; those of engines are not boxtop's."""
        mark = f"{_MARK}={self._mark}".encode()
        found = []
        for process in Path("/proc").iterdir():
            if process.name.isdecimal() and int(process.name) != self._leader.pid:
                with contextlib.suppress(OSError):
                    if mark in (process / "environ").read_bytes() and b"VBox" not in (process / "cmdline").read_bytes():
                        found.append(int(process.name))
        return found

    def _read(self) -> None:
        while not self._hung_up:
            with contextlib.suppress(OSError):
                if select.select([self._file], [], [], 0.1)[0]:
                    self.raw += os.read(self._file, 65536)
