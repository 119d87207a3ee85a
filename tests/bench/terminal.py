"""A program in a pseudo-terminal: every byte it writes is kept with the moment it came."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from tests.bench.accounting import ProcessGroup
from tests.bench.emulator import Emulator

KEYS = {"Down": "\x1b[B", "Up": "\x1b[A", "Enter": "\r", "Tab": "\t", "Esc": "\x1b"}

_ANSWERS = (
    (rb"\x1b\[6n", b"\x1b[1;1R"),
    (rb"\x1b\[5n", b"\x1b[0n"),
    (rb"\x1b\[0?c", b"\x1b[?64;1;2;6;22c"),
    (rb"\x1b\[\?(\d+)\$p", b"\x1b[?\\1;0$y"),
)

# the reader must get its turn while the emulator is at work, or its moments are late
sys.setswitchinterval(0.0005)


class Terminal:
    """Start `command` at once; `close` ends it. Moments are those of time.monotonic()."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], name: str, columns: int = 160, rows: int = 48
    ) -> None:
        self.screen = Emulator(columns, rows)
        self.group = ProcessGroup(name)
        self.written = 0
        """Bytes the program wrote so far."""
        self.moment = 0.0
        """When the last chunk that the screen has seen came."""
        self._chunks: list[tuple[float, bytes]] = []
        self._seen = 0
        self._application_keys = False
        self._open = True
        master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._file = master
        self.began = time.monotonic()
        self._process = subprocess.Popen(
            list(command),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=dict(environment),
            start_new_session=True,
            preexec_fn=lambda: self._enter(slave),  # noqa: PLW1509  (two system calls, before exec)
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _enter(self, slave: int) -> None:
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        self.group.enter()

    def _read(self) -> None:
        while self._open:
            if not select.select([self._file], [], [], 0.2)[0]:
                continue
            try:
                data = os.read(self._file, 65536)
            except OSError:
                return
            if not data:
                return
            self._chunks.append((time.monotonic(), data))
            self.written += len(data)
            self._application_keys = (b"\x1b[?1h" in data or self._application_keys) and b"\x1b[?1l" not in data
            self._answer(data)

    def _answer(self, data: bytes) -> None:
        """What a plain xterm says to the questions programs ask it."""
        for pattern, answer in _ANSWERS:
            for found in re.finditer(pattern, data):
                with contextlib.suppress(OSError):
                    os.write(self._file, found.expand(answer))

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def replay(self, see: Callable[[Emulator], bool] = lambda _: False) -> float | None:
        """Bring the screen up to now, chunk by chunk. Returns the moment `see` first held, and stops there."""
        while self._seen < len(self._chunks):
            self.moment, data = self._chunks[self._seen]
            self._seen += 1
            self.screen.feed(data)
            if see(self.screen):
                return self.moment
        return None

    def wait(self, see: Callable[[Emulator], bool], seconds: float) -> float | None:
        """The moment of the chunk after which `see` held; None when the time is over or the program ended."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            moment = self.replay(see)
            if moment is not None:
                return moment
            if not self.alive:
                return None
            time.sleep(0.002)
        return None

    def wait_bytes(self, pattern: re.Pattern[bytes], since: float, seconds: float) -> float | None:
        """The moment of the first chunk from `since` on with the pattern in it; does not need the screen's picture."""
        looked = len(self._chunks)
        while looked and self._chunks[looked - 1][0] >= since:
            looked -= 1
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.alive:
            while looked < len(self._chunks):
                moment, data = self._chunks[looked]
                looked += 1
                if moment >= since and pattern.search(data):
                    return moment
            time.sleep(0.001)
        return None

    def press(self, key: str) -> float:
        """Send a key by its name in KEYS, or text as it is. Returns the moment."""
        text = KEYS.get(key, key)
        if self._application_keys and text.startswith("\x1b["):
            text = "\x1bO" + text[2:]
        moment = time.monotonic()
        os.write(self._file, text.encode())
        return moment

    def close(self) -> None:
        """End the program and what it started."""
        if self.alive:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
        for pid in self.group.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(10)
        self._open = False
        self._reader.join(2)
        os.close(self._file)
        self.group.remove()
