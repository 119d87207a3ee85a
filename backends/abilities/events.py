"""What an engine tells of itself, for the view of events."""

from __future__ import annotations

from abc import ABC, abstractmethod

from backends.events import EventRing


class Events(ABC):
    @property
    @abstractmethod
    def ring(self) -> EventRing:
        """What it told since this connection was first made; goes on through losses of the connection."""
