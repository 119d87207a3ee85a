"""Autostart and saved states of VirtualBox's machines. Seen with VirtualBox 7.2.22."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.abilities.vm_settings import Autostart, SavedState
from backends.base import ActionError
from backends.model import Ref
from backends.virtualbox.manage import ManageError, refusals

if TYPE_CHECKING:
    from backends.virtualbox.backend import VirtualBoxBackend

SERVICE = "the service vboxautostart-service has to be enabled for it"
_NO_DATABASE = "The path to the autostart database is not set"
_HOW = (
    "this host has no autostart database: set VBOXAUTOSTART_DB and VBOXAUTOSTART_CONFIG in /etc/default/virtualbox, "
    "make that folder writable for group vboxusers, and run VBoxManage setproperty autostartdbpath FOLDER"
)


class VirtualBoxAutostart(Autostart):
    def __init__(self, backend: VirtualBoxBackend) -> None:
        self._backend = backend

    async def autostart(self, vm: Ref) -> bool:
        with refusals():
            return (await self._backend.manager().info(vm.id)).get("autostart-enabled") == "on"

    async def set_autostart(self, vm: Ref, *, on: bool) -> str:
        try:
            await self._backend.manager().run("modifyvm", vm.id, f"--autostart-enabled={'on' if on else 'off'}")
        except ManageError as error:
            raise ActionError(_HOW if _NO_DATABASE in str(error) else _reason(str(error))) from None
        return SERVICE if on else ""


class VirtualBoxSavedState(SavedState):
    def __init__(self, backend: VirtualBoxBackend) -> None:
        self._backend = backend

    async def discard(self, vm: Ref) -> None:
        with refusals():
            if await self._backend.manager().state(vm.id) not in {"Saved", "AbortedSaved"}:
                # VBoxManage would say nothing
                raise ActionError("it has no saved state by now")
            await self._backend.manager().run("discardstate", vm.id, seconds=60.0)


def _reason(words: str) -> str:
    if "already locked" in words:
        return "it runs: VirtualBox changes this only of a VM that is off"
    return words
