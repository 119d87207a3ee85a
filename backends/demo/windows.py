"""Windows of simulated VMs: none opens, but they start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.abilities.windows import Windows
from backends.model import Action, ActionOptions, Ref

if TYPE_CHECKING:
    from backends.demo.backend import DemoBackend


class DemoWindows(Windows):
    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend

    async def start(self, vm: Ref) -> None:
        await self._backend.perform(Action.START, vm, ActionOptions())
