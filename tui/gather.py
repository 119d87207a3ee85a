"""One look at every engine and at the host, without a screen: what `boxtop ls` and `boxtop doctor` tell."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from backends.base import Backend, EngineError
from backends.model import VM, Container, EngineInfo, HostUsage, Ref, Snapshot, State, Usage
from backends.text import clean
from tui.options import Options, hosts_of

if TYPE_CHECKING:
    from backends.demo.host import DemoHost
    from backends.host import HostSampler

DEADLINE = 10.0
"""Seconds all engines together have to answer."""

_BETWEEN_SAMPLES = 0.5
"""Seconds between the two samples that rates and CPU shares need."""

_CLOSE = 2.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one engine: `info` and `snapshot`, or `error`."""

    engine: str
    url: str
    name: str
    chosen: bool
    """The user named it, so that its absence is worth a word."""
    seconds: float = 0.0
    """How long it took to answer, or to fail."""
    info: EngineInfo | None = None
    snapshot: Snapshot | None = None
    error: EngineError | None = None
    usage: Mapping[Ref, Usage] = field(default_factory=dict)

    @property
    def state(self) -> str:
        if self.error is None:
            return "connected"
        return "absent" if self.error.absent else "unreachable"


@dataclass(frozen=True, slots=True)
class Gathered:
    time: float
    """Unix time."""
    host: HostUsage
    answers: tuple[Answer, ...]

    @property
    def answered(self) -> bool:
        return any(answer.error is None for answer in self.answers)


async def gather(options: Options, *, usage: bool = True, deadline: float = DEADLINE) -> Gathered:
    """Ask every engine of this run at once; none is waited for beyond `deadline` seconds.

    Without `usage` nothing is sampled but the host.
    """
    from backends.registry import open_backend

    end = asyncio.get_running_loop().time() + deadline
    backends: list[Backend] = []
    for host in hosts_of(options):
        taken = [backend.engine for backend in backends]
        backends.append(open_backend(host.url, options.engines, taken, name=host.name))
    chosen = bool(options.hosts)
    host_usage, answers = await asyncio.gather(
        _host(options.demo), asyncio.gather(*(_ask(backend, chosen, usage, end) for backend in backends))
    )
    return Gathered(time.time(), host_usage, tuple(answers))


async def _host(demo: bool) -> HostUsage:
    source: HostSampler | DemoHost
    if demo:
        from backends.demo.host import DemoHost

        source = DemoHost()
    else:
        from backends.host import HostSampler

        source = HostSampler()
    await source.sample()
    await asyncio.sleep(_BETWEEN_SAMPLES)
    return await source.sample()


async def _ask(backend: Backend, chosen: bool, usage: bool, end: float) -> Answer:
    began = time.monotonic()
    answer = Answer(backend.engine, backend.url, backend.engine, chosen)
    try:
        async with asyncio.timeout_at(end):
            info = await backend.connect()
            snapshot = await backend.list_all()
        answer = replace(answer, info=info, snapshot=snapshot, seconds=time.monotonic() - began)
        if usage:
            answer = replace(answer, usage=await _usage(backend, snapshot, end))
    except TimeoutError:
        error = EngineError("it did not answer in time", "check that it is not frozen or overloaded")
        answer = replace(answer, error=error, seconds=time.monotonic() - began)
    except EngineError as error:
        answer = replace(answer, error=error, seconds=time.monotonic() - began)
    except Exception as error:  # one engine's fault must not cost the listing of the others
        reason = clean(f"{type(error).__name__}: {error}")
        answer = replace(answer, error=EngineError(reason), seconds=time.monotonic() - began)
    finally:
        with suppress(TimeoutError):
            await asyncio.wait_for(backend.close(), _CLOSE)
    return answer


async def _usage(backend: Backend, snapshot: Snapshot, end: float) -> Mapping[Ref, Usage]:
    """Figures of what runs; fewer or none where the engine fails meanwhile, for the listing stands without them."""
    boxes: tuple[Container | VM, ...] = (*snapshot.containers, *snapshot.vms)
    running = [box.ref for box in boxes if box.state is State.RUNNING]
    found: Mapping[Ref, Usage] = {}
    with suppress(TimeoutError, EngineError):
        async with asyncio.timeout_at(end):
            if running:
                found = await backend.usage(running)
                await asyncio.sleep(_BETWEEN_SAMPLES)
                found = await backend.usage(running)
    return found
