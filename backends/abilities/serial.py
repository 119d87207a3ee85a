"""A VM's serial port on the user's terminal."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from backends.base import ActionError
from backends.console import Console
from backends.model import Ref


class SerialTaken(ActionError):
    """Somebody else is connected to the serial port; `open` with `force` takes it from them."""


@dataclass(frozen=True, slots=True)
class SerialPort:
    """How a VM's first usable serial port is wired. All texts are one clean line."""

    wiring: str = ""
    """What it is, e.g. `pty` or `TCP port 2023`; empty: the VM has none that can be reached."""
    reason: str = ""
    """Why there is none."""
    offer: str = ""
    """The port `add` would give the VM; empty: none can be added by boxtop now, and `reason` says what to do."""


class Serial(ABC):
    """All methods raise ActionError with a reason in words, or EngineError."""

    @abstractmethod
    async def port(self, ref: Ref) -> SerialPort:
        """How it is wired now; changes nothing."""

    @abstractmethod
    async def open(self, ref: Ref, *, force: bool = False) -> Console:
        """Join the serial port of a running VM. Raises SerialTaken."""

    @abstractmethod
    async def add(self, ref: Ref) -> None:
        """Give a VM that is off the port that was offered: it is there from its next start on."""
