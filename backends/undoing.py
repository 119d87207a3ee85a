"""Steps taken one after the other, and undone in reverse when a later one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from backends.base import ActionError, EngineError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from backends.progress import Report

_T = TypeVar("_T")


class Undo:
    """What was made so far, each with how it is taken back."""

    def __init__(self) -> None:
        self._steps: list[tuple[str, Callable[[], Awaitable[object]]]] = []

    def later(self, what: str, step: Callable[[], Awaitable[object]]) -> None:
        """`step` takes `what` back; it answers False where it found nothing, as when its making never began."""
        self._steps.append((what, step))

    def unmade(self) -> None:
        """The last step was refused: what is there of that name is another's, and is not taken back."""
        self._steps.pop()

    def forget(self) -> None:
        """It is done: nothing is taken back any more."""
        self._steps.clear()

    async def all(self) -> str:
        """Take everything back, last first, also beyond a failure; what was undone and what is left, in words."""
        undone, left = [], []
        while self._steps:
            what, step = self._steps.pop()
            try:
                found = await step()
            except (ActionError, EngineError, OSError) as error:
                left.append(f"{what} ({error})")
            else:
                undone += [] if found is False else [what]
        words = [f"undone: {', '.join(undone)}"] if undone else []
        words += [f"left behind: {', '.join(left)}"] if left else []
        return "; ".join(words) or "nothing was made"


@asynccontextmanager
async def undone_on_failure(report: Report) -> AsyncIterator[Undo]:
    """What fails within is undone; the error then says so. A cancellation waits until that is done."""
    undo = Undo()
    try:
        yield undo
    except asyncio.CancelledError:
        report.line(await to_the_end(undo.all()))
        raise
    except (ActionError, EngineError) as error:
        said = await to_the_end(undo.all())
        report.line(said)
        raise ActionError(f"{error}; {said}") from error


async def whole(step: Awaitable[_T]) -> _T:
    """A short step that goes on where it is made, in an engine or a thread: its end is awaited before a cancellation.

    What is undone while it is still being made would be there afterwards.
    """
    task = asyncio.ensure_future(step)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.done():
            await asyncio.wait({task})
        raise


async def to_the_end(work: Awaitable[str]) -> str:
    """The result, also when cancelled once more meanwhile."""
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
    return task.result()
