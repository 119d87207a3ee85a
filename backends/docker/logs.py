"""Containers' logs over the Docker API: one reader thread a stream, its lines handed to the loop in bounded batches.

Docker Engine API 1.41 `GET /containers/{id}/logs`, which Podman serves too. Engines 20.10 and newer keep a readable
copy for most log drivers; `none` and some others cannot be read.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import threading
import time
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from backends.abilities.logs import LogBatch, LogPosition, Logs
from backends.base import ActionError, EngineError
from backends.docker.client import Connection
from backends.docker.errors import engine_error, status
from backends.docker.log_lines import LogLines
from backends.docker.streams import Exchange
from backends.model import Ref
from backends.text import clean
from backends.threads import in_thread

if TYPE_CHECKING:
    from backends.docker.backend import DockerBackend

_SECOND = 1_000_000_000
_MOST_LINES, _MOST_BYTES = 30_000, 4_000_000
"""So much waits for the loop at most: then the oldest is dropped and counted."""
_RESUME_TAIL = 10_000
"""Lines an engine looks through from the end when a stream is gone on with: a whole file may be gigabytes."""
_BEHIND_EXACT, _BEHIND = 0.8, 3.0
"""Seconds the engine may hand lines over late before those in between are skipped; another machine's clock, and the
times Podman 4 tells, are known only to a second."""
_FLOOD, _GATHER = 1000, 100
"""From so many lines a second on, so many are gathered for each read: engines write them one by one."""
_LONGEST_PAUSE = 0.02
_END = 2.0
_SILENCE = 60.0
_MOST_SEARCHED = 4_000_000


class DockerLogs(Logs):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    async def follow(
        self, ref: Ref, *, tail: int = 1000, since: int = 0, after: LogPosition | None = None
    ) -> AsyncIterator[LogBatch]:
        connection = self._backend.connected()
        framed, driver = await self._backend.ask(partial(_format_of, container=ref.id))
        inbox = _Inbox(asyncio.get_running_loop())
        reader = _Reader(connection, ref.id, inbox, framed=framed)
        reader.start(tail, since, after, f"{self._backend.engine}-logs")
        try:
            while (batch := await inbox.take()) is not None:
                yield batch
        except ActionError as error:
            raise _unreadable(error, driver) from error
        finally:
            reader.close()
            await inbox.ended(_END)

    async def before(self, ref: Ref, oldest: LogPosition, count: int, *, newer: int = 0, since: int = 0) -> LogBatch:
        connection = self._backend.connected()
        framed, driver = await self._backend.ask(partial(_format_of, container=ref.id))
        search = _Search(connection, ref.id, framed=framed)
        try:
            return await in_thread(
                lambda: search.run(oldest, count, newer, since), search.close, f"{self._backend.engine}-older-logs"
            )
        except ActionError as error:
            raise _unreadable(error, driver) from error


class _Inbox:
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
            while len(self._batches) > 1 and (self._lines > _MOST_LINES or self._bytes > _MOST_BYTES):
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


class _Reader:
    """Reads one container's stream in a thread; where the engine falls behind, it goes on at the end of the log."""

    def __init__(self, connection: Connection, container: str, inbox: _Inbox, *, framed: bool) -> None:
        self._connection = connection
        self._container = container
        self._framed = framed
        self._inbox = inbox
        self._lock = threading.Lock()
        self._closed = False
        self._exchange: Exchange | None = None
        self._newest = self._seen = 0
        self._ahead = 0.0
        """Seconds the engine's clock is ahead of ours."""

    def start(self, tail: int, since: int, after: LogPosition | None, name: str) -> None:
        if after is not None:
            self._newest, self._seen = after.stamp, after.seen
        threading.Thread(target=self._run, args=(tail, since), name=name, daemon=True).start()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._exchange is not None:
                self._exchange.close()

    def _run(self, tail: int, since: int) -> None:
        error: Exception | None = None
        try:
            behind = self._read(_RESUME_TAIL if self._newest else tail, since)
            while behind:
                # What was asked for first comes after all when one scrolls up
                behind = self._read(tail or 1, since)
            # A follower may miss what a container wrote last: its log is closed under it
            self._read(_RESUME_TAIL if self._newest else tail, since, follow=False)
        except (ActionError, EngineError) as failure:
            error = failure
        except Exception as failure:
            error = engine_error(failure, self._connection.endpoint)
        self._inbox.end(error)

    def _read(self, tail: int, since: int, *, follow: bool = True) -> bool:
        """One request, to its end: True when it is to be asked anew, as the engine is far behind."""
        resumed, overlap = self._newest, self._seen
        # Podman takes the time in whole seconds only: what comes from before it is left out here
        floor = max(since, resumed)
        heading, received, mark = bool(floor), 0, time.perf_counter()
        exchange = Exchange(self._connection, chunked=False)
        with self._lock:
            if self._closed:
                return False
            self._exchange = exchange
        try:
            query = _query(tail, since=floor, follow=follow)
            response = exchange.request("GET", f"/containers/{self._container}/logs", query)
            self._note_clock(response.headers.get("Date"))
            lines = LogLines(framed=self._framed)
            for data in exchange.chunks():
                lines.feed(data)
                texts, stamps, errors = lines.take()
                # The line it goes on from heads the answer, unless it is gone or too far back
                gap = bool(resumed and stamps and not received and stamps[0] > resumed)
                received += len(texts)
                now = time.perf_counter()
                rate, mark = len(texts) / max(now - mark, 1e-6), now
                if heading:
                    known, overlap = _known(stamps, floor, overlap)
                    texts, stamps, errors = texts[known:], stamps[known:], errors[known:]
                    heading = not texts
                if texts:
                    self._put(texts, stamps, errors, gap=gap)
                    if follow and received > tail and self._behind(stamps[-1]):
                        return True
                if rate > _FLOOD:
                    time.sleep(min(_LONGEST_PAUSE, _GATHER / rate))
            lines.finish()
            texts, stamps, errors = lines.take()
            known, _ = _known(stamps, floor, overlap) if heading else (0, 0)
            if texts[known:]:
                self._put(texts[known:], stamps[known:], errors[known:], gap=False)
            return False
        finally:
            exchange.finish()

    def _put(self, texts: list[bytes], stamps: array[int], errors: bytes, *, gap: bool) -> None:
        newest = max(stamps)
        if newest > self._newest:
            self._newest, self._seen = newest, 0
        if newest == self._newest:
            self._seen += stamps.count(newest)
        self._inbox.put(LogBatch(texts, stamps, errors, 0, gap, LogPosition(self._newest, self._seen)))

    def _note_clock(self, date: str | None) -> None:
        if self._connection.may_be_local or not date:
            return
        with contextlib.suppress(ValueError):
            self._ahead = email.utils.parsedate_to_datetime(date).timestamp() - time.time()

    def _behind(self, stamp: int) -> bool:
        exact = self._connection.may_be_local and not self._connection.podman
        return time.time() + self._ahead - stamp / _SECOND > (_BEHIND_EXACT if exact else _BEHIND)


def _known(stamps: array[int], floor: int, overlap: int) -> tuple[int, int]:
    """How many lines at the head are not wanted: those before `floor`, and `overlap` of just that time, less these."""
    at = 0
    for stamp in stamps:
        if stamp > floor or (stamp == floor and not overlap):
            break
        overlap -= stamp == floor
        at += 1
    return at, overlap


class _Search:
    """Looks for the lines before a moment. An engine counts its tail from the end of the log, whatever `until` says."""

    def __init__(self, connection: Connection, container: str, *, framed: bool) -> None:
        self._connection = connection
        self._container = container
        self._framed = framed
        self._lock = threading.Lock()
        self._closed = False
        self._exchange: Exchange | None = None

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._exchange is not None:
                self._exchange.close()

    def run(self, oldest: LogPosition, count: int, newer: int, since: int) -> LogBatch:
        """Blocks. The tail is asked longer until it holds enough, or no more than the time before."""
        tail, found = newer + count, -1
        while True:
            texts, stamps, errors = self._ask(tail, oldest, since, count)
            enough = len(texts) >= count or (found == len(texts) > 0) or tail >= _MOST_SEARCHED
            if enough:
                return LogBatch(texts, stamps, errors)
            found, tail = len(texts), tail * 2 if texts else tail * 8

    def _ask(self, tail: int, oldest: LogPosition, since: int, count: int) -> tuple[list[bytes], array[int], bytes]:
        exchange = Exchange(self._connection, chunked=False)
        with self._lock:
            if self._closed:
                raise ActionError("cancelled")
            self._exchange = exchange
        texts: list[bytes] = []
        stamps: array[int] = array("q")
        errors = b""
        lines = LogLines(framed=self._framed)
        most = count + oldest.seen

        def keep() -> None:
            nonlocal texts, stamps, errors
            more = lines.take()
            first, last = bisect_left(more[1], since), bisect_right(more[1], oldest.stamp)
            texts = (texts + more[0][first:last])[-most:]
            stamps = (stamps + more[1][first:last])[-most:]
            errors = (errors + more[2][first:last])[-most:]

        try:
            # Podman takes whole seconds: what comes too much is left out here
            until = oldest.stamp + (_SECOND if self._connection.podman else 0)
            query = _query(tail, since=since, until=until, follow=False)
            exchange.request("GET", f"/containers/{self._container}/logs", query, silence=_SILENCE)
            for data in exchange.chunks():
                lines.feed(data)
                if len(lines.texts) >= most:
                    keep()
            lines.finish()
            keep()
            end = len(texts) - min(oldest.seen, stamps.count(oldest.stamp))
            return texts[:end][-count:], stamps[:end][-count:], errors[:end][-count:]
        finally:
            exchange.finish()


def _query(tail: int, *, since: int = 0, until: int = 0, follow: bool) -> Mapping[str, str]:
    query = {"stdout": "1", "stderr": "1", "timestamps": "1", "tail": str(tail)}
    if follow:
        query["follow"] = "1"
    for name, moment in (("since", since), ("until", until)):
        if moment:
            query[name] = f"{moment // _SECOND}.{moment % _SECOND:09d}"
    return query


def _format_of(connection: Connection, container: str) -> tuple[bool, str]:
    """Whether its log comes in frames, and its driver's name."""
    try:
        answer: dict[str, Any] = connection.asking.inspect_container(container)
    except Exception as error:
        if status(error) == 404:
            raise ActionError("the container is gone") from error
        raise
    log = (answer.get("HostConfig") or {}).get("LogConfig") or {}
    driver = clean(str(log.get("Type") or ""), 64)
    if driver == "none":
        raise ActionError("its log driver is 'none': the engine keeps nothing of what it writes")
    return not (answer.get("Config") or {}).get("Tty"), driver


def _unreadable(error: ActionError, driver: str) -> ActionError:
    if "does not support reading" in str(error):
        return ActionError(f"its log driver {driver!r} sends lines elsewhere: this engine cannot read them back")
    return error
