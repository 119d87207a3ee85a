"""Containers' logs over the Docker API: one reader thread a stream, its lines handed to the loop in bounded batches.

Docker Engine API 1.41 `GET /containers/{id}/logs`, which Podman serves too. Engines 20.10 and newer keep a readable
copy for most log drivers; `none` and some others cannot be read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

from backends.abilities.logs import LogBatch, LogPosition, Logs
from backends.base import ActionError
from backends.docker.client import Connection
from backends.docker.inspecting import inspected
from backends.docker.log_inbox import LogInbox
from backends.docker.log_reader import LogReader
from backends.docker.log_search import LogSearch
from backends.model import Ref
from backends.text import clean
from backends.threads import in_thread

if TYPE_CHECKING:
    from backends.docker.backend import DockerBackend

_END = 2.0


class DockerLogs(Logs):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    async def follow(
        self, ref: Ref, *, tail: int = 1000, since: int = 0, after: LogPosition | None = None
    ) -> AsyncIterator[LogBatch]:
        connection = self._backend.connected()
        framed, driver = await self._backend.ask(partial(_format_of, container=ref.id))
        inbox = LogInbox(asyncio.get_running_loop())
        reader = LogReader(connection, ref.id, inbox, framed=framed)
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
        search = LogSearch(connection, ref.id, framed=framed)
        try:
            return await in_thread(
                lambda: search.run(oldest, count, newer, since), search.close, f"{self._backend.engine}-older-logs"
            )
        except ActionError as error:
            raise _unreadable(error, driver) from error


def _format_of(connection: Connection, container: str) -> tuple[bool, str]:
    """Whether its log comes in frames, and its driver's name."""
    answer = inspected(connection, container)
    log = (answer.get("HostConfig") or {}).get("LogConfig") or {}
    driver = clean(str(log.get("Type") or ""), 64)
    if driver == "none":
        raise ActionError("its log driver is 'none': the engine keeps nothing of what it writes")
    return not (answer.get("Config") or {}).get("Tty"), driver


def _unreadable(error: ActionError, driver: str) -> ActionError:
    if "does not support reading" in str(error):
        return ActionError(f"its log driver {driver!r} sends lines elsewhere: this engine cannot read them back")
    return error
