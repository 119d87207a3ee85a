"""Shells and attached processes on Docker and Podman, over the API alone."""

from __future__ import annotations

import base64
import json
import os
import select
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from backends.abilities.shell import Attach, Attachable, Shell, Size
from backends.docker.client import CALL_TIMEOUT, Connection
from backends.docker.hijack import EngineConsole, Hijack
from backends.docker.inspecting import inspected
from backends.model import Ref
from backends.threads import in_thread

if TYPE_CHECKING:
    from backends.docker.backend import DockerBackend

_SHELLS = (
    "/bin/bash",
    "/usr/bin/bash",
    "/usr/local/bin/bash",
    "/bin/ash",
    "/bin/sh",
    "/usr/bin/sh",
    "/busybox/sh",
)
"""Where images have them, the best first; the last is that of distroless debug images."""
_ALL = (*_SHELLS, "/bin/zsh", "/usr/bin/zsh", "/usr/bin/fish", "/bin/dash")
_DIRECTORY, _SYMLINK, _EXECUTABLE = 1 << 31, 1 << 27, 0o111
"""Of Go's FileMode, which `X-Docker-Container-Path-Stat` holds."""
_HANG_UP = 0.08
"""Seconds a shell has for each of the keys that end it."""
_NEVER_TYPED = "ctrl-@,ctrl-^,ctrl-_"
"""Detach keys for shells: the engine's own keep back each Ctrl-P, which shells and editors need."""


class DockerShell(Shell):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    async def find(self, ref: Ref) -> tuple[str, ...]:
        return await self._backend.ask(lambda connection: _find(connection, ref.id, _ALL))

    async def open(self, ref: Ref, command: Sequence[str], size: Size, *, user: str = "") -> _Exec:
        backend = self._backend
        connection = backend.connected()
        created = await backend.act(lambda connection: _create_exec(connection, ref.id, command, user))
        hijack = Hijack(connection)
        body = {"Detach": False, "Tty": True}
        link, first, _ = await in_thread(
            lambda: hijack.open(f"/exec/{created}/start", body), hijack.close, f"{ref.engine}-exec"
        )
        console = _Exec(
            link, first, hijack.close, resize=lambda columns, rows: _resize_exec(connection, created, columns, rows)
        )
        console.inspect = partial(backend.ask, lambda connection: connection.asking.exec_inspect(created))
        console.resize(size.columns, size.rows)
        return console


class _Exec(EngineConsole):
    inspect: Callable[[], Any]

    def close(self) -> None:
        # The engine leaves a command running whose terminal went away, and no call of its API would end it
        with suppress(OSError, ValueError):
            for keys in (b"\x03", b"\x04", b"\x03", b"\x04", b"\x04"):
                if not self.ended:
                    self.send(keys)
                    self._drain(_HANG_UP)
        super().close()

    def _drain(self, seconds: float) -> None:
        """Let that much time pass, or less when it ends."""
        deadline = time.monotonic() + seconds
        while not self.ended and (left := deadline - time.monotonic()) > 0:
            if self.pending or select.select([self], [], [], left)[0]:
                self.recv()

    async def exit_status(self) -> int | None:
        answer = await self.inspect()
        code = answer.get("ExitCode")
        return code if isinstance(code, int) and not answer.get("Running") else None


class DockerAttach(Attach):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    async def wiring(self, ref: Ref) -> Attachable:
        return await self._backend.ask(lambda connection: _wiring(connection, ref.id))

    async def attach(self, ref: Ref, size: Size) -> EngineConsole:
        backend = self._backend
        wiring = await self.wiring(ref)
        connection = backend.connected()
        hijack = Hijack(connection)
        # Without this the engine itself would look for Ctrl-P Ctrl-Q, and keep a Ctrl-P back
        flags = f"stream=1&stdout=1&stderr=1&stdin={int(wiring.takes_input)}&detachKeys={quote(_NEVER_TYPED)}"
        link, first, _ = await in_thread(
            lambda: hijack.open(f"/containers/{ref.id}/attach?{flags}"), hijack.close, f"{ref.engine}-attach"
        )
        console = _Attached(
            link,
            first,
            hijack.close,
            framed=not wiring.terminal,
            resize=_redrawing(connection, ref.id) if wiring.terminal else None,
        )
        console.terminal, console.takes_input = wiring.terminal, wiring.takes_input
        console.ask = partial(backend.ask, lambda connection: _exit_code(connection, ref.id))
        console.resize(size.columns, size.rows)
        return console


class _Attached(EngineConsole):
    ask: Callable[[], Any]

    async def exit_status(self) -> int | None:
        code: int | None = await self.ask()
        return code


def _find(connection: Connection, container: str, paths: Sequence[str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for path in paths:
        name = path.rpartition("/")[2]
        if name not in found and _is_program(connection, container, path):
            found[name] = path
    return tuple(found.values())


def _is_program(connection: Connection, container: str, path: str) -> bool:
    """Whether the container has such a file to run, by `HEAD /containers/{id}/archive`: nothing is started there."""
    client = connection.asking
    answer = client.head(
        f"{client.base_url}/v{connection.api_version}/containers/{container}/archive",
        params={"path": path},
        timeout=CALL_TIMEOUT,
    )
    if answer.status_code == 404:
        return False
    answer.raise_for_status()
    with suppress(ValueError, TypeError, AttributeError):
        stat = json.loads(base64.b64decode(answer.headers.get("X-Docker-Container-Path-Stat") or ""))
        mode = int(stat.get("mode") or 0)
        return not mode & _DIRECTORY and bool(mode & _SYMLINK or mode & _EXECUTABLE)
    return True


def _create_exec(connection: Connection, container: str, command: Sequence[str], user: str) -> str:
    created = connection.acting.exec_create(
        container,
        list(command),
        stdin=True,
        tty=True,
        user=user,
        environment={"TERM": _term()},
        detach_keys=_NEVER_TYPED,
    )
    return str(created["Id"])


def _term() -> str:
    """A terminal type that images know: few have those of tmux, kitty and the like."""
    mine = os.environ.get("TERM", "")
    if mine == "linux":
        return mine
    return "xterm-256color" if "256color" in mine or os.environ.get("COLORTERM") else "xterm"


def _resize_exec(connection: Connection, identity: str, columns: int, rows: int) -> None:
    connection.asking.exec_resize(identity, height=rows, width=columns)


def _redrawing(connection: Connection, container: str) -> Callable[[int, int], None]:
    """Resizes a container's terminal, at first twice: a program draws its screen anew when the size changes."""
    taller = [1]

    def resize(columns: int, rows: int) -> None:
        while taller:
            connection.asking.resize(container, height=rows + taller[0], width=columns)
            taller.clear()
        connection.asking.resize(container, height=rows, width=columns)

    return resize


def _wiring(connection: Connection, container: str) -> Attachable:
    config = inspected(connection, container).get("Config") or {}
    terminal, once = bool(config.get("Tty")), bool(config.get("StdinOnce"))
    return Attachable(terminal, bool(config.get("OpenStdin")), once and not terminal)


def _exit_code(connection: Connection, container: str) -> int | None:
    """A container's exit status when it does not run any more."""
    state = connection.asking.inspect_container(container).get("State") or {}
    code = state.get("ExitCode")
    return code if isinstance(code, int) and not state.get("Running") else None
