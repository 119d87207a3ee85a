"""The engine's event stream: one reader thread on one socket, its news merged until the event loop takes them.

Docker Engine API 1.41 `GET /events`: one JSON object a line; Podman's service gives the same shape.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Callable
from typing import Any

from backends.base import EngineError
from backends.docker.lagging import Lagging
from backends.docker.moments import Moments
from backends.docker.parse import image_id
from backends.docker.transport import DialedConnection, Dialer, wake
from backends.model import Kind, Ref
from backends.text import clean

_CONTAINER = "create start die kill pause unpause rename update destroy oom health_status restart stop"
# Podman's own words for the same
_PODMAN = "remove died cleanup init checkpoint restore"
_IMAGE = "pull tag untag delete import load build prune"
_NETWORK = "connect disconnect"
WANTED = frozenset(f"{_CONTAINER} {_PODMAN} {_IMAGE} {_NETWORK}".split())
"""Actions that change what a listing says. All others are for the view of events only."""
_JOINING = frozenset(_NETWORK.split())
_MADE = frozenset({"create", "destroy", "remove"})
MOST = 1000
"""So many changed objects wait for the event loop at most; more ask for a full listing."""
_LONGEST_LINE = 1 << 20


class Inbox:
    """Refs from the reader thread to the event loop, merged, bounded by MOST."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._refs: set[Ref] = set()
        self._all = False
        self._end: EngineError | None = None
        self._ready = asyncio.Event()

    def put(self, refs: frozenset[Ref]) -> None:
        """From the reader. An empty set asks for a full listing."""
        with self._lock:
            first = not self._refs and not self._all
            self._refs |= refs
            if not refs or len(self._refs) > MOST:
                self._all = True
                self._refs.clear()
        if first:
            self._notify()

    def end(self, error: EngineError) -> None:
        """From the reader: nothing more comes."""
        with self._lock:
            self._end = error
        self._notify()

    async def take(self) -> frozenset[Ref]:
        """All that came since the last time. Raises the EngineError the stream ended with."""
        while True:
            await self._ready.wait()
            self._ready.clear()
            with self._lock:
                refs, everything, error = frozenset(self._refs), self._all, self._end
                self._refs.clear()
                self._all = False
            if everything:
                return frozenset()
            if refs:
                if error is not None:
                    self._ready.set()
                return refs
            if error is not None:
                raise error

    def _notify(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody reads
            self._loop.call_soon_threadsafe(self._ready.set)


class EventReader:
    """One connection to `GET /events`, read by a thread of its own."""

    def __init__(self, dialer: Dialer, path: str, timeout: float) -> None:
        self._connection = DialedConnection(dialer, timeout)
        self._path = path
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def open(self) -> None:
        """Connect and ask; blocks, `timeout` seconds at most. Raises OSError or http.client.HTTPException."""
        try:
            self._connection.request("GET", self._path, headers={"Host": "docker"})
            self._socket = self._connection.sock
            if self._closed:
                raise ConnectionAbortedError("closed while it was opened")
        except BaseException:
            self._connection.close()
            raise

    def start(
        self, handle: Callable[[dict[str, Any]], None], ended: Callable[[BaseException | None], None], name: str
    ) -> None:
        """Read until the stream ends, then say why: None when the engine closed it."""
        self._thread = threading.Thread(target=self._read, args=(handle, ended), name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Wake the reader, which then closes the connection."""
        self._closed = True
        if self._socket is not None:
            wake(self._socket)
            if self._thread is None:
                self._connection.close()

    def join(self, seconds: float) -> None:
        if self._thread is not None:
            self._thread.join(seconds)

    def _read(self, handle: Callable[[dict[str, Any]], None], ended: Callable[[BaseException | None], None]) -> None:
        error: BaseException | None = None
        try:
            assert self._socket is not None  # noqa: S101
            # Silence is no failure, not even before the headers: Podman 4 sends them with its first event
            self._socket.settimeout(None)
            response = self._connection.getresponse()
            if response.status != 200:
                raise http.client.HTTPException(f"HTTP status {response.status} for its events")
            while line := response.readline(_LONGEST_LINE):
                with contextlib.suppress(ValueError):
                    event = json.loads(line)
                    if isinstance(event, dict):
                        handle(event)
        except (OSError, http.client.HTTPException, ValueError) as broken:
            error = broken
        finally:
            self._connection.close()
        ended(error)


def refs_of(
    event: dict[str, Any], engine: str, started: Moments, ended: Moments, lagging: Lagging | None = None
) -> frozenset[Ref] | None:
    """What an event is about; an empty set where only a full listing tells; None for no change.

    Notes the exact time of a start or an end.
    """
    action = str(event.get("Action") or event.get("status") or "").partition(":")[0]
    actor = event.get("Actor")
    actor = actor if isinstance(actor, dict) else {}
    identity = clean(str(actor.get("ID") or event.get("id") or ""), 512)
    kind = event.get("Type")
    if action not in WANTED:
        return None
    attributes = actor.get("Attributes")
    attributes = attributes if isinstance(attributes, dict) else {}
    if kind == "network":
        if action not in _JOINING:
            return frozenset({Ref(engine, Kind.NETWORK, identity)}) if identity and action in _MADE else None
        # Docker names the network and the container that joins it, Podman the container alone
        container = attributes.get("container") or ("" if "type" in attributes else identity)
        return frozenset({Ref(engine, Kind.CONTAINER, clean(str(container), 128))}) if container else None
    if kind == "volume":
        name = identity or clean(str(attributes.get("name") or ""), 512)
        return frozenset({Ref(engine, Kind.VOLUME, name)}) if name and action in _MADE else None
    if kind == "image":
        found = image_id(identity)
        return frozenset({Ref(engine, Kind.IMAGE, found)}) if found.startswith("sha256:") else frozenset()
    if kind != "container" or not identity:
        return None
    if lagging is not None:
        lagging.saw(identity, action)
    nanoseconds = event.get("timeNano")
    if isinstance(nanoseconds, int):
        if action == "start":
            started.saw(identity, nanoseconds / 1e9)
        elif action in {"die", "died"}:
            ended.saw(identity, nanoseconds / 1e9)
    return frozenset({Ref(engine, Kind.CONTAINER, identity)})
