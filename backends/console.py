"""A terminal elsewhere as a stream of bytes: a shell in a container, a process attached to, a serial port."""

from __future__ import annotations

from abc import ABC, abstractmethod


class Console(ABC):
    """What a foreground pump copies to and from the user's own terminal. No method of it waits, but `close`.

    Bytes pass as they are: what comes is the terminal session of its own that the user asked for.
    """

    terminal = True
    """The far end is a terminal, which echoes, and ends lines as terminals do; else plain lines go both ways."""
    takes_input = True
    """What is typed reaches somebody there."""

    @abstractmethod
    def fileno(self) -> int:
        """Readable when there is something to receive."""

    @abstractmethod
    def recv(self) -> bytes | None:
        """What came, some 64 KiB at most; None: nothing yet; empty: the far end closed. Raises OSError when lost."""

    @property
    def pending(self) -> bool:
        """Something came already that `fileno` does not tell of."""
        return False

    @abstractmethod
    def send(self, data: bytes) -> int:
        """How many of the bytes were taken; 0: none now, as the far end is slow. Raises OSError when lost."""

    def end_input(self) -> None:  # noqa: B027
        """Nothing more is typed; what comes is still shown. By default nobody is told."""

    def resize(self, columns: int, rows: int) -> None:
        """The user's terminal has this size now; passed on in the background."""
        del columns, rows

    @abstractmethod
    def close(self) -> None:
        """Let go of it, having ended what runs there for it alone. Never raises; takes half a second at most."""

    async def exit_status(self) -> int | None:
        """How its process ended; None where that is unknown or it has not ended. Raises EngineError or ActionError."""
        return None
