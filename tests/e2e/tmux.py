"""A shell in a tmux server of its own: what a user sees who works there."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.e2e.run_cli import environment
from tests.engines.docker_engine import wait_until


class Tmux:
    """One pane of the given size from `with` to the end of its block."""

    def __init__(self, home: Path, columns: int, rows: int) -> None:
        self._home = home
        self._size = (columns, rows)
        # a socket's path may have 107 bytes, a test's folder has more
        self._folder = Path(tempfile.mkdtemp(prefix="bt-tmux-"))

    def __enter__(self) -> Self:
        columns, rows = (str(number) for number in self._size)
        self._run("-f", "/dev/null", "new-session", "-d", "-x", columns, "-y", rows, "sh")
        try:
            wait_until(lambda: self.screen().strip(), "the shell in tmux")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        print(f"--- tmux\n{self.screen()}\n--- end")
        self._end()

    def _end(self) -> None:
        self._run("kill-server")
        shutil.rmtree(self._folder)

    def _run(self, *arguments: str) -> str:
        return subprocess.run(
            ["tmux", "-S", str(self._folder / "socket"), *arguments],
            env=environment(self._home, XDG_RUNTIME_DIR=str(self._home)),
            cwd=self._home,
            capture_output=True,
            encoding="utf-8",
            timeout=20,
            check=True,
        ).stdout

    def screen(self) -> str:
        return self._run("capture-pane", "-p")

    def type(self, line: str) -> None:
        """A command line for the shell."""
        self._run("send-keys", "-l", line)
        self.press("Enter")

    def press(self, *keys: str) -> None:
        """Keys by tmux's names."""
        self._run("send-keys", *keys)

    def wait_text(self, *texts: str, seconds: float = 30.0) -> None:
        wait_until(lambda: all(text in self.screen() for text in texts), f"in tmux: {texts}", seconds)

    def wait_gone(self, text: str, seconds: float = 30.0) -> None:
        wait_until(lambda: text not in self.screen(), f"gone in tmux: {text}", seconds)
