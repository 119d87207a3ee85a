"""Textual's terminal driver, which goes on when the terminal has vanished: whoever draws must not wait for it.

Textual writes in a thread of its own that dies of the first failed write; its full queue then blocks the event loop,
and nothing could end the program any more.
"""

from __future__ import annotations

from contextlib import suppress
from typing import IO, Any

from textual.drivers.linux_driver import LinuxDriver


class TerminalDriver(LinuxDriver):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._file = Patient(self._file)  # type: ignore[arg-type, assignment]


class Patient:
    """A file whose writing never fails; what cannot be written is dropped."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        with suppress(OSError):
            return self._file.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)
