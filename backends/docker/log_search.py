"""Looks for the log lines before those known."""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left, bisect_right

from backends.abilities.logs import LogBatch, LogPosition
from backends.base import ActionError
from backends.docker.client import Connection
from backends.docker.log_lines import SECOND, LogLines, log_query
from backends.docker.streams import Exchange

_SILENCE = 60.0
_MOST_SEARCHED = 4_000_000


class LogSearch:
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
            until = oldest.stamp + (SECOND if self._connection.podman else 0)
            query = log_query(tail, since=since, until=until, follow=False)
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
