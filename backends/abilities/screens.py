"""A VM's screen and keyboard, as the engine offers them beside the guest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from backends.model import Ref

Chord = tuple[str, ...]
"""Keys pressed together in this order and let go in the reverse one, by their names in `backends.keyboard`."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a screen shows at one moment. `rgb` has three bytes for each pixel, line by line from the top left."""

    width: int
    height: int
    rgb: bytes


class Screens(ABC):
    @abstractmethod
    async def picture(self, ref: Ref) -> Picture:
        """What the VM's first screen shows now.

        Raises ActionError when there is none: the VM is off, has no screen, or has switched it off.
        """


class Keyboard(ABC):
    @abstractmethod
    async def press(self, ref: Ref, chords: Sequence[Chord]) -> None:
        """Press these, one after the other, no faster than a guest takes them. Returns when all were given.

        Raises ActionError, also for names of keys that are not there; then, or when cancelled, no key stays pressed.
        """
