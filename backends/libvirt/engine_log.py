"""QEMU's log of a domain, where it lies on this machine: libvirt has no call for it (libvirt 9.0)."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from backends.abilities.engine_log import EngineLog, LogMark, LogPart
from backends.base import ActionError
from backends.libvirt import uris
from backends.libvirt.connection import Connection
from backends.model import Ref
from backends.tail import read_file
from backends.text import clean

if TYPE_CHECKING:
    from backends.libvirt.backend import LibvirtBackend

_SOCKETS = ("/run/libvirt/virtqemud-sock", "/run/libvirt/libvirt-sock")
_FOLDER = "/var/log/libvirt/qemu"


class LibvirtLog(EngineLog):
    def __init__(self, backend: LibvirtBackend) -> None:
        self._backend = backend
        self._paths: dict[Ref, tuple[str, str]] = {}

    async def read(self, ref: Ref, after: LogMark | None = None) -> LogPart:
        if after is None or ref not in self._paths:
            places = await self._backend.ask(lambda connection: _places(connection, ref.id))
            self._paths[ref] = await asyncio.to_thread(_readable, places)
        path, shown = self._paths[ref]
        try:
            return await asyncio.to_thread(read_file, path, after, shown=shown)
        except OSError as error:
            self._paths.pop(ref, None)
            raise ActionError(f"{clean(shown, 300)} cannot be read: {error.strerror or error}") from None


def _places(connection: Connection, identity: str) -> list[tuple[str, str]]:
    """(path to open, path to show) of where its log may be, the surest first."""
    domain = connection.domain(identity)
    if not connection.is_local():
        where = "simulated" if connection.uri.startswith("test:") else "on another machine"
        raise ActionError(f"its log is {where}: libvirt hands out none")
    uri = connection.uri
    # libvirt names the file after the domain, which holds no slash
    file = f"{domain.name()}.log"
    if uris.is_session(uri):
        base = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
        return [(path := f"{base}/libvirt/qemu/log/{file}", path)]
    path = f"{_FOLDER}/{file}"
    # a daemon in a container, or started with folders of its own, has another one of this path
    roots = [f"/proc/{pid}/root{path}" for pid in _daemons(uri)]
    return [*((root, path) for root in roots), (path, path)]


def _daemons(uri: str) -> Iterator[int]:
    """Process ids of whoever listens at the daemon's socket; with socket activation that is the init system."""
    given = parse_qs(urlsplit(uri).query).get("socket", [])
    for path in given or _SOCKETS:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1.0)
            probe.connect(path)
            size = struct.calcsize("3i")
            yield struct.unpack("3i", probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))[0]


def _readable(places: list[tuple[str, str]]) -> tuple[str, str]:
    """The first that can be opened. Raises ActionError with what keeps one from the others."""
    refused = ""
    for path, shown in places:
        try:
            os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
        except FileNotFoundError:
            continue
        except OSError:
            # /proc/PID/root is root's own: what counts is the path itself
            refused = shown
            continue
        return path, shown
    shown = clean(places[-1][1], 300)
    if refused:
        raise ActionError(f"{shown} cannot be read by this user: it is root's, as sudo boxtop would be")
    raise ActionError(f"there is no {shown}: it was never started, or its log is kept elsewhere")
