"""Addresses of guests, asked for sparingly: each question costs the engine more than a whole listing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass

from backends.background import Background
from backends.base import ActionError, EngineError
from backends.text import clean

AGAIN = 30.0
"""Seconds until one with addresses is asked again; one without is asked after 5, 10, 20 ... seconds."""
_FIRST, _LONGEST = 5.0, 300.0
_PAUSE = 0.5
"""Seconds between two questions at least."""
_MOST = 32


@dataclass(slots=True)
class _Known:
    found: tuple[str, ...] = ()
    due: float = 0.0
    wait: float = _FIRST


class Addresses:
    """Asks one guest after the other; those that run are named by `want`, again and again."""

    def __init__(
        self, ask: Callable[[str], Awaitable[Iterable[str]]], changed: Callable[[str], None], pause: float = _PAUSE
    ) -> None:
        """`changed(id)` is called on the loop when a guest's addresses are others."""
        self._ask = ask
        self._changed = changed
        self._pause = pause
        self._known: dict[str, _Known] = {}
        self._asking = Background(self._ask_due, "addresses")

    def of(self, identity: str) -> tuple[str, ...]:
        known = self._known.get(identity)
        return known.found if known else ()

    def want(self, running: Collection[str]) -> None:
        """These run now, and no others: what is due is asked in the background."""
        self._known = {identity: self._known.get(identity) or _Known() for identity in running}
        if self._due() is not None:
            self._asking.start()

    async def close(self) -> None:
        self._known = {}
        await self._asking.end()

    def _due(self) -> str | None:
        now = time.monotonic()
        return next((identity for identity, known in self._known.items() if known.due <= now), None)

    async def _ask_due(self) -> None:
        while (identity := self._due()) is not None:
            known = self._known[identity]
            known.due = time.monotonic() + known.wait
            try:
                answer = tuple(await self._ask(identity))
            except (ActionError, EngineError):
                answer = ()
            found = tuple(dict.fromkeys(clean(address, 64) for address in answer if usable(address)))[:_MOST]
            known.wait = AGAIN if found else min(_LONGEST, known.wait * 2)
            known.due = time.monotonic() + known.wait
            if found != known.found:
                known.found = found
                self._changed(identity)
            await asyncio.sleep(self._pause)


def usable(address: str) -> bool:
    """Whether it leads to the guest from elsewhere."""
    low = address.lower()
    return bool(address) and not low.startswith(("127.", "169.254.", "fe80:", "::1", "0.0.0.0"))  # noqa: S104
