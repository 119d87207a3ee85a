"""A VM started in a window on the desktop boxtop itself runs on."""

from __future__ import annotations

from abc import ABC, abstractmethod

from backends.model import Ref


class Windows(ABC):
    @abstractmethod
    async def start(self, vm: Ref) -> None:
        """Start a VM that is off or saved, with its screen in a window. Raises ActionError and EngineError."""
