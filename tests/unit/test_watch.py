"""The loop that keeps one engine current, against a scripted engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from backends.base import Backend, EngineError
from backends.model import Action, ActionOptions, Change, EngineInfo, Kind, Loss, Ref, Snapshot, Usage
from backends.watch import MANY, Connected, Lost, Update, Watcher

ONE = Ref("fake", Kind.CONTAINER, "one")
TWO = Ref("fake", Kind.CONTAINER, "two")
END = object()


class Scripted(Backend):
    """An engine that says what the test tells it to, and notes what it was asked."""

    def __init__(self, *, eventless: bool = False) -> None:
        self.engine, self.url = "fake", "fake://"
        self.calls: list[Any] = []
        self.news: asyncio.Queue[Any] = asyncio.Queue()
        self.eventless = eventless
        self.connect_error: BaseException | None = None
        self.list_error: BaseException | None = None
        self.list_time = 0.0
        self.streams = 0
        self.overlap = 0
        self.busy = 0

    async def connect(self) -> EngineInfo:
        self.calls.append("connect")
        if self.connect_error:
            raise self.connect_error
        return EngineInfo("fake", "fake", "1", self.url, (Kind.CONTAINER,))

    async def _work(self) -> None:
        self.busy += 1
        self.overlap = max(self.overlap, self.busy)
        await asyncio.sleep(self.list_time)
        self.busy -= 1
        if self.list_error:
            raise self.list_error

    async def list_all(self) -> Snapshot:
        self.calls.append("all")
        await self._work()
        return Snapshot("fake", 0.0)

    async def list_some(self, refs: Collection[Ref]) -> Change:
        self.calls.append(frozenset(refs))
        await self._work()
        return Change("fake", 0.0, removed=tuple(refs))

    async def events(self) -> AsyncIterator[frozenset[Ref]]:
        if self.eventless:
            raise NotImplementedError
        self.streams += 1
        try:
            while True:
                item = await self.news.get()
                if item is END:
                    return
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self.streams -= 1

    async def usage(self, refs: Collection[Ref]) -> Mapping[Ref, Usage]:
        return {}

    async def inspect(self, ref: Ref) -> Any:
        return {}

    async def losses(self, action: Action, ref: Ref) -> tuple[Loss, ...]:
        return ()

    async def perform(self, action: Action, ref: Ref, options: ActionOptions) -> None:
        return

    async def close(self) -> None:
        return

    def count(self, what: Any) -> int:
        return self.calls.count(what)


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def watching(backend: Scripted, **options: Any) -> AsyncIterator[tuple[Watcher, list[Update]]]:
    got: list[Update] = []
    given: dict[str, Any] = {"listing_period": 60.0, "rng": lambda: 0.0} | options
    watcher = Watcher(backend, got.append, **given)
    task = asyncio.create_task(watcher.run())
    try:
        yield watcher, got
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert backend.streams == 0, "the event stream outlived the watcher"
        assert not watcher.connected


def losses(got: list[Update]) -> list[Lost]:
    return [update for update in got if isinstance(update, Lost)]


async def test_a_connection_is_announced_and_listed() -> None:
    async with watching(Scripted()) as (watcher, got):
        await until(lambda: len(got) >= 2)
        assert isinstance(got[0], Connected)
        assert isinstance(got[1], Snapshot)
        assert watcher.connected


async def test_the_first_event_acts_at_once_and_those_after_it_are_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    # the second full listing is not to come meanwhile
    monkeypatch.setattr("backends.watch._SETTLE", 3600.0)
    backend = Scripted()
    three = Ref("fake", Kind.CONTAINER, "three")
    async with watching(backend, coalesce=1.0) as (_, got):
        await until(lambda: backend.streams and len(got) >= 2)
        backend.calls.clear()
        loop = asyncio.get_running_loop()
        began = loop.time()
        backend.news.put_nowait(frozenset({ONE}))
        await until(lambda: backend.calls)
        assert loop.time() - began < 1.0
        backend.news.put_nowait(frozenset({TWO}))
        backend.news.put_nowait(frozenset({three}))
        await until(lambda: len(backend.calls) > 1)
        assert backend.calls == [frozenset({ONE}), frozenset({TWO, three})]
        assert loop.time() - began >= 1.0
        await until(lambda: isinstance(got[-1], Change) and len(got[-1].removed) == 2)


async def test_an_empty_event_and_a_flood_ask_for_everything() -> None:
    backend = Scripted()
    async with watching(backend) as (_, got):
        await until(lambda: backend.streams and len(got) >= 2)
        backend.calls.clear()
        backend.news.put_nowait(frozenset())
        await until(lambda: backend.calls)
        backend.news.put_nowait(frozenset(Ref("fake", Kind.CONTAINER, str(number)) for number in range(MANY + 1)))
        await until(lambda: len(backend.calls) > 1)
        assert backend.calls == ["all", "all"]


async def test_listings_go_on_beside_events_and_never_overlap() -> None:
    backend = Scripted()
    backend.list_time = 0.01
    async with watching(backend, listing_period=0.05, coalesce=0.001) as (watcher, _):
        loop = asyncio.get_running_loop()
        end = loop.time() + 1
        while loop.time() < end:
            backend.news.put_nowait(frozenset({ONE}))
            watcher.refresh()
            await asyncio.sleep(0.003)
            backend.news.put_nowait(frozenset({TWO}))
            await asyncio.sleep(0.003)
        assert backend.count("all") > 3
        assert backend.overlap == 1


async def test_events_alone_do_not_starve_the_listing() -> None:
    backend = Scripted()
    async with watching(backend, listing_period=0.05, coalesce=0.001):
        for _ in range(100):
            backend.news.put_nowait(frozenset({ONE}))
            await asyncio.sleep(0.003)
        assert backend.count("all") >= 3
        assert backend.count(frozenset({ONE})) >= 3


async def test_an_engine_without_events_is_listed_again_and_again() -> None:
    backend = Scripted(eventless=True)
    async with watching(backend, eventless_period=0.02) as (_, got):
        await until(lambda: backend.count("all") >= 5)
        assert not losses(got)
        assert backend.count("connect") == 1


async def test_refresh_lists_at_once() -> None:
    backend = Scripted(eventless=True)
    async with watching(backend, eventless_period=60.0) as (watcher, got):
        await until(lambda: len(got) >= 2)
        watcher.refresh()
        await until(lambda: backend.count("all") == 2)


async def test_a_loss_is_told_with_reason_and_retried_with_growing_delays() -> None:
    backend = Scripted()
    backend.connect_error = EngineError("no answer", "start it")
    now = 1000.0
    async with watching(backend, backoff=0.01, backoff_limit=0.05, clock=lambda: now) as (watcher, got):
        await until(lambda: len(losses(got)) >= 5)
        first = losses(got)[0]
        assert (first.engine, first.url, first.reason, first.remedy) == ("fake", "fake://", "no answer", "start it")
        assert [round(lost.retry_at - now, 3) for lost in losses(got)[:5]] == [0.01, 0.02, 0.04, 0.05, 0.05]
        now = 1005.0
        count = len(losses(got))
        await until(lambda: len(losses(got)) > count + 1)
        assert losses(got)[-1].since == 1000.0
        assert losses(got)[-1].retry_at == pytest.approx(1005.05)
        assert not watcher.connected
        backend.connect_error = None
        await until(lambda: isinstance(got[-1], Snapshot))
        assert isinstance(got[-2], Connected)
        backend.news.put_nowait(EngineError("gone again"))
        await until(lambda: isinstance(got[-1], Lost) or losses(got)[-1].reason == "gone again")
        assert losses(got)[-1].since == 1005.0


async def test_jitter_only_shortens_a_delay() -> None:
    backend = Scripted()
    backend.connect_error = EngineError("no answer")
    async with watching(backend, backoff=4.0, clock=lambda: 0.0, rng=lambda: 0.999) as (_, got):
        await until(lambda: losses(got))
        assert losses(got)[0].retry_at == pytest.approx(3.0, abs=0.01)


async def test_a_listing_that_fails_after_the_handshake_keeps_the_time_of_loss() -> None:
    backend = Scripted()
    backend.list_error = EngineError("timed out")
    now = 1.0
    async with watching(backend, backoff=0.01, clock=lambda: now) as (_, got):
        await until(lambda: losses(got))
        now = 2.0
        count = len(got)
        await until(lambda: len(got) > count + 1)
        assert not [update for update in got if isinstance(update, Connected)]
        assert losses(got)[-1].since == 1.0


async def test_an_absent_engine_is_asked_seldom_and_refresh_asks_now() -> None:
    backend = Scripted()
    backend.connect_error = EngineError("not installed", "install it", absent=True)
    async with watching(backend, backoff=0.01, backoff_limit=30.0, clock=lambda: 0.0) as (watcher, got):
        await until(lambda: losses(got))
        assert losses(got)[0].absent
        assert losses(got)[0].retry_at == 30.0
        backend.connect_error = None
        watcher.refresh()
        await until(lambda: isinstance(got[-1], Snapshot))


@pytest.mark.parametrize("end", [END, EngineError("reset by peer"), OSError("\x1b[31mreset\nby peer")])
async def test_a_broken_or_ended_stream_is_a_loss_and_heals(end: object) -> None:
    backend = Scripted()
    async with watching(backend, backoff=0.01) as (_, got):
        await until(lambda: backend.streams and len(got) >= 2)
        backend.news.put_nowait(end)
        await until(lambda: losses(got))
        reason = losses(got)[0].reason
        assert reason.isprintable() and reason
        await until(lambda: backend.count("connect") == 2 and isinstance(got[-1], Snapshot))


@pytest.mark.parametrize("error", [KeyError("Id"), ValueError(""), NotImplementedError(), asyncio.CancelledError()])
async def test_a_fault_of_a_backend_is_a_loss_in_one_line(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    backend = Scripted()
    async with watching(backend, backoff=0.01) as (watcher, got):
        await until(lambda: len(got) >= 2)
        backend.list_error = error
        watcher.refresh()
        await until(lambda: losses(got))
        assert losses(got)[0].reason.startswith(f"internal error: {type(error).__name__}")
        assert "\n" not in losses(got)[0].reason
        await until(lambda: len(losses(got)) > 2)
        backend.list_error = None
        await until(lambda: isinstance(got[-1], Snapshot))
    assert caplog.text.count("the backend of fake failed") == 1


async def test_not_implemented_after_the_first_event_is_a_fault() -> None:
    backend = Scripted()
    async with watching(backend, backoff=0.01) as (_, got):
        await until(lambda: backend.streams and len(got) >= 2)
        backend.news.put_nowait(frozenset({ONE}))
        backend.news.put_nowait(NotImplementedError("seek"))
        await until(lambda: losses(got))
        assert "seek" in losses(got)[0].reason


async def test_a_pause_asks_nothing_and_resume_lists_afresh() -> None:
    backend = Scripted()
    async with watching(backend, listing_period=0.02, coalesce=0.001) as (watcher, got):
        await until(lambda: len(got) >= 2)
        watcher.pause()
        await asyncio.sleep(0.05)
        backend.calls.clear()
        backend.news.put_nowait(frozenset({ONE}))
        await asyncio.sleep(0.1)
        assert backend.calls == []
        watcher.resume()
        await until(lambda: backend.calls)
        assert backend.calls[0] == "all"


async def test_a_pause_holds_retries_too() -> None:
    backend = Scripted()
    backend.connect_error = EngineError("no answer")
    async with watching(backend, backoff=0.01, backoff_limit=0.01) as (watcher, got):
        await until(lambda: losses(got))
        watcher.pause()
        await asyncio.sleep(0.05)
        asked = len(backend.calls)
        await asyncio.sleep(0.1)
        assert len(backend.calls) == asked
        backend.connect_error = None
        watcher.resume()
        await until(lambda: isinstance(got[-1], Snapshot))


async def test_cancelling_ends_it_in_every_phase() -> None:
    slow = Scripted()
    slow.list_time = 60.0
    lost = Scripted()
    lost.connect_error = EngineError("no answer")
    for backend in (Scripted(), Scripted(eventless=True), slow, lost):
        async with asyncio.timeout(20):
            async with watching(backend, backoff=60.0):
                await until(lambda: backend.calls)  # noqa: B023
