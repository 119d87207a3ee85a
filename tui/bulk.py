"""How far work on several objects is, in one line that is told anew as each of them ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from widgets.tones import Tone

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """What a batch came to: `ended` says whether anything is to go."""

    id: str
    text: str
    tone: Tone
    ended: bool
    failed: int


Tell = Callable[[Standing], None]


class Batch:
    """One lot of objects to which the same is done; `done` is to be called once for each."""

    def __init__(self, identity: str, verb: str, count: int, tell: Tell, left_out: str = "") -> None:
        self._id = identity
        self._verb = verb
        self._count = count
        self._tell = tell
        self._left_out = left_out
        self._done = 0
        self._failed: list[str] = []
        if count > 1:
            tell(self._standing())

    def ended(self, name: str, reason: str | None) -> None:
        """It was done to the object of this name, or failed for a reason."""
        if reason is None:
            self._done += 1
        else:
            self._failed.append(name)
        if self._count > 1:
            self._tell(self._standing())

    def _standing(self) -> Standing:
        failed = len(self._failed)
        to_go = self._count - self._done - failed
        words = [f"{self._done} done" if self._done < self._count else "all done"]
        if failed:
            names = ", ".join(self._failed[:_NAMED]) + (", ..." if failed > _NAMED else "")
            words.append(f"{failed} failed ({names})")
        if to_go:
            words.append(f"{to_go} to go")
        tone: Tone = "error" if failed and not to_go else "warn" if failed else "info" if to_go else "ok"
        left = f"; left out {self._left_out}" if self._left_out and not to_go else ""
        return Standing(self._id, f"{self._verb} {self._count}: {', '.join(words)}{left}", tone, not to_go, failed)


class Bulk:
    """Makes the batches of one run. `tell` shows a standing in the place of the one before of the same id."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._number = 0

    def begin(self, verb: str, count: int, left_out: str = "") -> Batch:
        """`left_out`: what it was not begun on, and why; told with the end."""
        self._number += 1
        return Batch(f"bulk {self._number}", verb, count, self._tell, left_out)
