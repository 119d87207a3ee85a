"""Network rates of running VMs, asked of their own processes in a process apart, which is given up when one hangs.

Only where the settings want it. Nobody but a VM's process knows them, and whoever asks takes a shared session of it:
VBoxSVC 7.2.22 crashed, and its VMs with it, when such sessions ended as VMs did. With sessions that are kept as long as
their VM runs it did not in hundreds of endings, which is no proof that it never does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from backends.background import Background
from backends.virtualbox.process import HelperGone, HelperProcess, HelperRefused

_EACH = 4.0
"""Seconds between two questions to one VM at least; each costs VBoxSVC 3 ms."""
_FIRST = 2.0
_PAUSE = 0.4
"""Seconds between two questions at least."""
_WITHOUT = 60.0
"""Seconds until a VM without adapters, or one that refuses, is asked again."""
_AGAIN = 15.0
"""Seconds until another process is started for one that ended by itself."""
_ANSWER = 5.0
_LONGEST = 900.0
"""Seconds until a VM that gave no answer is asked again, at most: at first _AGAIN, then twice as long each."""
_STALE = 10.0
"""Seconds after which what was wanted is no longer: nothing is sampled, as the screen is lent out."""
_IDLE = 30.0
"""Seconds that the process is kept without work: it takes 14 MB."""


@dataclass(slots=True)
class _Known:
    """What one VM said last. Times are of the monotonic clock."""

    due: float = 0.0
    at: float | None = None
    received: int = 0
    sent: int = 0
    rates: tuple[float, float] | None = None
    hung: float = 0.0
    """How long it was left alone the last time it gave no answer; 0: it answered."""

    def take(self, answer: dict[str, Any], now: float) -> None:
        self.hung = 0.0
        if not answer.get("adapters"):
            self.at, self.rates = None, None
            self.due = now + (_WITHOUT if answer else _EACH)
            return
        received, sent = int(answer["received"]), int(answer["sent"])
        # Less than before: it was started anew meanwhile
        if self.at is not None and now > self.at and received >= self.received and sent >= self.sent:
            seconds = now - self.at
            self.rates = ((received - self.received) / seconds, (sent - self.sent) / seconds)
        else:
            self.rates = None
        self.due = now + (_EACH if self.at is not None else _FIRST)
        self.at, self.received, self.sent = now, received, sent

    def nothing(self, now: float, wait: float) -> None:
        self.at, self.rates, self.due = None, None, now + wait


class Traffic:
    """Asks one VM after the other, of those that are wanted."""

    def __init__(self, make: Callable[[], HelperProcess]) -> None:
        self._make = make
        self._known: dict[str, _Known] = {}
        self._wanted = 0.0
        self._helper: HelperProcess | None = None
        self._asking = Background(self._run, "virtualbox traffic")

    @property
    def pid(self) -> int | None:
        """Of the process that asks, while there is one."""
        return self._helper.pid if self._helper is not None else None

    def want(self, running: Collection[str]) -> None:
        """These run and are looked at now, and no others. To be said again every few seconds."""
        self._known = {machine: self._known.get(machine) or _Known() for machine in running}
        self._wanted = time.monotonic()
        if running:
            self._asking.start()

    def rates(self, machine: str) -> tuple[float, float] | None:
        """Bytes per second received and sent by its guest; None while they are not known."""
        known = self._known.get(machine)
        return known.rates if known else None

    async def close(self) -> None:
        self._known = {}
        await self._asking.end()

    async def _run(self) -> None:
        idle = time.monotonic()
        try:
            while time.monotonic() - idle < _IDLE:
                now = time.monotonic()
                if now - self._wanted > _STALE:
                    self._known = {}
                if self._known:
                    idle = now
                machine, known = min(self._known.items(), key=lambda entry: entry[1].due, default=("", None))
                if known is None or known.due > now:
                    await asyncio.sleep(1.0 if known is None else min(1.0, known.due - now))
                    continue
                await self._ask(machine, known)
                await asyncio.sleep(_PAUSE)
        finally:
            await self._end()

    async def _ask(self, machine: str, known: _Known) -> None:
        try:
            if self._helper is None:
                self._helper = self._make()
                await self._helper.start()
            answer = await self._helper.ask("moved", _ANSWER, machine_id=machine, keep=list(self._known))
        except TimeoutError:
            # at first it may be the asking process that hung
            known.hung = min(_LONGEST, known.hung * 2) or _AGAIN
            known.nothing(time.monotonic(), known.hung)
            await self._end()
        except HelperRefused:
            known.nothing(time.monotonic(), _WITHOUT)
        except HelperGone:
            for each in self._known.values():
                each.nothing(time.monotonic(), _AGAIN)
            await self._end()
        else:
            known.take(answer, time.monotonic())

    async def _end(self) -> None:
        helper, self._helper = self._helper, None
        if helper is not None:
            await helper.end()


def program() -> bytes:
    """What the process runs."""
    return files("backends.virtualbox").joinpath("helper_traffic.py").read_bytes()
