"""Runs actions: at most four at once, each with its own result, each in the journal."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from backends.base import ActionError, Backend, EngineError
from backends.model import VM, Action, ActionOptions, Item, Kind, Ref, State
from backends.text import clean
from tui import journal
from tui.selection import name_of
from tui.store import Failure, Store

log = logging.getLogger(__name__)

AT_ONCE = 4
SHUTDOWN_PATIENCE = 60.0
"""Seconds after which a VM that ignores its power button is reported, with the way to power it off."""


class Runner:
    """Performs actions against the engines and keeps the store's pending and failed ones true.

    `report(item, action, reason)` is called for each failure; `remind(item)` for a VM that did not shut down.
    """

    def __init__(
        self,
        store: Store,
        backend_of: Callable[[str], Backend | None],
        report: Callable[[Item, Action, str], None],
        remind: Callable[[Item, float], None],
        journal_file: Path,
        *,
        shutdown_patience: float = SHUTDOWN_PATIENCE,
    ) -> None:
        self._store = store
        self._backend_of = backend_of
        self._report = report
        self._remind = remind
        self._journal_file = journal_file
        self._patience = shutdown_patience
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, action: Action, item: Item, options: ActionOptions) -> None:
        """Show the transition at once and do the work in the background; one action at a time for each object."""
        if item.ref in self._store.pending:
            self._report(item, action, f"{self._store.pending[item.ref]} is still under way")
            return
        self._store.set_pending(item.ref, action)
        task = asyncio.create_task(self._run(action, item, options), name=f"{action} {item.ref.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @property
    def busy(self) -> int:
        return len(self._tasks)

    async def close(self) -> None:
        """Give requests under way a moment to reach the engine, then let go."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=0.5)
        for task in self._tasks:
            task.cancel()

    async def _run(self, action: Action, item: Item, options: ActionOptions) -> None:
        async with self._slots:
            started = time.time()
            reason = await self._perform(action, item, options)
        self._note(action, item, reason or "done", started)
        if reason is None and action is Action.STOP and item.ref.kind is Kind.VM:
            await self._await_shutdown(item)
        failure = Failure(item.ref, name_of(item), action, reason) if reason else None
        self._store.clear_pending(item.ref, failure)
        if reason:
            self._report(item, action, reason)

    async def _perform(self, action: Action, item: Item, options: ActionOptions) -> str | None:
        """The reason of a failure, or None."""
        backend = self._backend_of(item.ref.engine)
        if backend is None:
            return f"{item.ref.engine} is not connected any more"
        try:
            await backend.perform(action, item.ref, options)
            # what the engine says now comes before the transition's end, or the old state would flash up
            self._store.apply(await backend.list_some([item.ref]))
        except ActionError as error:
            return str(error)
        except EngineError as error:
            return f"{error.reason}. {error.remedy}".rstrip(". ") if error.remedy else error.reason
        except Exception as error:
            log.exception("%s of %s", action, item.ref)
            return clean(f"{type(error).__name__}: {error}", 300)
        return None

    async def _await_shutdown(self, item: Item) -> None:
        asked = time.monotonic()
        while time.monotonic() - asked < self._patience:
            if not self._runs(item.ref):
                return
            await asyncio.sleep(0.25)
        if self._runs(item.ref):
            self._remind(item, self._patience)

    def _runs(self, ref: Ref) -> bool:
        now = self._store.get(ref)
        return isinstance(now, VM) and now.state in {State.RUNNING, State.STOPPING}

    def _note(self, action: Action, item: Item, result: str, started: float) -> None:
        entry = journal.Entry(
            started,
            item.ref.engine,
            str(item.ref.kind),
            name_of(item),
            item.ref.id,
            str(action),
            result,
            round(time.time() - started, 3),
        )

        async def write() -> None:
            try:
                await asyncio.to_thread(journal.append, self._journal_file, entry)
            except OSError as error:
                log.error("the journal cannot be written: %s", error)

        task = asyncio.create_task(write())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
