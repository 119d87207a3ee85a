"""Shells and attached processes of simulated containers, on the user's real terminal."""

from __future__ import annotations

import os
import shlex
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from backends.abilities.shell import Attach, Attachable, Shell, Size
from backends.base import ActionError
from backends.console import Console
from backends.demo.details import describe
from backends.demo.prompt import SimulatedShell
from backends.model import Container, Ref, State

if TYPE_CHECKING:
    from backends.demo.backend import DemoBackend

_WITHOUT_SHELL = "traefik"
"""Its image holds one program and nothing else, as many do."""
_EVERY = 1.0


class DemoShell(Shell):
    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend

    async def find(self, ref: Ref) -> tuple[str, ...]:
        item = _running(self._backend, ref)
        if item.image.startswith(_WITHOUT_SHELL):
            return ()
        return ("/bin/ash", "/bin/sh") if "alpine" in item.image else ("/bin/bash", "/bin/sh")

    async def open(self, ref: Ref, command: Sequence[str], size: Size, *, user: str = "") -> Console:
        del size
        item = _running(self._backend, ref)
        name = command[0].rpartition("/")[2] if command else ""
        if name not in {"bash", "ash", "sh"} or item.image.startswith(_WITHOUT_SHELL):
            raise ActionError(f'exec: "{command[0]}": executable file not found in $PATH')
        if user not in {"", "root", "0"}:
            raise ActionError(f"unable to find user {user}: no matching entries in passwd file")
        environment = describe(item, ())["Config"]["Env"]
        shell = SimulatedShell(item.ref.id[:12], environment, (item.command,), self._backend.clock)
        return _ShellConsole(shell)


class DemoAttach(Attach):
    def __init__(self, backend: DemoBackend) -> None:
        self._backend = backend

    async def wiring(self, ref: Ref) -> Attachable:
        _running(self._backend, ref)
        return Attachable(terminal=False, takes_input=False)

    async def attach(self, ref: Ref, size: Size) -> Console:
        del size
        item = _running(self._backend, ref)
        program = os.path.basename(shlex.split(item.command)[0]) if item.command else item.name  # noqa: PTH119
        return _Talking(lambda number: f"{program}: request {number} answered in {7 + number * 13 % 40} ms")


def _running(backend: DemoBackend, ref: Ref) -> Container:
    item = backend.world.items.get(ref)
    if not isinstance(item, Container):
        raise ActionError(f"No such container: {ref.id[:12]}")
    if item.state is not State.RUNNING:
        raise ActionError(f"container {item.name} is not running")
    return item


class LocalConsole(Console):
    """One end of a pair of sockets; the other end is written to by the simulation."""

    def __init__(self) -> None:
        self._near, self._far = socket.socketpair()
        self._near.setblocking(False)
        self._far.setblocking(False)

    def fileno(self) -> int:
        return self._near.fileno()

    def recv(self) -> bytes | None:
        try:
            return self._near.recv(1 << 16)
        except BlockingIOError:
            return None

    def show(self, data: bytes) -> None:
        with suppress(OSError):
            self._far.sendall(data)

    def end(self) -> None:
        with suppress(OSError):
            self._far.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._near.close()
        self._far.close()


class _ShellConsole(LocalConsole):
    def __init__(self, shell: SimulatedShell) -> None:
        super().__init__()
        self._shell = shell
        self.show(f"This shell is simulated: help names its commands.\r\n{shell.prompt}".encode())

    def send(self, data: bytes) -> int:
        self.show(self._shell.feed(data))
        if self._shell.code is not None:
            self.end()
        return len(data)

    async def exit_status(self) -> int | None:
        return self._shell.code


class _Talking(LocalConsole):
    """A process without a terminal that writes a line now and then and takes no input."""

    terminal = False
    takes_input = False

    def __init__(self, line: Callable[[int], str]) -> None:
        super().__init__()
        self._line = line
        self._closed = threading.Event()
        threading.Thread(target=self._talk, name="demo-attach", daemon=True).start()

    def send(self, data: bytes) -> int:
        return len(data)

    def close(self) -> None:
        self._closed.set()
        super().close()

    def _talk(self) -> None:
        number = 0
        while not self._closed.is_set():
            self.show(f"{self._line(number)}\n".encode())
            number += 1
            self._closed.wait(_EVERY)
