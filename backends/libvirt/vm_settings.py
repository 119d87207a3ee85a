"""Autostart and saved states of libvirt's domains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.abilities.vm_settings import Autostart, SavedState
from backends.base import ActionError
from backends.libvirt.connection import Connection
from backends.libvirt.uses import resting_on
from backends.model import Ref
from backends.text import clean

if TYPE_CHECKING:
    from backends.libvirt.backend import LibvirtBackend


class LibvirtAutostart(Autostart):
    def __init__(self, backend: LibvirtBackend) -> None:
        self._backend = backend

    async def autostart(self, vm: Ref) -> bool:
        return await self._backend.ask(lambda connection: bool(connection.domain(vm.id).autostart()))

    async def set_autostart(self, vm: Ref, *, on: bool) -> str:
        def work(connection: Connection) -> str:
            domain = connection.domain(vm.id)
            if not domain.isPersistent():
                raise ActionError("it is transient: it is gone once it is off")
            if on and (names := resting_on(connection, vm.id)):
                # libvirt would start it with the host, and what it writes would break them
                raise ActionError(clean(f"its disks must stay as they are: {', '.join(sorted(names))} rests on them"))
            domain.setAutostart(int(on))
            return ""

        return await self._backend.act(work)


class LibvirtSavedState(SavedState):
    def __init__(self, backend: LibvirtBackend) -> None:
        self._backend = backend

    async def discard(self, vm: Ref) -> None:
        def work(connection: Connection) -> None:
            domain = connection.domain(vm.id)
            if not domain.hasManagedSaveImage(0):
                raise ActionError("it has no saved state by now")
            domain.managedSaveRemove(0)

        await self._backend.act(work)
