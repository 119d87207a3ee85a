"""Simulated autostart, and saved states that are dropped."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from backends.abilities.vm_settings import Autostart, SavedState
from backends.base import ActionError
from backends.demo.actions import settled
from backends.model import VM, Ref, State

if TYPE_CHECKING:
    from backends.demo.backend import DemoBackend


class DemoAutostart(Autostart):
    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend

    async def autostart(self, vm: Ref) -> bool:
        item = self._backend.world.items.get(vm)
        return isinstance(item, VM) and item.autostart

    async def set_autostart(self, vm: Ref, *, on: bool) -> str:
        item = self._backend.world.items.get(vm)
        if isinstance(item, VM) and item.state in {State.RUNNING, State.PAUSED}:
            raise ActionError("it runs: VirtualBox changes this only of a VM that is off")
        await asyncio.sleep(0.2 * self._backend.world.options.pace)
        if isinstance(now := self._backend.world.items.get(vm), VM):
            self._backend.world.put(replace(now, autostart=on))
        return "the service vboxautostart-service has to be enabled for it" if on else ""


class DemoSavedState(SavedState):
    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend

    async def discard(self, vm: Ref) -> None:
        item = self._backend.world.items.get(vm)
        if not isinstance(item, VM) or item.state is not State.SAVED:
            raise ActionError("it has no saved state by now")
        await asyncio.sleep(0.3 * self._backend.world.options.pace)
        self._backend.world.put(settled(item, State.OFF, "PoweredOff", self._backend.clock()))
