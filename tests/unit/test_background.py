"""Work in the background that is under way once at the most."""

from __future__ import annotations

import asyncio
import gc

import pytest

from backends.background import Background


class Works:
    """Counts its beginnings and ends; each lasts until `go` is set."""

    def __init__(self) -> None:
        self.begun = self.ended = 0
        self.go = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def work(self) -> None:
        self.begun += 1
        try:
            await self.go.wait()
        finally:
            await self.may_end.wait()
            self.ended += 1


async def rest() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def begun() -> tuple[Works, Background]:
    """Work that is under way."""
    works = Works()
    background = Background(works.work, "test")
    background.start()
    await rest()
    return works, background


async def end_begun(works: Works, background: Background) -> asyncio.Task[None]:
    """Its end, which waits for `may_end`."""
    works.may_end.clear()
    ending = asyncio.create_task(background.end())
    await rest()
    return ending


async def test_it_is_under_way_once() -> None:
    works = Works()
    background = Background(works.work, "test")
    background.start()
    background.start()
    await rest()
    background.start()
    await rest()
    assert works.begun == 1
    await background.end()


async def test_what_has_ended_can_be_started_again() -> None:
    works, background = await begun()
    works.go.set()
    await rest()
    assert works.ended == 1
    background.start()
    await rest()
    assert works.begun == 2


async def test_its_end_is_waited_for() -> None:
    works, background = await begun()
    ending = await end_begun(works, background)
    assert not ending.done()
    works.may_end.set()
    await ending
    assert works.ended == 1
    await background.end()


async def test_one_that_is_ending_does_not_hide_the_next() -> None:
    works, background = await begun()
    ending = await end_begun(works, background)
    background.start()
    await rest()
    works.may_end.set()
    await ending
    await rest()
    background.start()
    await rest()
    assert (works.begun, works.ended) == (2, 1)
    await background.end()
    assert works.ended == 2


async def test_one_that_failed_is_started_again_and_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    begun = []

    async def fails() -> None:
        begun.append(1)
        raise OSError("lost")

    background = Background(fails, "test")
    for count in (1, 2):
        background.start()
        await rest()
        assert len(begun) == count
    await background.end()
    gc.collect()  # a task whose failure nobody took tells of it as it goes
    assert not caplog.records
