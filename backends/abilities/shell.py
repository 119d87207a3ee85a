"""A shell in a container, and its own process on the user's terminal."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from backends.console import Console
from backends.model import Ref


@dataclass(frozen=True, slots=True)
class Size:
    """A terminal's size in characters."""

    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class Attachable:
    """How a container's own process is wired."""

    terminal: bool
    """It has a terminal (`docker run -t`)."""
    takes_input: bool
    """Its standard input is open (`docker run -i`)."""
    input_ends: bool = False
    """Its input ends when the first who attached to it leaves."""


class Shell(ABC):
    @abstractmethod
    async def find(self, ref: Ref) -> tuple[str, ...]:
        """Paths of the shells in a container, the best first; empty: there is none. Starts nothing there."""

    @abstractmethod
    async def open(self, ref: Ref, command: Sequence[str], size: Size, *, user: str = "") -> Console:
        """Start a command on a terminal in a running container. `user`: name or uid, `user:group`; empty: its own."""


class Attach(ABC):
    @abstractmethod
    async def wiring(self, ref: Ref) -> Attachable:
        """What an attached terminal would be joined to."""

    @abstractmethod
    async def attach(self, ref: Ref, size: Size) -> Console:
        """Join a running container's own process."""
