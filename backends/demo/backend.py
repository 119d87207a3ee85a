"""A simulated engine that is listed, watched and operated as a real one is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from backends.abilities import Abilities
from backends.base import Ability, ActionError, Backend
from backends.demo.abilities import CONTAINER_ABILITIES, VM_ABILITIES
from backends.demo.actions import Operator, losses
from backends.demo.details import describe
from backends.demo.options import parse_options
from backends.demo.told import Teller
from backends.demo.world import World
from backends.events import EventRing
from backends.model import (
    VM,
    Action,
    ActionOptions,
    Change,
    Container,
    EngineInfo,
    Image,
    Kind,
    Loss,
    Network,
    Ref,
    Snapshot,
    Usage,
    Volume,
)
from backends.text import clean_data

_TICK = 1.0


class DemoBackend(Backend):
    """`clock` gives Unix time; `time=` in the address goes before it and stands still: every figure is repeatable."""

    def __init__(self, engine: str, url: str, *, clock: Callable[[], float] | None = None) -> None:
        self.engine = engine
        self.url = url
        options = parse_options(url)
        frozen = options.time
        self._clock: Callable[[], float] = (clock or time.time) if frozen is None else lambda: frozen
        self._listeners: set[_Listener] = set()
        self._teller: Teller | None = None
        self._world = World(engine, options, self._clock(), self._tell)
        self.ring = EventRing()
        """What it told, for the view of events."""
        self._teller = Teller(self.ring, engine, self._world.items.values(), self._clock())
        self._operator = Operator(self._world, self._clock)
        self._abilities = Abilities(self._places(), self)

    def _tell(self, ref: Ref) -> None:
        if self._teller is not None:
            self._teller.tell(ref, self._world.items.get(ref), self._clock())
        for listener in self._listeners:
            listener.changed.add(ref)
            listener.wake.set()

    @property
    def world(self) -> World:
        return self._world

    @property
    def clock(self) -> Callable[[], float]:
        """Unix time."""
        return self._clock

    def _places(self) -> Mapping[str, str]:
        kinds = self._world.info(self.url).kinds
        containers = CONTAINER_ABILITIES if Kind.CONTAINER in kinds else {}
        return {**containers, **(VM_ABILITIES if Kind.VM in kinds else {})}

    def ability(self, kind: type[Ability]) -> Ability | None:
        return self._abilities.get(kind)

    async def connect(self) -> EngineInfo:
        return replace(self._world.info(self.url), abilities=self._abilities.names)

    async def list_all(self) -> Snapshot:
        now = self._clock()
        self._world.advance(now)
        items = self._world.items.values()
        return Snapshot(
            engine=self.engine,
            time=now,
            containers=tuple(item for item in items if isinstance(item, Container)),
            vms=tuple(item for item in items if isinstance(item, VM)),
            images=tuple(item for item in items if isinstance(item, Image)),
            volumes=tuple(item for item in items if isinstance(item, Volume)),
            networks=tuple(item for item in items if isinstance(item, Network)),
        )

    async def list_some(self, refs: Collection[Ref]) -> Change:
        items = self._world.items
        return Change(
            engine=self.engine,
            time=self._clock(),
            updated=tuple(items[ref] for ref in refs if ref in items),
            removed=tuple(ref for ref in refs if ref not in items),
        )

    async def events(self) -> AsyncIterator[frozenset[Ref]]:
        listener = _Listener()
        self._listeners.add(listener)
        try:
            while not listener.closed:
                self._world.advance(self._clock())
                if listener.changed:
                    refs = frozenset(listener.changed)
                    listener.changed.clear()
                    yield refs
                    continue
                listener.wake.clear()
                try:
                    async with asyncio.timeout(_TICK):
                        await listener.wake.wait()
                except TimeoutError:
                    continue
        finally:
            self._listeners.discard(listener)

    async def usage(self, refs: Collection[Ref]) -> Mapping[Ref, Usage]:
        now = self._clock()
        found = {ref: self._world.usage(ref, now) for ref in refs}
        return {ref: usage for ref, usage in found.items() if usage is not None}

    async def inspect(self, ref: Ref) -> Any:
        item = self._world.items.get(ref)
        if item is None:
            raise ActionError(f"No such {ref.kind}: {ref.id[:12]}")
        return clean_data(describe(item, self._world.disks(ref), self._clock()))

    async def losses(self, action: Action, ref: Ref) -> tuple[Loss, ...]:
        item = self._world.items.get(ref)
        return () if item is None else losses(self._world, action, item)

    async def perform(self, action: Action, ref: Ref, options: ActionOptions) -> None:
        await self._operator.perform(action, ref, options)

    async def close(self) -> None:
        for listener in self._listeners:
            listener.closed = True
            listener.wake.set()
        await self._operator.close()


class _Listener:
    """One reader of events: what changed since it last looked."""

    def __init__(self) -> None:
        self.changed: set[Ref] = set()
        self.wake = asyncio.Event()
        self.closed = False
