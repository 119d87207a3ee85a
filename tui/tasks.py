"""Long work in the background (pulls, builds, copies): its progress, its output, its end, its journal line."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from backends.base import ActionError, EngineError
from backends.model import Ref
from backends.progress import Progress, Report
from backends.secrets import mask_text
from backends.text import clean
from tui import journal

log = logging.getLogger(__name__)

AT_ONCE = 4
KEPT = 100
"""So many ended tasks are remembered."""
WHOLE = 10
"""So many of them with all their output, which may be 20 MB each; the others with its end."""
_LINES = 5000
_END_LINES = 200
_LONGEST_LINE = 4096
_LAST_MOMENT = 10.0
"""Seconds what is under way has to take back what it began, when boxtop is told to end."""
HURRIED = 0.5
"""Seconds it has when the user has waited for that, and will not wait any more."""

Work = Callable[[Report], Awaitable[str]]
"""Does it and returns its result in one line. Being cancelled it stops, and leaves nothing half made behind."""


class TaskState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(slots=True, eq=False)
class Task:
    """One long work. Times are Unix times. It is itself the Report its work is given."""

    id: int
    verb: str
    """What is done: `pull`, `build`."""
    target: str
    """To what: an image's name, a path."""
    engine: str
    work: Work
    told: Callable[[], None]
    clock: Callable[[], float] = time.time
    ref: Ref | None = None
    asked: bool = False
    """The user was asked before it began, and is asked again before it is done once more."""
    state: TaskState = TaskState.WAITING
    began: float = 0.0
    ended: float | None = None
    at: Progress = field(default_factory=Progress)
    result: str = ""
    """The result, or the reason of a failure, in one line."""
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=_LINES))
    dropped: int = 0
    """Lines of output that are no longer kept."""
    running: asyncio.Task[None] | None = None
    cancelled_at: int | None = None
    """So many lines it had said when it was cancelled."""

    @property
    def open(self) -> bool:
        return self.state in {TaskState.WAITING, TaskState.RUNNING}

    @property
    def title(self) -> str:
        return f"{self.verb} {self.target}"

    @property
    def share(self) -> float | None:
        """How much of it is done, 0 to 1; None where the end is not known."""
        if self.state is TaskState.DONE:
            return 1.0
        done, total = self.at.done, self.at.total
        return min(1.0, max(0.0, done / total)) if done is not None and total else None

    def took(self, now: float) -> float:
        """Seconds since it began, or from then to its end."""
        return max(0.0, (now if self.ended is None else self.ended) - self.began)

    def progress(self, progress: Progress) -> None:
        if self.open and progress != self.at:
            self.at = progress
            self.told()

    def line(self, text: str) -> None:
        if len(self.lines) == self.lines.maxlen:
            self.dropped += 1
        self.lines.append(text[:_LONGEST_LINE])
        self.told()

    @property
    def parting_words(self) -> str:
        """What it said last of those it was cancelled for: what was undone, and what is left."""
        if self.cancelled_at is None or self.dropped + len(self.lines) <= self.cancelled_at:
            return "cancelled"
        return clean(f"cancelled; {self.lines[-1]}", 500)

    def shorten(self) -> None:
        """Keep no more than the end of its output."""
        while len(self.lines) > _END_LINES:
            self.lines.popleft()
            self.dropped += 1


class Tasks:
    """All long work of this run. Listeners are called on the event loop."""

    def __init__(
        self, journal_file: Path, *, noted: Callable[[], None], clock: Callable[[], float] = time.time
    ) -> None:
        self.all: list[Task] = []
        """Newest last."""
        self._journal_file = journal_file
        self._noted = noted
        self._clock = clock
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._listeners: list[Callable[[], None]] = []
        self._ended: list[Callable[[Task], None]] = []
        self._number = 0
        self.patience = _LAST_MOMENT

    def listen(self, changed: Callable[[], None]) -> None:
        self._listeners.append(changed)

    def listen_ends(self, ended: Callable[[Task], None]) -> None:
        self._ended.append(ended)

    def named(self, number: object) -> Task | None:
        """The task of this id."""
        return next((task for task in self.all if task.id == number), None)

    @property
    def under_way(self) -> list[Task]:
        return [task for task in self.all if task.open]

    def start(
        self, verb: str, target: str, engine: str, work: Work, *, ref: Ref | None = None, asked: bool = False
    ) -> Task:
        """Do it in the background, when fewer than AT_ONCE are at work. `asked`: as in Task."""
        self._number += 1
        # It may be a path of this machine, whose name anybody may have chosen
        target = clean(target)
        task = Task(self._number, verb, target, engine, work, self._tell, self._clock, ref, asked, began=self._clock())
        self.all.append(task)
        closed = [old for old in self.all if not old.open]
        for old in closed[: max(0, len(closed) - KEPT)]:
            self.all.remove(old)
        for old in closed[:-WHOLE]:
            old.shorten()
        task.running = asyncio.create_task(self._run(task), name=task.title)
        self._tell()
        return task

    def retry(self, task: Task) -> Task:
        """The same once more; a task of its own."""
        return self.start(task.verb, task.target, task.engine, task.work, ref=task.ref, asked=task.asked)

    def cancel(self, task: Task) -> None:
        """Once: a second time would end its undoing."""
        if task.open and task.running is not None and task.cancelled_at is None:
            task.cancelled_at = task.dropped + len(task.lines)
            task.running.cancel()

    def forget(self, task: Task) -> None:
        """Remember one that has ended no longer."""
        if not task.open and task in self.all:
            self.all.remove(task)
            self._tell()

    def forget_ended(self) -> None:
        self.all = self.under_way
        self._tell()

    async def close(self) -> None:
        """Cancel what is under way, and wait a while until what it began is undone."""
        under_way = self.under_way
        running = [task.running for task in under_way if task.running is not None]
        for task in under_way:
            self.cancel(task)
        if running:
            await asyncio.wait(running, timeout=self.patience)

    async def _run(self, task: Task) -> None:
        state, result = TaskState.CANCELLED, "cancelled"
        try:
            async with self._slots:
                task.state, task.began = TaskState.RUNNING, self._clock()
                self._tell()
                result = clean(await task.work(task))
                state = TaskState.DONE
        except asyncio.CancelledError:
            result = mask_text(task.parting_words)
            raise
        except ActionError as error:
            state, result = TaskState.FAILED, mask_text(clean(str(error)))
        except EngineError as error:
            state, result = TaskState.FAILED, mask_text(f"{error.reason}{': ' if error.remedy else ''}{error.remedy}")
        except Exception as error:
            log.exception("%s", task.title)
            state, result = TaskState.FAILED, mask_text(clean(f"{type(error).__name__}: {error}", 300))
        finally:
            task.state, task.result, task.ended = state, result, self._clock()
            self._write(task)
            self._tell()
            for ended in self._ended:
                try:
                    ended(task)
                except Exception:  # whoever is told must not end the work of others
                    log.exception("told of the end of %s", task.title)

    def _write(self, task: Task) -> None:
        kind = str(task.ref.kind) if task.ref else ""
        identity = task.ref.id if task.ref else ""
        seconds = round((task.ended or task.began) - task.began, 3)
        said = "done" if task.state is TaskState.DONE else task.result
        entry = journal.Entry(task.began, task.engine, kind, task.target, identity, task.verb, said, seconds)
        with suppress(RuntimeError):  # no thread can be had any more: the program ends
            writing = asyncio.get_running_loop().run_in_executor(None, journal.append, self._journal_file, entry)
            writing.add_done_callback(self._written)

    def _written(self, writing: asyncio.Future[None]) -> None:
        if not writing.cancelled() and (error := writing.exception()):
            log.error("the journal cannot be written: %s", error)
        self._noted()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
