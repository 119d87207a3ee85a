"""The one long-lived loop of an engine connection: connect, list, follow events, and come back after a loss."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from backends.base import Backend, EngineError
from backends.model import Change, EngineInfo, Ref, Snapshot
from backends.text import clean

_log = logging.getLogger(__name__)
_Answer = TypeVar("_Answer")

MANY = 50
"""Beyond this many changed objects one full listing is cheaper than asking for each."""

_SETTLE = 1.0
# a reader that does not end in this time is left to the backend's own close
_STREAM_END = 2.0


@dataclass(frozen=True, slots=True)
class Connected:
    """The engine answers and was listed; its Snapshot follows at once."""

    info: EngineInfo


@dataclass(frozen=True, slots=True)
class Lost:
    """The engine cannot be used now. Delivered again, with the same `since`, after each attempt that failed."""

    engine: str
    url: str
    reason: str
    remedy: str
    absent: bool
    since: float
    """Unix time of the first failure since the engine last answered."""
    retry_at: float
    """Unix time of the next attempt."""


Update = Connected | Lost | Snapshot | Change


class Watcher:
    """Keeps one engine's objects current and hands every piece of news to `deliver`, on the event loop.

    Times are seconds. `rng` gives numbers in [0, 1) for the jitter of retries; `clock` gives Unix time.
    """

    def __init__(
        self,
        backend: Backend,
        deliver: Callable[[Update], None],
        *,
        listing_period: float = 10.0,
        eventless_period: float = 2.0,
        coalesce: float = 0.05,
        backoff: float = 1.0,
        backoff_limit: float = 30.0,
        clock: Callable[[], float] = time.time,
        rng: Callable[[], float] = random.random,
    ) -> None:
        self.connected = False
        self._backend = backend
        self._deliver = deliver
        self._listing_period = listing_period
        self._eventless_period = eventless_period
        self._coalesce = coalesce
        self._backoff = backoff
        self._backoff_limit = backoff_limit
        self._clock = clock
        self._rng = rng
        self._wake = asyncio.Event()
        self._resumed = asyncio.Event()
        self._resumed.set()
        self._asked = False
        self._all = False
        self._changed: set[Ref] = set()
        self._failures = 0
        self._fault_told = ""
        self._since: float | None = None

    def refresh(self) -> None:
        """List everything now, or try to connect now when the engine is lost."""
        self._asked = True
        self._wake.set()

    def pause(self) -> None:
        """Ask the engine nothing until `resume`; what its events say is kept meanwhile."""
        self._resumed.clear()

    def resume(self) -> None:
        """End a pause: everything is listed afresh."""
        self._resumed.set()
        self.refresh()

    async def run(self) -> None:
        """Watch until cancelled; then the event stream is closed. Never raises EngineError."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                await self._resumed.wait()
                began = loop.time()
                try:
                    await self._session()
                except EngineError as error:
                    # an engine that comes and goes at once must not be retried at full speed
                    if loop.time() - began >= self._listing_period:
                        self._failures = 0
                    delay = self._lose(error)
                await self._sleep(delay)
        finally:
            self.connected = False

    async def _session(self) -> NoReturn:
        """One connection, up to its loss, which is always an EngineError."""
        info = await self._answer(self._backend.connect())
        self._forget()
        stream = asyncio.create_task(self._follow(), name=f"events of {self._backend.engine}")
        stream.add_done_callback(lambda _: self._wake.set())
        try:
            snapshot = await self._answer(self._backend.list_all())
            self.connected = True
            self._since = None
            self._deliver(Connected(info))
            self._deliver(snapshot)
            await self._keep_current(stream)
        finally:
            stream.cancel()
            await asyncio.wait({stream}, timeout=_STREAM_END)
            if stream.done() and not stream.cancelled():
                stream.exception()

    async def _keep_current(self, stream: asyncio.Task[bool]) -> NoReturn:
        loop = asyncio.get_running_loop()
        period = self._listing_period
        # the second listing catches what changed after the first and before the event stream stood
        due = loop.time() + min(_SETTLE, period)
        earliest = 0.0
        while True:
            if stream.done():
                if await self._answer(stream):
                    raise EngineError("the engine ended its event stream")
                period = self._eventless_period
                due = min(due, loop.time() + period)
            await self._sleep(due - loop.time())
            await self._resumed.wait()
            if not self._asked and loop.time() < due:
                if not self._all and not self._changed:
                    continue
                await asyncio.sleep(earliest - loop.time())
            began = loop.time()
            refs = frozenset(self._changed)
            everything = self._asked or self._all or began >= due or len(refs) > MANY
            self._forget()
            if everything:
                self._deliver(await self._answer(self._backend.list_all()))
                due = loop.time() + period
            else:
                self._deliver(await self._answer(self._backend.list_some(refs)))
            # a storm of events may take half of the engine's time at most
            ended = loop.time()
            earliest = max(began + self._coalesce, ended + (ended - began))

    async def _follow(self) -> bool:
        """Gather what events name. False when the engine has no events, True when the stream ended."""
        stream: AsyncIterator[frozenset[Ref]] | None = None
        first = True
        try:
            stream = self._backend.events()
            async for refs in stream:
                first = False
                self._all = self._all or not refs
                self._changed |= refs
                self._wake.set()
        except NotImplementedError:
            if not first:
                raise
            return False
        finally:
            close = getattr(stream, "aclose", None)
            if close is not None:
                with suppress(Exception):
                    await close()
        return True

    async def _answer(self, call: Awaitable[_Answer]) -> _Answer:
        """A backend's answer; whatever goes wrong in it is an EngineError."""
        try:
            return await call
        except EngineError:
            raise
        except asyncio.CancelledError as error:  # a future of the backend may be cancelled, too
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            raise self._fault(error) from error
        except Exception as error:
            raise self._fault(error) from error

    def _fault(self, error: BaseException) -> EngineError:
        # the same fault at every retry is told once
        if repr(error) != self._fault_told:
            self._fault_told = repr(error)
            _log.error("the backend of %s failed", self._backend.engine, exc_info=error)
        text = clean(str(error), 200).strip()
        name = type(error).__name__
        return EngineError(f"internal error: {name}: {text}" if text else f"internal error: {name}", "see the log")

    def _forget(self) -> None:
        self._asked = self._all = False
        self._changed.clear()

    def _lose(self, error: EngineError) -> float:
        now = self._clock()
        self.connected = False
        if self._since is None:
            self._since = now
        if error.absent:
            delay = self._backoff_limit
        else:
            delay = min(self._backoff_limit, self._backoff * 2 ** min(self._failures, 16)) * (1 - 0.25 * self._rng())
            self._failures += 1
        self._forget()
        self._wake.clear()
        self._deliver(
            Lost(
                engine=self._backend.engine,
                url=self._backend.url,
                reason=error.reason,
                remedy=error.remedy,
                absent=error.absent,
                since=self._since,
                retry_at=now + delay,
            )
        )
        return delay

    async def _sleep(self, seconds: float) -> None:
        """Wait that long, or until something wakes the loop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._wake.wait()
        self._wake.clear()
