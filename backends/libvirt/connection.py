"""One connection to a libvirt daemon: opened, listened to, closed. Blocking; called from the backend's threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree

from backends.base import EngineError
from backends.libvirt import errors, uris
from backends.libvirt.domains import Definition, definition
from backends.libvirt.loop import library
from backends.libvirt.starts import starts

KEEPALIVE_INTERVAL, KEEPALIVE_COUNT = 3, 3
"""A daemon that says nothing for this long (seconds, times) is given up: what waits for it then fails."""
_DEFINED, _UNDEFINED, _STARTED, _STOPPED = 0, 1, 2, 5
_STARTING_UP = (3, 11)
"""virDomainState and virDomainPausedReason of one whose QEMU is not ready yet."""


class Connection:
    """Calls may come from several threads; virConnect locks itself. Raises libvirt.libvirtError."""

    def __init__(self, uri: str, changed: Callable[[str], None], lost: Callable[[str], None]) -> None:
        """`changed(uuid)` and `lost(reason)` are called from libvirt's event thread."""
        self.libvirt = library()
        self._changed = changed
        self._lost = lost
        self._lock = threading.Lock()
        self._definitions: dict[str, Definition] = {}
        self._started: dict[str, float] = {}
        self._without_start: set[str] = set()
        self._callbacks: list[int] = []
        self.closed = False
        self._virt = self.libvirt.open(uris.quiet(uri))
        self._beside: dict[str, Beside] = {}
        with suppress(self.libvirt.libvirtError):  # the test driver has none
            self.virt.setKeepAlive(KEEPALIVE_INTERVAL, KEEPALIVE_COUNT)
        with suppress(self.libvirt.libvirtError):
            self.virt.registerCloseCallback(self._gone, None)
        self.uri = uris.shown(str(self.virt.getURI()))
        hostname = ""
        with suppress(self.libvirt.libvirtError):
            hostname = str(self.virt.getHostname())
        self._here = uris.is_here(self.uri, hostname)

    @property
    def virt(self) -> Any:
        """The virConnect."""
        return self._virt

    def beside(self, purpose: str) -> Connection:
        """The same domains through a connection for this purpose alone; it is opened by whoever first calls with it."""
        if self.uri.startswith("test:"):
            # each connection has a world of its own
            return self
        with self._lock:
            if purpose not in self._beside:
                self._beside[purpose] = Beside(self)
            return self._beside[purpose]

    def listen(self) -> None:
        """Have `changed` called from now on."""
        lifecycle, other = self.libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self.libvirt.VIR_DOMAIN_EVENT_ID_METADATA_CHANGE
        self._callbacks.append(self.virt.domainEventRegisterAny(None, lifecycle, self._event, None))
        with suppress(self.libvirt.libvirtError):
            self._callbacks.append(self.virt.domainEventRegisterAny(None, other, self._metadata, None))

    def version(self) -> str:
        number = int(self.virt.getLibVersion())
        return f"{number // 1_000_000}.{number // 1000 % 1000}.{number % 1000}"

    def is_local(self) -> bool:
        """Whether its domains run on this machine, so that their paths are those of here; not so for simulated ones."""
        return self._here

    def domains(self) -> list[Any]:
        return list(self.virt.listAllDomains(0))

    def domain(self, identity: str) -> Any:
        return self.virt.lookupByUUIDString(identity)

    def stats(self) -> list[tuple[Any, Mapping[str, Any]]]:
        """Every running domain with its counters, in one call."""
        lib = self.libvirt
        wanted = (
            lib.VIR_DOMAIN_STATS_STATE
            | lib.VIR_DOMAIN_STATS_CPU_TOTAL
            | lib.VIR_DOMAIN_STATS_BALLOON
            | lib.VIR_DOMAIN_STATS_VCPU
            | lib.VIR_DOMAIN_STATS_INTERFACE
            | lib.VIR_DOMAIN_STATS_BLOCK
        )
        flags = lib.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | lib.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT
        return list(self.virt.getAllDomainStats(wanted, flags))

    def definition(self, domain: Any, identity: str) -> Definition:
        """What stays the same until the domain is defined anew; read once."""
        with self._lock:
            found = self._definitions.get(identity)
        if found is None:
            found = definition(domain.XMLDesc(self.libvirt.VIR_DOMAIN_XML_INACTIVE if domain.isPersistent() else 0))
            with self._lock:
                self._definitions[identity] = found
        return found

    def autostarted(self) -> frozenset[str]:
        """Ids of the domains that start with their host, in one call."""
        found = self.virt.listAllDomains(self.libvirt.VIR_CONNECT_LIST_DOMAINS_AUTOSTART)
        return frozenset(domain.UUIDString() for domain in found)

    def facts(self, domain: Any, identity: str, autostarted: frozenset[str] | None = None) -> dict[str, Any]:
        """What changes: state, saved memory, number of snapshots, start, and whether it starts with the host."""
        state, reason = (int(number) for number in domain.state()[:2])
        off = not domain.isActive()
        return {
            "state": state,
            "starting": (state, reason) == _STARTING_UP,
            "persistent": bool(domain.isPersistent()),
            "saved": off and bool(self._optional(domain.hasManagedSaveImage, 0)),
            "snapshots": self._optional(domain.snapshotNum, 0),
            "autostart": bool(self._optional(lambda _: domain.autostart(), 0))
            if autostarted is None
            else identity in autostarted,
            "started": None if off else self._start_of(identity),
        }

    def _start_of(self, identity: str) -> float | None:
        """Of one that ran before boxtop came, from its process here; looked for once."""
        if identity not in self._started and identity not in self._without_start:
            self._without_start.add(identity)
            if self.is_local():
                for found, at in starts().items():
                    self._started.setdefault(found, at)
        return self._started.get(identity)

    def forget(self, identity: str) -> None:
        """Read its definition anew the next time."""
        with self._lock:
            self._definitions.pop(identity, None)

    def keep_only(self, ids: set[str]) -> None:
        with self._lock:
            for known in (self._definitions, self._started):
                for identity in [identity for identity in known if identity not in ids]:
                    known.pop(identity, None)

    def tree(self, domain: Any) -> Any:
        """Its XML, live where it runs, as JSON-like data; never with what the security flag would show."""
        return _data(ElementTree.fromstring(domain.XMLDesc(0)))  # noqa: S314 - libvirt wrote it

    def close(self) -> None:
        """Never raises; waits for the daemon as long as the keep-alive does at most."""
        self.closed = True
        for other in self._beside.values():
            other.close()
        for callback in self._callbacks:
            with suppress(Exception):
                self.virt.domainEventDeregisterAny(callback)
        with suppress(Exception):
            self.virt.unregisterCloseCallback()
        with suppress(Exception):
            self.virt.close()

    def _optional(self, ask: Callable[[int], Any], flags: int) -> int:
        """0 where the hypervisor knows nothing of it."""
        try:
            return int(ask(flags))
        except self.libvirt.libvirtError:
            return 0

    def _event(self, _connection: Any, domain: Any, event: int, _detail: int, _opaque: Any) -> None:
        identity = domain.UUIDString()
        if event == _STARTED:
            self._started[identity] = time.time()
        elif event == _STOPPED:
            self._started.pop(identity, None)
            self._without_start.discard(identity)
        if event in {_DEFINED, _UNDEFINED, _STARTED, _STOPPED}:
            self.forget(identity)
        self._changed(identity)

    def _metadata(self, _connection: Any, domain: Any, *_: Any) -> None:
        self.forget(domain.UUIDString())
        self._changed(domain.UUIDString())

    def _gone(self, _connection: Any, reason: int, _opaque: Any) -> None:
        if not self.closed:
            self._lost({1: "the daemon ended", 2: "the daemon does not answer"}.get(reason, "the connection broke"))


class Beside(Connection):
    """A connection of its own that shares what the first one knows.

    While libvirt's library waits for one long answer (9.0 at least), other calls of the connection are stuck for
    seconds each: whoever wakes the waiting thread may come too early, and is heard only at the next sign of life.
    """

    def __init__(self, first: Connection) -> None:
        self.libvirt, self.uri, self._here = first.libvirt, first.uri, first._here
        self._lock, self._definitions = first._lock, first._definitions
        self._started, self._without_start = first._started, first._without_start
        self._first = first
        self._own = threading.Lock()
        self._virt: Any = None

    @property
    def closed(self) -> bool:  # type: ignore[override]
        return self._first.closed

    @property
    def virt(self) -> Any:
        """Opened at first, and again when it broke; blocks meanwhile."""
        with self._own:
            if self._virt is None or not self._virt.isAlive():
                if self._first.closed:
                    raise EngineError("libvirt is not connected")
                try:
                    self._virt = self.libvirt.open(uris.quiet(self.uri))
                except self.libvirt.libvirtError as error:
                    raise errors.connect_error(error, self.uri) from error
                with suppress(self.libvirt.libvirtError):
                    self._virt.setKeepAlive(KEEPALIVE_INTERVAL, KEEPALIVE_COUNT)
            return self._virt

    def beside(self, purpose: str) -> Connection:
        return self._first.beside(purpose)

    def close(self) -> None:
        virt = self._virt
        if virt is not None:
            with suppress(Exception):
                virt.close()


def _data(element: ElementTree.Element) -> Any:
    """XML as nested data: attributes and children by name, several of a name as a list, plain text as itself."""
    found: dict[str, Any] = dict(element.attrib)
    for child in element:
        name, value = child.tag.partition("}")[2] or child.tag, _data(child)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    text = (element.text or "").strip()
    if not found:
        return text
    if text:
        found["text"] = text
    return found
