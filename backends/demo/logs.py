"""Logs of simulated containers: each line follows from its container's name and its number, so that any can be told."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backends.abilities.logs import LogBatch, LogPosition, Logs
from backends.base import ActionError
from backends.demo.curves import number
from backends.model import Container, Ref, State

if TYPE_CHECKING:
    from backends.demo.backend import DemoBackend

_LOOK = 0.4
"""Seconds between two looks whether the clock has come to another line."""
_LIVE = (State.RUNNING, State.PAUSED, State.RESTARTING, State.STOPPING)
_OLDEST = 3 * 86400.0
"""Seconds a log goes back at most."""
_SECOND = 1_000_000_000
_PATHS = ("/", "/products/1842", "/cart", "/api/v2/orders", "/api/v2/search?q=lamp", "/static/app.css", "/healthz")
_USERS = ("anna", "bela", "chen", "dora", "emil", "fatima")


class DemoLogs(Logs):
    def __init__(self, backend: DemoBackend) -> None:
        self._world = backend.world
        self._clock = backend.clock

    async def follow(
        self, ref: Ref, *, tail: int = 1000, since: int = 0, after: LogPosition | None = None
    ) -> AsyncIterator[LogBatch]:
        script = _Script(self._item(ref), self._world.options.seed)
        following = script.first_after(after.stamp) if after else None
        while True:
            item = self._item(ref)
            last = script.last(item.ended if item.ended is not None else self._clock())
            if following is None:
                following = max(script.first(item, self._clock()), last - tail + 1, script.first_after(since - 1))
            if last >= following:
                yield script.batch(following, last)
                following = last + 1
            if item.state not in _LIVE:
                return
            await asyncio.sleep(_LOOK)

    async def before(self, ref: Ref, oldest: LogPosition, count: int, *, newer: int = 0, since: int = 0) -> LogBatch:
        del newer
        item = self._item(ref)
        script = _Script(item, self._world.options.seed)
        last = script.first_after(oldest.stamp - 1) - 1
        first = max(script.first(item, self._clock()), last - count + 1, script.first_after(since - 1))
        return script.batch(first, last)

    def _item(self, ref: Ref) -> Container:
        item = self._world.items.get(ref)
        if not isinstance(item, Container):
            raise ActionError("the container is gone")
        return item


class _Script:
    """The lines of one container by their numbers; line `n` comes at about `n` times its interval."""

    def __init__(self, item: Container, seed: int) -> None:
        self._seed = f"{seed}/{item.name}"
        self._interval = 0.4 + number(self._seed, "interval") % 26 / 10
        self._tell = _teller(item)

    def first(self, item: Container, now: float) -> int:
        return int(max(item.created, now - _OLDEST) / self._interval) + 1

    def last(self, moment: float) -> int:
        return self.first_after(int(moment * _SECOND)) - 1

    def first_after(self, stamp: int) -> int:
        """The number of the first line later than this moment, Unix nanoseconds."""
        found = max(0, int(stamp / _SECOND / self._interval) - 1)
        while self._stamp(found) <= stamp:
            found += 1
        return found

    def batch(self, first: int, last: int) -> LogBatch:
        texts: list[bytes] = []
        stamps: array[int] = array("q")
        errors = bytearray()
        for at in range(first, last + 1):
            text, error = self._tell(_Line(at, number(self._seed, at), self._stamp(at) // _SECOND))
            texts.append(text.encode())
            stamps.append(self._stamp(at))
            errors.append(error)
        return LogBatch(texts, stamps, bytes(errors), position=LogPosition(stamps[-1] if stamps else 0, 1))

    def _stamp(self, at: int) -> int:
        late = number(self._seed, "late", at) % 1_000_000 / 1_250_000
        return int((at + late) * self._interval * _SECOND)


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    chance: int
    """Any figure, the same at every run."""
    moment: int
    """Unix time."""


_Teller = Callable[[_Line], tuple[str, bool]]


def _teller(item: Container) -> _Teller:
    for word, teller in _TELLERS.items():
        if word in item.image or word in item.command:
            return teller
    return _plain


def _access(line: _Line) -> tuple[str, bool]:
    when = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(line.moment))
    path = _PATHS[line.chance % len(_PATHS)]
    status = 502 if line.chance % 53 == 0 else 404 if line.chance % 29 == 0 else 200
    who = f"10.0.{line.chance % 7}.{line.chance % 251}"
    text = f'{who} - - [{when}] "GET {path} HTTP/1.1" {status} {line.chance % 9000 + 120}'
    if status == 502:
        return f"{text} upstream connect error: connection refused, 172.20.0.4:8000", True
    return f'{text} "-" {line.chance % 90 + 2}ms', False


def _node(line: _Line) -> tuple[str, bool]:
    path = _PATHS[line.chance % len(_PATHS)]
    if line.chance % 31 == 0:
        return f"\x1b[31mERROR\x1b[0m {path}: timeout of 2000 ms exceeded (request {line.chance % 99991})", True
    if line.chance % 11 == 0:
        return f"\x1b[33mWARN\x1b[0m slow render of {path}: {line.chance % 900 + 600} ms", False
    return f"\x1b[32mINFO\x1b[0m GET \x1b[36m{path}\x1b[0m 200 in {line.chance % 80 + 3} ms", False


def _gunicorn(line: _Line) -> tuple[str, bool]:
    path = _PATHS[line.chance % len(_PATHS)]
    if line.chance % 37 == 0:
        return f"[ERROR] worker {line.chance % 4 + 11}: psycopg.OperationalError: server closed the connection", True
    user = _USERS[line.chance % 6]
    return f"[INFO] worker {line.chance % 4 + 11}: GET {path} 200 {line.chance % 140 + 8} ms user={user}", False


def _postgres(line: _Line) -> tuple[str, bool]:
    if line.chance % 17 == 0:
        took = line.chance % 4000 / 10 + 120
        return f"LOG:  duration: {took:.1f} ms  statement: EXECUTE order_by_id({line.chance % 88888})", True
    if line.chance % 61 == 0:
        return f"ERROR:  deadlock detected on relation orders, process {line.chance % 900 + 60}", True
    return f"LOG:  checkpoint complete: wrote {line.chance % 700} buffers; sync={line.chance % 90 / 1000:.3f} s", True


def _redis(line: _Line) -> tuple[str, bool]:
    if line.chance % 5 == 0:
        return "1:M * 100 changes in 60 seconds. Saving...", False
    return f"1:M * Background saving terminated with success, {line.chance % 50 + 2} MB", False


def _celery(line: _Line) -> tuple[str, bool]:
    task = ("send_mail", "resize_picture", "index_product", "bill_order")[line.chance % 4]
    if line.chance % 23 == 0:
        return (
            f"[ERROR/ForkPoolWorker-{line.chance % 4 + 1}] shop.{task} raised: ConnectionError('smtp: timed out')",
            True,
        )
    return (
        f"[INFO/ForkPoolWorker-{line.chance % 4 + 1}] shop.{task} succeeded in {line.chance % 900 / 1000:.3f}s",
        False,
    )


def _mailer(line: _Line) -> tuple[str, bool]:
    lines = ("Traceback (most recent call last):", '  File "/app/shop/mailer.py", line 41, in connect',
             "ConnectionRefusedError: [Errno 111] smtp.internal:25")  # fmt: skip
    return lines[line.number % 3], True


def _plain(line: _Line) -> tuple[str, bool]:
    if line.chance % 41 == 0:
        return f'level=warn msg="retrying" attempt={line.chance % 5 + 1}', True
    return f'level=info msg="tick" n={line.number % 100_000} took={line.chance % 400}ms', False


_TELLERS: dict[str, _Teller] = {
    "mailer": _mailer,
    "gunicorn": _gunicorn,
    "celery": _celery,
    "node": _node,
    "postgres": _postgres,
    "redis": _redis,
    "traefik": _access,
    "nginx": _access,
}
