"""Work that its engine finishes once it has begun, whoever waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from backends.base import ActionError

_T = TypeVar("_T")


async def to_its_end(work: Coroutine[Any, Any, _T]) -> _T:
    """What it comes to. Being cancelled it goes on all the same, which the ActionError then says."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if task.cancelled():
            raise
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        raise ActionError("the engine cannot stop this once it has begun: it goes on to its end") from None
