"""What the main screen keeps saying until it is dismissed or past: failures of objects and of work on several."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from backends.model import VM, Ref, State
from tui.bulk import Standing
from tui.store import Store
from widgets.notices import Notices

_JUST_NOW = 3.0
_RUNNING = frozenset({State.RUNNING, State.STOPPING})


@dataclass(frozen=True, slots=True)
class _Warning:
    ref: Ref
    text: str
    since: float
    """Of the monotonic clock."""
    while_running: bool
    """Whether it is past as soon as its VM runs no more."""
    of_failure: bool
    """Whether it tells of a failure of the store, and is past with it."""


class Warnings:
    """Shows them as notices, and takes them away when they are past."""

    def __init__(self, notices: Notices, store: Callable[[], Store]) -> None:
        self._notices = notices
        self._store = store
        self._warnings: dict[str, _Warning] = {}
        self._failed_standings: set[str] = set()

    def of(self, ref: Ref, text: str, *, while_running: bool = False) -> None:
        """A failure or a warning about an object; it stays until dismissed, or until its VM has ended."""
        of_failure = ref in self._store().failures
        self._warnings[_key(ref)] = _Warning(ref, text, time.monotonic(), while_running, of_failure)
        self._notices.add(_key(ref), text, "error")

    def of_several(self, standing: Standing, text: str) -> None:
        """What became of work on several objects; it stays until dismissed, or until the failed are tried again."""
        self._failed_standings.add(standing.id)
        self._notices.add(standing.id, text, standing.tone)

    def forget_past(self, changed: Collection[Ref]) -> None:
        """What failed on objects that are gone is past; what failed just now may be how they went, and stays."""
        for key, warning in list(self._warnings.items()):
            if warning.ref not in changed:
                continue
            if self._is_past(warning):
                self._take_away(key)
            elif self._store().get(warning.ref) is None:
                self._notices.add(key, f"{warning.text} (it is gone now)", "error")

    def _is_past(self, warning: _Warning) -> bool:
        store = self._store()
        found = store.get(warning.ref)
        if found is None:
            return time.monotonic() - warning.since > _JUST_NOW
        if warning.of_failure and warning.ref not in store.failures:
            return True  # something else is done to it since, as when a VM that did not shut down is powered off
        return warning.while_running and isinstance(found, VM) and found.state not in _RUNNING

    def tried_again(self, refs: Iterable[Ref]) -> None:
        """What failed on these objects is being done once more: what was said of it is past."""
        for key in (*map(_key, refs), *self._failed_standings):
            self._take_away(key)
        self._failed_standings.clear()

    def _take_away(self, key: str) -> None:
        self._warnings.pop(key, None)
        self._notices.dismiss(key)

    def dismiss_newest(self) -> None:
        self.dismissed(self._notices.dismiss())

    def dismiss_all(self) -> None:
        while (key := self._notices.dismiss()) is not None:
            self.dismissed(key)

    def dismissed(self, key: str | None) -> None:
        """The user has taken this notice away: the failure that it told of is no longer listed either."""
        self._failed_standings.discard(key or "")
        warning = self._warnings.pop(key or "", None)
        if warning:
            self._store().dismiss_failure(warning.ref)


def _key(ref: Ref) -> str:
    return f"{ref.engine} {ref.kind} {ref.id}"
