"""Blocking work off the event loop that can be ended, and its news brought back to the loop."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from backends.progress import Progress, Report

_T = TypeVar("_T")
_END = 2.0
_EACH = 0.1
_MOST_LINES = 2000


async def in_thread(work: Callable[[], _T], end: Callable[[], None], name: str) -> _T:
    """The result of blocking work in a daemon thread of its own, for work that may take hours.

    When the caller is cancelled `end` is called, which must make the work return soon; it is waited for two seconds.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[_T] = loop.create_future()

    def settle(value: _T | None, error: BaseException | None) -> None:
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
        else:
            result.set_result(value)  # type: ignore[arg-type]

    def run() -> None:
        value: _T | None = None
        error: BaseException | None = None
        try:
            value = work()
        except Exception as failure:
            error = failure
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, value, error)

    threading.Thread(target=run, name=name, daemon=True).start()
    try:
        return await asyncio.shield(result)
    except asyncio.CancelledError:
        end()
        # however late it fails, nobody wants to know any more
        result.add_done_callback(lambda late: late.exception())
        await asyncio.wait({result}, timeout=_END)
        raise


async def whole(work: Coroutine[Any, Any, _T]) -> _T:
    """The work's result; when the caller is cancelled meanwhile the work is waited for first."""
    task = asyncio.ensure_future(work)
    cancelled = await settled(task)
    if cancelled and not (task.done() and not task.cancelled() and task.exception()):
        raise asyncio.CancelledError
    return task.result()


async def settled(task: asyncio.Future[Any]) -> bool:
    """Wait for its end whatever happens to the caller; whether the caller was cancelled meanwhile."""
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    return cancelled


class ThreadReport:
    """A Report for a thread: hands what it is told to the real one on the loop, some ten times a second at most.

    Made on the loop, used by one thread; `flush` at the end brings what is left.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._loop = asyncio.get_running_loop()
        # What is told starts timers of the screen, which are found through context variables; a thread has none
        self._context = contextvars.copy_context()
        self._lock = threading.Lock()
        self._progress: Progress | None = None
        self._lines: list[str] = []
        self._sent = 0.0

    def progress(self, progress: Progress) -> None:
        with self._lock:
            self._progress = progress
        self._send()

    def line(self, text: str) -> None:
        with self._lock:
            self._lines.append(text)
            if len(self._lines) > _MOST_LINES:
                del self._lines[: _MOST_LINES // 2]
        self._send()

    def flush(self) -> None:
        self._sent = 0.0
        self._send()

    def _send(self) -> None:
        now = time.monotonic()
        if now - self._sent >= _EACH:
            self._sent = now
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._deliver, context=self._context)

    def _deliver(self) -> None:
        with self._lock:
            progress, self._progress = self._progress, None
            lines, self._lines = self._lines, []
        for line in lines:
            self._report.line(line)
        if progress is not None:
            self._report.progress(progress)
