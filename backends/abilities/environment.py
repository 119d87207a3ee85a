"""What leads command-line tools to the engine that boxtop shows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping


class Environment(ABC):
    @abstractmethod
    def leading(self, environment: Mapping[str, str]) -> dict[str, str]:
        """These environment variables, so changed that the engine's own tools talk to this engine and no other.

        Raises ActionError where that cannot be said in variables.
        """
