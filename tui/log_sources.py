"""Follows the logs of some containers: through restarts, re-creations and losses of the engine, and back in time.

Each log has one task. Their lines are gathered, put in the order of their times and delivered some eight times a
second; where nothing is written nothing runs.
"""

from __future__ import annotations

import asyncio
import logging
import time
from array import array
from collections.abc import Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from backends.abilities.logs import LogBatch, LogPosition, Logs
from backends.base import ActionError, EngineError
from backends.model import Container, Kind, Ref, State
from backends.secrets import mask_text
from tui.store import Delta, Store
from widgets.log_view import NOTE

log = logging.getLogger(__name__)

TAIL = 1000
"""So many lines are shown at once, and so many older ones at a time."""
_EACH = 0.12
"""Seconds between two deliveries, and between two looks at a log that is being written."""
_SHARE, _LONGEST_WAIT = 3, 0.25
"""So many times as long as a delivery worked no other one is made, but no longer than so many seconds."""
_SOON, _LATER = 0.3, 5.0
"""Seconds before a stream that ended is asked for again while its container runs."""
_LIVE = frozenset({State.RUNNING, State.PAUSED, State.RESTARTING, State.STOPPING})
_GAP = "lines are missing here: the engine could not hand them over in time, or has them no more"

_Ability = TypeVar("_Ability")


class Sink(Protocol):
    """Takes lines ordered by time; see `widgets.log_view.LogView.add`."""

    def __call__(
        self, texts: Sequence[bytes], stamps: Sequence[int], tags: Sequence[int], *, older: bool = False
    ) -> None: ...


@dataclass(slots=True, eq=False)
class Source:
    """One container's log."""

    number: int
    ref: Ref
    name: str
    state: object = None
    """What the store said of the container when its log was last asked for."""
    position: LogPosition | None = None
    oldest: LogPosition | None = None
    received: int = 0
    complete: bool = False
    """Its oldest line is here."""
    told: str = ""
    wake: asyncio.Event = field(default_factory=asyncio.Event)


class LogSources:
    """`able(engine, ability)` gives what reads logs, or raises ActionError; `clock` is Unix time."""

    def __init__(
        self,
        store: Store,
        able: Callable[[str, type[Logs]], Logs],
        sink: Sink,
        changed: Callable[[], None],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._able = able
        self._sink = sink
        self._changed = changed
        self._clock = clock
        self.sources: list[Source] = []
        self.since = 0
        """Unix nanoseconds before which nothing is shown."""
        self.dropped = 0
        """Lines the engine handed over faster than they were taken in."""
        self._tasks: list[asyncio.Task[None]] = []
        self._older: asyncio.Task[None] | None = None
        self._waiting: list[tuple[int, LogBatch]] = []
        self._notes: list[tuple[int, str]] = []
        self._due: asyncio.TimerHandle | None = None
        self._delivered = 0.0

    def open(self, containers: Iterable[Container], since: int = 0) -> None:
        """Follow these and no others."""
        self.close()
        self.since = since
        self.dropped = 0
        self.sources = [Source(at, item.ref, item.name) for at, item in enumerate(containers)]
        self._tasks = [asyncio.create_task(self._run(source), name=f"logs of {source.name}") for source in self.sources]

    def close(self) -> None:
        """End every stream. What was not delivered yet is forgotten."""
        for task in (*self._tasks, self._older):
            if task is not None:
                task.cancel()
        self._tasks, self._older = [], None
        self._waiting.clear()
        self._notes.clear()
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def apply(self, delta: Delta) -> None:
        """Something in the store changed."""
        for source in self.sources:
            if delta.engines or Kind.CONTAINER in delta.kinds or source.ref in delta.refs:
                source.wake.set()

    def wake(self) -> None:
        """Something may have changed for any of them."""
        for source in self.sources:
            source.wake.set()

    # -- following ----------------------------------------------------------------------------------------------

    async def _run(self, source: Source) -> None:
        """Follow one log for as long as it is wanted."""
        pause = _SOON
        while True:
            source.state = self._state_of(source)
            got, failed = source.received, ""
            try:
                await self._follow(source)
            except ActionError as error:
                failed = mask_text(str(error))
                self._note(source, failed)
            except EngineError as error:
                self._note(source, f"{mask_text(error.reason)}; it goes on when the engine is back")
            except Exception:
                log.exception("the log of %s", source.name)
                self._note(source, "this failed inside boxtop: see the log")
            pause = _SOON if source.received > got else min(_LATER, pause * 2)
            await asyncio.sleep(pause)
            await self._news(source, failed=bool(failed))

    async def _follow(self, source: Source) -> None:
        logs = self._able(source.ref.engine, Logs)
        stream = logs.follow(source.ref, tail=TAIL, since=self.since, after=source.position)
        async with aclosing(stream) as batches:  # type: ignore[type-var]
            async for batch in batches:
                self._take(source, batch)
                await asyncio.sleep(_EACH)

    async def _news(self, source: Source, *, failed: bool) -> None:
        """Wait until there may be more: it runs, it was made anew, its engine is back."""
        while True:
            source.wake.clear()
            if self._store.reachable(source.ref):
                item = self._store.get(source.ref)
                if item is None:
                    again = self._namesake(source)
                    if again is not None:
                        self._note(source, f"{source.name} was created anew")
                        source.ref, source.position = again.ref, None
                        source.oldest, source.received, source.complete = None, 0, True
                        return
                    self._note(source, f"{source.name} is gone")
                elif self._state_of(source) != source.state:
                    return
                elif isinstance(item, Container) and item.state in _LIVE:
                    if not failed:
                        return
                elif not failed:
                    self._note(source, f"{source.name} is {getattr(item, 'state', 'gone')}")
            await source.wake.wait()

    def _state_of(self, source: Source) -> object:
        item = self._store.get(source.ref)
        if not isinstance(item, Container):
            return None
        return item.state, item.ended, item.started is None

    def _namesake(self, source: Source) -> Container | None:
        for item in self._store.of_kind(Kind.CONTAINER):
            if isinstance(item, Container) and item.name == source.name and item.ref.engine == source.ref.engine:
                return item
        return None

    # -- delivering ---------------------------------------------------------------------------------------------

    def _take(self, source: Source, batch: LogBatch) -> None:
        if batch.gap or batch.dropped:
            self.dropped += batch.dropped
            if batch.gap and batch.stamps:
                self._notes.append((batch.stamps[0], self._named(source, _GAP)))
        if batch.stamps:
            if source.oldest is None:
                first = batch.stamps[0]
                source.oldest = LogPosition(first, batch.stamps.count(first))
            source.received += len(batch.texts) + batch.dropped
            source.told = ""
        source.position = batch.position
        self._waiting.append((source.number, batch))
        self._schedule()

    def _note(self, source: Source, text: str) -> None:
        """Tell what became of a log, once."""
        if text == source.told:
            return
        source.told = text
        self._notes.append((max(int(self._clock() * 1e9), self._newest(source)), self._named(source, text)))
        self._schedule()

    def _newest(self, source: Source) -> int:
        return source.position.stamp if source.position else 0

    def _named(self, source: Source, text: str) -> str:
        return f"{source.name}: {text}" if len(self.sources) > 1 and not text.startswith(source.name) else text

    def _schedule(self) -> None:
        if self._due is None:
            loop = asyncio.get_running_loop()
            self._due = loop.call_later(max(0.0, self._delivered + _EACH - loop.time()), self._deliver)

    def _deliver(self) -> None:
        self._due = None
        began = time.thread_time()
        waiting, self._waiting = self._waiting, []
        notes, self._notes = self._notes, []
        texts, stamps, tags = _ordered(waiting)
        if texts:
            self._sink(texts, stamps, tags)
        for stamp, text in notes:
            self._sink([text.encode()], [stamp], [NOTE])
        self._changed()
        # From its end on, and the later the more work it was: a flood must leave time for keys
        work = time.thread_time() - began
        self._delivered = asyncio.get_running_loop().time() + min(_LONGEST_WAIT, _SHARE * work)

    # -- older lines --------------------------------------------------------------------------------------------

    @property
    def reaching_back(self) -> bool:
        """Whether older lines are on their way."""
        return self._older is not None and not self._older.done()

    @property
    def complete(self) -> bool:
        """Whether no log has older lines."""
        return all(source.complete for source in self.sources)

    def reach_back(self, first: int) -> None:
        """Fetch older lines; `first` is the time of the oldest here, so that logs that reach less far come first."""
        if self.reaching_back or self.complete:
            return
        able = [source for source in self.sources if not source.complete and source.oldest is not None]
        behind = [source for source in able if source.oldest and source.oldest.stamp > first]
        if able:
            self._older = asyncio.create_task(self._reach_back(behind or able), name="older logs")
            self._changed()

    async def _reach_back(self, sources: Sequence[Source]) -> None:
        try:
            answers = await asyncio.gather(*(self._before(source) for source in sources), return_exceptions=True)
            found: list[tuple[int, LogBatch]] = []
            for source, answer in zip(sources, answers, strict=True):
                if isinstance(answer, LogBatch):
                    found.append((source.number, answer))
                elif isinstance(answer, (ActionError, EngineError)):
                    self._note(source, f"no older lines: {mask_text(str(answer))}")
                elif isinstance(answer, BaseException):
                    log.error("older logs of %s", source.name, exc_info=answer)
            texts, stamps, tags = _ordered(found)
            if texts:
                self._sink(texts, stamps, tags, older=True)
        finally:
            self._older = None
            self._changed()

    async def _before(self, source: Source) -> LogBatch:
        assert source.oldest is not None  # noqa: S101
        logs = self._able(source.ref.engine, Logs)
        batch = await logs.before(source.ref, source.oldest, TAIL, newer=source.received, since=self.since)
        if len(batch.texts) < TAIL:
            source.complete = True
        if batch.stamps:
            first = batch.stamps[0]
            same = batch.stamps.count(first) + (source.oldest.seen if first == source.oldest.stamp else 0)
            source.oldest = LogPosition(first, same)
            source.received += len(batch.texts)
        return batch


def _ordered(batches: Sequence[tuple[int, LogBatch]]) -> tuple[list[bytes], array[int], array[int]]:
    """(texts, times, tags) of the batches of several sources, by time; each batch is in order already, or nearly."""
    texts: list[bytes] = []
    stamps: array[int] = array("q")
    tags: array[int] = array("H")
    for number, batch in batches:
        texts += batch.texts
        stamps.extend(batch.stamps)
        base = number * 2
        tags.extend(array("H", [base + error for error in batch.errors]))
    order = sorted(range(len(stamps)), key=stamps.__getitem__)
    if order != list(range(len(stamps))):
        texts = [texts[at] for at in order]
        stamps = array("q", [stamps[at] for at in order])
        tags = array("H", [tags[at] for at in order])
    return texts, stamps, tags
