"""Serial ports of simulated VMs: a login prompt, and a shell behind it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from backends.abilities.serial import Serial, SerialPort
from backends.base import ActionError
from backends.console import Console
from backends.demo.prompt import SimulatedShell
from backends.demo.shell import LocalConsole
from backends.model import VM, Ref, State

if TYPE_CHECKING:
    from backends.demo.backend import DemoBackend

_WITHOUT = ("lab-fedora", "build-win11")


class DemoSerial(Serial):
    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend
        self._added: set[Ref] = set()

    async def port(self, ref: Ref) -> SerialPort:
        item = self._item(ref)
        live = item.state in (State.RUNNING, State.PAUSED)
        if item.name in _WITHOUT and ref not in self._added:
            if live:
                return SerialPort(reason="it has no serial port; one can be added when it is powered off")
            return SerialPort(
                reason="it has no serial port", offer=f"COM1 as a host pipe, /srv/vms/{item.name}/com1.sock"
            )
        if not live:
            return SerialPort(reason="it is off: start it first")
        return SerialPort(f"TCP port {2000 + int(hashlib.sha256(item.name.encode()).hexdigest()[:4], 16) % 8000}")

    async def open(self, ref: Ref, *, force: bool = False) -> Console:
        del force
        item = self._item(ref)
        if not (await self.port(ref)).wiring:
            raise ActionError("its serial port cannot be joined now")
        shell = SimulatedShell(item.name, ("SHELL=/bin/bash",), ("/sbin/init",), self._backend.clock)
        return _Login(item, shell)

    async def add(self, ref: Ref) -> None:
        self._item(ref)
        self._added.add(ref)

    def _item(self, ref: Ref) -> VM:
        item = self._backend.world.items.get(ref)
        if not isinstance(item, VM):
            raise ActionError("the VM is gone")
        return item


class _Login(LocalConsole):
    """Asks for a name, takes any, and is a shell from then on."""

    def __init__(self, item: VM, shell: SimulatedShell) -> None:
        super().__init__()
        self._prompt = f"\r\n{item.name} login: "
        self._shell = shell
        self._inside = False
        self.show(f"\r\n{item.os_type} {item.name} ttyS0 (simulated: any name will do)\r\n{self._prompt}".encode())

    def send(self, data: bytes) -> int:
        if not self._inside:
            name, enter, data_left = data.partition(b"\r")
            self.show(name)
            if enter:
                self._inside = True
                self.show(f"\r\n{self._shell.prompt}".encode() + self._shell.feed(data_left))
            return len(data)
        self.show(self._shell.feed(data))
        if self._shell.code is not None:
            self._inside, self._shell.code = False, None
            self.show(self._prompt.encode())
        return len(data)
