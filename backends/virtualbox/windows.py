"""VirtualBox's own window of a VM (`VBoxManage startvm --type gui`, 7.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.abilities.windows import Windows
from backends.model import Ref
from backends.virtualbox.manage import refusals

if TYPE_CHECKING:
    from backends.virtualbox.backend import VirtualBoxBackend

_SECONDS = 120.0


class VirtualBoxWindows(Windows):
    def __init__(self, backend: VirtualBoxBackend) -> None:
        self._backend = backend

    async def start(self, vm: Ref) -> None:
        with refusals():
            await self._backend.manager().run("startvm", vm.id, "--type=gui", seconds=_SECONDS)
