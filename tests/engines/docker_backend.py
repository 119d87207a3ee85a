"""Helpers of the Docker and Podman backend tests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from backends.base import Backend
from backends.docker.backend import DockerBackend
from backends.model import Container, Image, Kind, Ref, Usage

_T = TypeVar("_T")


@asynccontextmanager
async def connected(url: str, engine: str = "docker") -> AsyncIterator[DockerBackend]:
    backend = DockerBackend(engine, url)
    try:
        await backend.connect()
        yield backend
    finally:
        await backend.close()


async def eventually(ask: Callable[[], Awaitable[_T]], what: str, seconds: float = 60.0) -> _T:
    """The first true answer of `ask`, until the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        answer = await ask()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        await asyncio.sleep(0.02)


async def container(backend: Backend, name: str) -> Container:
    snapshot = await backend.list_all()
    return next(found for found in snapshot.containers if found.name == name)


async def image(backend: Backend, tag: str) -> Image:
    snapshot = await backend.list_all()
    return next(found for found in snapshot.images if tag in found.tags)


def container_ref(identity: str, engine: str = "docker") -> Ref:
    return Ref(engine, Kind.CONTAINER, identity)


async def loaded(backend: Backend, ref: Ref, seconds: float = 1.0) -> Usage:
    """A container's usage over the next `seconds`."""
    await backend.usage([ref])
    await asyncio.sleep(seconds)
    return (await backend.usage([ref]))[ref]


class Following:
    """The refs a backend's event stream names, gathered."""

    def __init__(self, backend: Backend) -> None:
        self.seen: set[Ref] = set()
        self.full = 0
        self.error: BaseException | None = None
        self._backend = backend
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Following:
        self._task = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, *_: Any) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _follow(self) -> None:
        try:
            async for refs in self._backend.events():
                self.seen |= refs
                self.full += not refs
        except Exception as error:
            self.error = error
