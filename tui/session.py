"""The engines of this run: their watchers, the sampling of live usage, and an orderly end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Set
from contextlib import suppress
from typing import Any, Protocol

from backends.base import ActionError, Backend, EngineError
from backends.model import VM, Container, HostUsage, Kind, Ref, State
from backends.watch import Update, Watcher
from tui.happened import Happened
from tui.options import HostOption, Options, hosts_of
from tui.store import Engine, Store

log = logging.getLogger(__name__)

_IN_TIME = 0.4
_LIVE = {State.RUNNING, State.PAUSED, State.STOPPING, State.SAVING}


class Host(Protocol):
    async def sample(self) -> HostUsage: ...


class Session:
    """Owns one watcher for each engine and one sampling loop for all; hands everything to the store."""

    def __init__(
        self, store: Store, options: Options, shown: Callable[[], Collection[Ref]], clock: Callable[[], float]
    ) -> None:
        """`shown` names the objects on screen: only those are asked for where usage costs the engine.

        `clock` gives Unix time to the simulated engines of the demo.
        """
        self._store = store
        self._options = options
        self._shown = shown
        self._clock = clock
        self._backends: dict[str, Backend] = {}
        self._watchers: dict[str, Watcher] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._asked: dict[str, asyncio.Task[Callable[[], None]]] = {}
        self._host: Host | None = None
        self.happened = Happened(store, self.backend)
        self._paused = False
        self._due = asyncio.Event()

    def backend(self, engine: str) -> Backend | None:
        return self._backends.get(engine)

    def start(self) -> None:
        """Open every engine in the background; the screen fills as they answer."""
        from backends.registry import kinds_at

        for host in hosts_of(self._options):
            backend = self._open(host)
            self._backends[backend.engine] = backend
            self._store.add_engine(
                backend.engine, backend.url, kinds_at(backend.url), read_only=host.read_only or self._options.read_only
            )
            watcher = Watcher(backend, self._deliver)
            self._watchers[backend.engine] = watcher
            self._spawn(watcher.run(), f"watch {backend.engine}")
        self._host = self._host_source()
        self._spawn(self._sample(), "sample")

    def _open(self, host: HostOption) -> Backend:
        from backends.registry import open_backend

        return open_backend(host.url, self._options.engines, self._backends, name=host.name, clock=self._clock)

    def refresh_engine(self, engine: str) -> None:
        if engine in self._watchers:
            self._watchers[engine].refresh()

    def refresh(self) -> None:
        for watcher in self._watchers.values():
            watcher.refresh()

    def pause(self) -> None:
        """Ask the engines nothing until `resume`, as while the screen is lent out."""
        self._paused = True
        for watcher in self._watchers.values():
            watcher.pause()

    def resume(self) -> None:
        """End a pause: everything is listed and sampled afresh."""
        self._paused = False
        for watcher in self._watchers.values():
            watcher.resume()
        self._due.set()

    async def close(self) -> None:
        """End every task, stream and child process; never raises."""
        tasks = [*self._tasks, *self._asked.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(backend.close() for backend in self._backends.values()), return_exceptions=True)
        self._tasks.clear()
        self._asked.clear()
        self._watchers.clear()
        self._backends.clear()

    def _host_source(self) -> Host:
        if self._options.demo:
            from backends.demo.host import DemoHost

            return DemoHost(self._clock)
        from backends.host import HostSampler

        return HostSampler()

    def _deliver(self, update: Update) -> None:
        self._take(lambda: self.happened.observe(update))
        self._take(lambda: self._store.apply(update))

    def _take(self, news: Callable[[], object]) -> None:
        """A fault in taking news in must not end the loop that brings it: the next listing mends what it missed."""
        try:
            news()
        except Exception:
            log.exception("news could not be taken in")

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(_say_what_ended_it)
        self._tasks.append(task)

    async def _sample(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if not self._paused:
                await self.sample()
            due = max(due + self._options.interval, loop.time() + self._options.interval / 4)
            self._due.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(due - loop.time()):
                    await self._due.wait()

    async def sample(self) -> None:
        """Ask the host and every engine at once, and draw what came in time as one change of the screen.

        A slow engine's answer is taken at the next tick; it is not asked again before.
        """
        if self._host and "" not in self._asked:
            self._asked[""] = asyncio.create_task(self._sample_host(self._host))
        shown = frozenset(self._shown())
        for engine in self._store.engines.values():
            if engine.connected and engine.listed and engine.key not in self._asked:
                refs = self._wanted(engine, shown)
                if refs:
                    self._asked[engine.key] = asyncio.create_task(self._usage_of(engine.key, refs, shown))
        if self._asked:
            await asyncio.wait(self._asked.values(), timeout=_IN_TIME)
        for key, task in list(self._asked.items()):
            if task.done():
                del self._asked[key]
                self._take(task.result())

    async def _sample_host(self, host: Host) -> Callable[[], None]:
        try:
            usage = await host.sample()
        except Exception:  # a broken sensor must not end the sampling of engines
            log.exception("the host's figures")
            return _nothing
        return lambda: self._store.apply_host(usage)

    async def _usage_of(self, engine: str, refs: list[Ref], shown: Set[Ref]) -> Callable[[], None]:
        backend = self._backends.get(engine)
        if backend is None:
            return _nothing
        try:
            backend.on_screen(shown)
            figures = await backend.usage(refs)
        except (EngineError, ActionError):  # the watcher finds out and says so
            return _nothing
        except Exception:
            log.exception("the usage of %s", engine)
            return _nothing
        return lambda: self._store.apply_usage(figures)

    def _wanted(self, engine: Engine, shown: Set[Ref]) -> list[Ref]:
        """What runs there; where each answer costs the engine a request, only what is on screen."""
        refs = self._live_of(engine.key)
        if engine.info and not engine.info.usage_of_all:
            return [ref for ref in refs if ref in shown]
        return refs

    def _live_of(self, engine: str) -> list[Ref]:
        return [
            ref
            for kind in (Kind.CONTAINER, Kind.VM)
            for ref, item in self._store.items[kind].items()
            if ref.engine == engine and isinstance(item, (Container, VM)) and item.state in _LIVE
        ]


def _say_what_ended_it(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("%s ended: %r", task.get_name(), error, exc_info=error)


def _nothing() -> None:
    """Stands for an answer that did not come."""
