"""How long work tells how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a long work: a layer, a file. `done` and `total` are in the unit of its Progress."""

    name: str
    text: str = ""
    done: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a long work stands. `total` None: the end is not known. All texts are clean."""

    text: str = ""
    """What it is at, one line."""
    done: int | None = None
    total: int | None = None
    bytes: bool = True
    """Whether `done` and `total` count bytes; else steps."""
    parts: tuple[Part, ...] = ()


class Report(Protocol):
    """Takes the news of one long work. Called on the event loop only; both calls are cheap."""

    def progress(self, progress: Progress) -> None:
        """It got further. At most some 10 times a second."""

    def line(self, text: str) -> None:
        """A line of its output, clean, may be long."""
