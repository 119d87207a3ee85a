"""Whether VMs start with their host, and what becomes of a saved state.

Everything raises ActionError when it is refused and EngineError when the engine cannot be reached.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from backends.model import Ref


class Autostart(ABC):
    """VMs that start with their host."""

    @abstractmethod
    async def autostart(self, vm: Ref) -> bool:
        """Whether it does now."""

    @abstractmethod
    async def set_autostart(self, vm: Ref, *, on: bool) -> str:
        """Have it start so, or not; what else is needed for that, in words, or nothing."""


class SavedState(ABC):
    """The memory a VM was saved with."""

    @abstractmethod
    async def discard(self, vm: Ref) -> None:
        """Throw it away: the VM is off then, as if its power had failed when it was saved."""
