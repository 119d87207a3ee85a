"""Runs actions: at most four at once, each with its own result, each in the journal."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backends.base import ActionError, Backend, EngineError
from backends.model import VM, Action, ActionOptions, Item, Kind, Ref, State
from backends.secrets import mask_text
from backends.text import clean
from tui import journal
from tui.bulk import Batch, Bulk
from tui.selection import name_of, word_of
from tui.store import Failure, Store

log = logging.getLogger(__name__)

AT_ONCE = 4
SHUTDOWN_PATIENCE = 60.0
"""Seconds after which a VM that ignores its power button is reported, with the way to power it off."""


_LAST_MOMENT = 0.3


def overtakes(action: Action, under_way: Action) -> bool:
    """Whether an action may begin while another on the same object has not ended: a kill must wait for none of these.

    A start is among them: of a VM that does not get anywhere it may hang for minutes.
    """
    return action is Action.KILL and under_way in {
        Action.START,
        Action.STOP,
        Action.RESTART,
        Action.PAUSE,
        Action.SAVE,
    }


@dataclass(slots=True, eq=False)
class _Work:
    action: Action
    item: Item
    began: float
    options: ActionOptions
    batch: Batch | None = None

    def entry(self, result: str) -> journal.Entry:
        ref = self.item.ref
        return journal.Entry(
            self.began,
            ref.engine,
            str(ref.kind),
            name_of(self.item),
            ref.id,
            str(self.action),
            result,
            round(time.time() - self.began, 3),
        )


class Runner:
    """Performs actions against the engines and keeps the store's pending and failed ones true.

    `report(item, action, reason)` is called for each failure; `remind(item)` for a VM that did not shut down;
    `noted()` after each new line in the journal.
    """

    def __init__(
        self,
        store: Store,
        backend_of: Callable[[str], Backend | None],
        report: Callable[[Item, Action, str], None],
        remind: Callable[[Item, float], None],
        journal_file: Path,
        *,
        noted: Callable[[], None] = lambda: None,
        bulk: Bulk | None = None,
        shutdown_patience: float = SHUTDOWN_PATIENCE,
    ) -> None:
        self._store = store
        self._backend_of = backend_of
        self._report = report
        self._remind = remind
        self._journal_file = journal_file
        self._noted = noted
        self._bulk = bulk or Bulk(lambda _: None)
        self._patience = shutdown_patience
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._under_way: dict[Ref, _Work] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start_all(self, action: Action, agreed: Sequence[tuple[Item, ActionOptions]], left_out: str = "") -> None:
        """Start it on each object, and have it told how far they are when there are several."""
        words = {word_of(action, item.ref.kind) for item, _ in agreed}
        batch = self._bulk.begin(words.pop() if len(words) == 1 else str(action), len(agreed), left_out)
        for item, options in agreed:
            self.start(action, item, options, batch)

    def start(self, action: Action, item: Item, options: ActionOptions, batch: Batch | None = None) -> None:
        """Show the transition at once and do the work in the background; one action at a time for each object.

        A kill takes the place of a stop or restart under way: whoever presses it waits for nothing else.
        """
        before = self._under_way.get(item.ref)
        if before is not None and not overtakes(action, before.action):
            reason = f"{word_of(before.action, item.ref.kind)} is still under way"
            self._report(item, action, reason)
            if batch is not None:
                batch.ended(name_of(item), reason)
            return
        work = _Work(action, item, time.time(), options, batch)
        self._under_way[item.ref] = work
        self._store.set_pending(item.ref, action)
        self._spawn(self._run(work), f"{action} {item.ref.id}")

    @property
    def under_way(self) -> list[tuple[Action, Item]]:
        """What was begun and has not ended."""
        return [(work.action, work.item) for work in self._under_way.values()]

    @property
    def idle(self) -> bool:
        return not self._tasks

    async def close(self) -> None:
        """Let go of what is under way: the engine goes on with what it was asked, the journal says so."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_LAST_MOMENT)
        interrupted = list(self._under_way.values())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for work in interrupted:
            with suppress(OSError):
                journal.append(self._journal_file, work.entry("not known: boxtop was quit before the answer"))

    async def _run(self, work: _Work) -> None:
        if work.action is Action.KILL:
            reason = await self._perform(work)
        else:
            async with self._slots:
                reason = await self._perform(work)
        if work.batch is not None:
            work.batch.ended(name_of(work.item), reason)
        self._spawn(self._note(work.entry(reason or "done")), "journal")
        if reason is None and work.action is Action.STOP and work.item.ref.kind is Kind.VM:
            await self._await_shutdown(work)
        if not self._is_current(work):
            return
        del self._under_way[work.item.ref]
        failure = Failure(work.item.ref, name_of(work.item), work.action, reason, work.options) if reason else None
        self._store.clear_pending(work.item.ref, failure)
        if reason:
            self._report(work.item, work.action, reason)

    async def _perform(self, work: _Work) -> str | None:
        """The reason of a failure, or None."""
        ref = work.item.ref
        backend = self._backend_of(ref.engine)
        if backend is None:
            return f"{ref.engine} is not connected any more"
        if not self._is_current(work):
            return "a kill took its place before it began"
        try:
            await backend.perform(work.action, ref, work.options)
        except ActionError as error:
            return mask_text(str(error))
        except EngineError as error:
            return mask_text(f"{error.reason}; whether it was done is not known")
        except Exception as error:
            log.exception("%s of %s", work.action, ref)
            return mask_text(clean(f"{type(error).__name__}: {error}", 300))
        try:
            # what the engine says now comes before the transition's end, or the old state would flash up
            self._store.apply(await backend.list_some([ref]))
        except Exception:  # the action is done all the same; its watcher finds out what is
            log.warning("no listing after %s of %s", work.action, ref, exc_info=True)
        return None

    def _is_current(self, work: _Work) -> bool:
        return self._under_way.get(work.item.ref) is work

    async def _await_shutdown(self, work: _Work) -> None:
        asked = time.monotonic()
        while time.monotonic() - asked < self._patience:
            if not self._is_current(work) or not self._runs(work.item.ref):
                return
            await asyncio.sleep(0.25)
        if self._is_current(work) and self._runs(work.item.ref):
            self._remind(work.item, self._patience)

    def _runs(self, ref: Ref) -> bool:
        now = self._store.get(ref)
        return isinstance(now, VM) and now.state in {State.RUNNING, State.STOPPING}

    async def _note(self, entry: journal.Entry) -> None:
        try:
            await asyncio.to_thread(journal.append, self._journal_file, entry)
        except OSError as error:
            log.error("the journal cannot be written: %s", error)
        self._noted()

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
