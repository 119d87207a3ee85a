"""A helper beside the one that lists: for questions to a VM's own process, which may hang and then be given up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from backends.base import ActionError, EngineError
from backends.virtualbox.process import HelperGone, HelperProcess, HelperRefused

_IDLE = 30.0
"""Seconds after its last answer that it is kept: it takes 40 MB."""


class Aside:
    """Starts its helper when something is asked, and ends it when nothing was for a while."""

    def __init__(self, start: Callable[[], Awaitable[HelperProcess]]) -> None:
        """`start`: a helper that has answered to `hello`. Raises EngineError."""
        self._start = start
        self._helper: HelperProcess | None = None
        self._starting = asyncio.Lock()
        self._asked = 0
        self._idle: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None

    async def ask(self, name: str, seconds: float, **arguments: Any) -> Any:
        """Its answer. Raises ActionError when VirtualBox refuses or the VM hangs, EngineError when it is lost."""
        self._asked += 1
        try:
            async with self._starting:
                helper = self._helper
                if helper is None or helper.gone:
                    helper = self._helper = await self._start()
            return await helper.ask(name, seconds, **arguments)
        except HelperRefused as error:
            raise ActionError(str(error)) from None
        except HelperGone as error:
            raise EngineError(f"lost VirtualBox: {error}") from None
        except TimeoutError:
            await self.end()
            raise ActionError("no answer: the VM's process hangs") from None
        finally:
            self._asked -= 1
            self._rest()

    def _rest(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = None if self._asked else asyncio.get_running_loop().call_later(_IDLE, self._end_idle)

    def _end_idle(self) -> None:
        if not self._asked:
            self._ending = asyncio.create_task(self.end(), name="virtualbox helper aside")

    async def end(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        helper, self._helper = self._helper, None
        if helper is not None:
            await helper.end()
