"""Containers' logs as the real engine gives them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import pytest

from backends.abilities.logs import LogBatch, LogPosition, Logs
from backends.base import ActionError
from backends.docker.backend import DockerBackend
from tests.engines.docker_backend import connected, container_ref, eventually
from tests.engines.docker_engine import PrivateDocker

pytestmark = pytest.mark.docker

STAY = "; trap 'exit 0' TERM; while :; do sleep 1000 & wait; done"
Lines = list[tuple[str, bool]]


class Reading:
    """Gathers what a stream brings, up to its end."""

    def __init__(self, stream: AsyncIterator[LogBatch]) -> None:
        self.lines: Lines = []
        self.stamps: list[int] = []
        self.dropped = 0
        self.gaps = 0
        self.position = LogPosition()
        self.error: BaseException | None = None
        self._stream = stream
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Reading:
        self._task = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait({self._task})

    @property
    def ended(self) -> bool:
        return self._task is not None and self._task.done()

    @property
    def texts(self) -> list[str]:
        return [text for text, _ in self.lines]

    async def until(self, condition: Callable[[], object], what: str, seconds: float = 20.0) -> None:
        async def holds() -> object:
            if self.error:
                raise self.error
            return condition()

        await eventually(holds, what, seconds)

    async def _read(self) -> None:
        try:
            async with aclosing(self._stream) as stream:  # type: ignore[type-var]
                async for batch in stream:
                    self.take(batch)
        except Exception as error:
            self.error = error

    def take(self, batch: LogBatch) -> None:
        assert len(batch.texts) == len(batch.stamps) == len(batch.errors)
        self.lines += [(text.decode(), bool(error)) for text, error in zip(batch.texts, batch.errors, strict=True)]
        self.stamps += batch.stamps
        self.dropped += batch.dropped
        self.gaps += batch.gap
        self.position = batch.position


def logs_of(backend: DockerBackend) -> Logs:
    found = backend.ability(Logs)
    assert found is not None
    return found


async def whole(logs: Logs, container: str, **options: int) -> Reading:
    """The log of a container that has ended."""
    async with Reading(logs.follow(container_ref(container), **options)) as reading:
        await reading.until(lambda: reading.ended, "the log's end")
    return reading


@pytest.mark.parametrize("driver", ["json-file", "local"])
async def test_both_streams_are_followed_and_told_apart(docker: PrivateDocker, driver: str):
    box = docker.run(
        "box",
        ["sh", "-c", "echo out 1; echo err 1 >&2; printf 'no end'" + STAY],
        host={"log_config": {"type": driver}},
    )
    async with connected(docker.url) as backend:
        before = time.time_ns()
        async with Reading(logs_of(backend).follow(container_ref(box))) as reading:
            await reading.until(lambda: len(reading.lines) >= 2, "the lines so far")
            assert sorted(reading.lines) == [("err 1", True), ("out 1", False)]
            assert all(abs(stamp - before) < 60e9 for stamp in reading.stamps)
            docker.client.stop(box)
            await reading.until(lambda: reading.ended, "the stream to end with the container")
            assert ("no end", False) in reading.lines
        assert not [thread for thread in threading.enumerate() if "logs" in thread.name]


async def test_a_log_that_cannot_be_read_is_told_in_words(docker: PrivateDocker):
    box = docker.run("box", ["echo", "unheard"], host={"log_config": {"type": "none"}})
    async with connected(docker.url) as backend:
        for asked in (
            whole(logs_of(backend), box),
            logs_of(backend).before(container_ref(box), LogPosition(time.time_ns(), 1), 10),
        ):
            with pytest.raises(ActionError, match="log driver is 'none': the engine keeps nothing"):
                await asked
        with pytest.raises(ActionError, match="the container is gone"):
            await whole(logs_of(backend), "f" * 64)


async def test_a_terminals_log_has_no_frames(docker: PrivateDocker):
    script = "echo one; echo two >&2; printf '\\033[31mred\\033[0m\\n'; "
    script += "yes abcdefg | head -n 4000 | while read x; do printf $x; done; echo"
    box = docker.run("box", ["sh", "-c", script], tty=True)
    docker.client.wait(box)
    async with connected(docker.url) as backend:
        reading = await whole(logs_of(backend), box)
    assert reading.lines[:3] == [("one", False), ("two", False), ("\x1b[31mred\x1b[0m", False)]
    assert reading.texts[3] == "abcdefg" * 4000
    assert reading.stamps == sorted(reading.stamps)


@pytest.mark.parametrize("driver", ["json-file", "local"])
async def test_a_line_of_90_000_characters_is_one_line_cut_short(docker: PrivateDocker, driver: str):
    script = "i=0; while [ $i -lt 9000 ]; do printf 123456789-; i=$((i+1)); done; echo; echo next"
    box = docker.run("box", ["sh", "-c", script], host={"log_config": {"type": driver}})
    docker.client.wait(box)
    async with connected(docker.url) as backend:
        reading = await whole(logs_of(backend), box)
    long, following = reading.texts
    assert long.startswith("123456789-" * 3000)
    assert long.endswith("… 57232 more bytes")
    assert following == "next"


async def test_tail_since_and_older_lines(docker: PrivateDocker):
    box = docker.run("box", ["sh", "-c", "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done"])
    docker.client.wait(box)
    ref = container_ref(box)
    async with connected(docker.url) as backend:
        logs = logs_of(backend)
        reading = await whole(logs, box, tail=100)
        assert reading.texts == [f"line {number}" for number in range(4900, 5000)]
        moment = reading.stamps[50]
        since = await whole(logs, box, tail=100, since=moment)
        assert since.texts == [f"line {number}" for number in range(4950, 5000)]
        # with and without knowing how many come after, up to the very first
        older = await logs.before(ref, LogPosition(reading.stamps[0], 1), 1000, newer=100)
        assert older.texts == [b"line %d" % number for number in range(3900, 4900)]
        older = await logs.before(ref, LogPosition(older.stamps[0], 1), 3800)
        assert older.texts == [b"line %d" % number for number in range(100, 3900)]
        older = await logs.before(ref, LogPosition(older.stamps[0], 1), 1000, newer=4900)
        assert older.texts == [b"line %d" % number for number in range(100)]
        assert not (await logs.before(ref, LogPosition(older.stamps[0], 1), 1000, newer=5000)).texts
        assert not (await logs.before(ref, LogPosition(moment, 1), 1000, newer=50, since=moment)).texts


async def test_it_goes_on_after_a_restart_with_no_line_twice_and_none_left_out(docker: PrivateDocker):
    count = "[ -f data/n ] && read n <data/n; n=$((${n:-0}+1)); echo $n >data/n; echo start $n; "
    count += "i=0; while [ $i -lt 300 ]; do echo $n.$i; i=$((i+1)); done"
    box = docker.run("box", ["sh", "-c", count + STAY])
    ref = container_ref(box)
    async with connected(docker.url) as backend:
        logs = logs_of(backend)
        async with Reading(logs.follow(ref)) as first:
            await first.until(lambda: "1.299" in first.texts, "the first start's lines")
            docker.client.restart(box, timeout=5)
            await first.until(lambda: first.ended, "the stream to end with the container")
        async with Reading(logs.follow(ref, after=first.position)) as second:
            await second.until(lambda: "2.299" in first.texts + second.texts, "the second start's lines")
        wanted = [f"{n}.{i}" if i >= 0 else f"start {n}" for n in (1, 2) for i in range(-1, 300)]
        assert first.texts + second.texts == wanted
        assert not first.gaps and not second.gaps
        # from the middle of the log, and from where the engine has nothing any more
        async with Reading(logs.follow(ref, after=LogPosition(first.stamps[100], 1))) as again:
            await again.until(lambda: "2.299" in again.texts, "what came after")
        assert again.texts == wanted[101:]
        assert not again.gaps
        async with Reading(logs.follow(ref, after=LogPosition(first.stamps[0] - 1, 1))) as lost:
            await lost.until(lambda: "2.299" in lost.texts, "what there is")
        assert lost.texts == wanted
        assert lost.gaps == 1


async def test_a_flood_is_bounded_and_its_last_line_comes_soon(docker: PrivateDocker):
    """Docker itself hands a log over more slowly than it takes one in: what lies between is left out, and said."""
    box = docker.run("box", ["sh", "-c", "sleep 1; yes some words of a line of log | head -n 400000; echo LAST" + STAY])
    async with connected(docker.url) as backend:
        async with Reading(logs_of(backend).follow(container_ref(box))) as reading:
            await reading.until(lambda: "LAST" in reading.texts, "the last line", 120)
            late = time.time() - reading.stamps[-1] / 1e9
            print(f"last line {late:.2f} s late, {len(reading.lines)} lines, {reading.gaps} gaps")
            assert late < 60
            assert len(reading.lines) + reading.dropped <= 400_001
            assert reading.gaps or len(reading.lines) + reading.dropped == 400_001
            assert reading.stamps == sorted(reading.stamps)
