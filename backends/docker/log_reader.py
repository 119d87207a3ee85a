"""Reads one container's log in a thread; where the engine falls behind, it goes on at the end of the log."""

from __future__ import annotations

import contextlib
import email.utils
import threading
import time
from array import array

from backends.abilities.logs import LogBatch, LogPosition
from backends.base import ActionError, EngineError
from backends.docker.client import Connection
from backends.docker.errors import engine_error
from backends.docker.log_inbox import LogInbox
from backends.docker.log_lines import SECOND, LogLines, log_query
from backends.docker.streams import Exchange

_RESUME_TAIL = 10_000
"""Lines an engine looks through from the end when a stream is gone on with: a whole file may be gigabytes."""
_BEHIND_EXACT, _BEHIND = 0.8, 3.0
"""Seconds the engine may hand lines over late before those in between are skipped; another machine's clock, and the
times Podman 4 tells, are known only to a second."""
_FLOOD, _GATHER = 1000, 100
"""From so many lines a second on, so many are gathered for each read: engines write them one by one."""
_LONGEST_PAUSE = 0.02


class LogReader:
    """Started once; tells the inbox when it has ended."""

    def __init__(self, connection: Connection, container: str, inbox: LogInbox, *, framed: bool) -> None:
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
            query = log_query(tail, since=floor, follow=follow)
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
        return time.time() + self._ahead - stamp / SECOND > (_BEHIND_EXACT if exact else _BEHIND)


def _known(stamps: array[int], floor: int, overlap: int) -> tuple[int, int]:
    """How many lines at the head are not wanted: those before `floor`, and `overlap` of just that time, less these."""
    at = 0
    for stamp in stamps:
        if stamp > floor or (stamp == floor and not overlap):
            break
        overlap -= stamp == floor
        at += 1
    return at, overlap
