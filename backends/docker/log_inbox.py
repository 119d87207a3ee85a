"""Batches of log lines on their way from a reader's thread to the event loop: merged, and bounded."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from array import array

from backends.abilities.logs import LogBatch

MOST_LINES, MOST_BYTES = 30_000, 4_000_000
"""So much waits for the loop at most: then the oldest is dropped and counted."""


class LogInbox:
    """Batches from the reader thread to the loop, merged, bounded."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._batches: list[LogBatch] = []
        self._sizes: list[int] = []
        self._lines = self._bytes = self._dropped = 0
        self._gap = False
        self._over = False
        self._error: Exception | None = None
        self._ready = asyncio.Event()
        self._ended = asyncio.Event()

    def put(self, batch: LogBatch) -> None:
        size = sum(map(len, batch.texts))
        with self._lock:
            first = not self._batches
            self._batches.append(batch)
            self._sizes.append(size)
            self._lines += len(batch.texts)
            self._bytes += size
            while len(self._batches) > 1 and (self._lines > MOST_LINES or self._bytes > MOST_BYTES):
                old = self._batches.pop(0)
                self._bytes -= self._sizes.pop(0)
                self._lines -= len(old.texts)
                self._dropped += len(old.texts)
                self._gap = self._gap or old.gap
        if first:
            self._tell(self._ready)

    def end(self, error: Exception | None) -> None:
        with self._lock:
            self._over, self._error = True, error
        self._tell(self._ready)
        self._tell(self._ended)

    async def take(self) -> LogBatch | None:
        """All that came since the last time; None at the end. Raises what the stream ended with."""
        while True:
            await self._ready.wait()
            self._ready.clear()
            with self._lock:
                batches, self._batches = self._batches, []
                dropped, gap = self._dropped, self._gap
                self._sizes, self._lines, self._bytes = [], 0, 0
                self._dropped, self._gap = 0, False
                over, error = self._over, self._error
            if over:
                self._ready.set()
            if batches:
                return _joined(batches, dropped, gap=gap)
            if error is not None:
                raise error
            if over:
                return None

    async def ended(self, seconds: float) -> None:
        """Wait for the reader's end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()

    def _tell(self, event: asyncio.Event) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody reads
            self._loop.call_soon_threadsafe(event.set)


def _joined(batches: list[LogBatch], dropped: int, *, gap: bool) -> LogBatch:
    if len(batches) == 1 and not dropped and not gap:
        return batches[0]
    texts: list[bytes] = []
    stamps: array[int] = array("q")
    for batch in batches:
        texts += batch.texts
        stamps.extend(batch.stamps)
    return LogBatch(
        texts,
        stamps,
        b"".join(batch.errors for batch in batches),
        dropped,
        gap or any(batch.gap for batch in batches),
        batches[-1].position,
    )
