"""A domain's console through libvirt's stream (virDomainOpenConsole, libvirt 9.0)."""

from __future__ import annotations

import os
import select
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from backends.abilities.serial import Serial, SerialPort, SerialTaken
from backends.base import ActionError
from backends.console import Console
from backends.libvirt.connection import Connection
from backends.libvirt.errors import code
from backends.model import Ref
from backends.socket_console import SocketConsole

if TYPE_CHECKING:
    from backends.libvirt.backend import LibvirtBackend

_CHUNK = 1 << 16
_OPERATION_FAILED = 9
_ALIVE = 2.0
"""Seconds of silence after which the daemon's connection is looked at."""
_USABLE = {"pty", "unix"}
_PORT = '<serial type="pty"><target port="0"/></serial>'


class LibvirtSerial(Serial):
    def __init__(self, backend: LibvirtBackend) -> None:
        self._backend = backend

    async def port(self, ref: Ref) -> SerialPort:
        return await self._backend.ask(lambda connection: _port(connection, ref.id))

    async def open(self, ref: Ref, *, force: bool = False) -> Console:
        return await self._backend.ask(lambda connection: _open(connection, ref.id, force=force))

    async def add(self, ref: Ref) -> None:
        def work(connection: Connection) -> None:
            domain = connection.domain(ref.id)
            if not _port(connection, ref.id).offer:
                raise ActionError("the VM changed meanwhile: no port was added")
            domain.attachDeviceFlags(_PORT, connection.libvirt.VIR_DOMAIN_AFFECT_CONFIG)
            connection.forget(ref.id)

        await self._backend.act(work)


def _port(connection: Connection, identity: str) -> SerialPort:
    domain = connection.domain(identity)
    active = bool(domain.isActive())
    if active and (kind := _kind(domain.XMLDesc(0))):
        return SerialPort(kind)
    later = domain.XMLDesc(connection.libvirt.VIR_DOMAIN_XML_INACTIVE) if domain.isPersistent() else ""
    if later and _kind(later):
        text = "it has one from its next start on: restart it" if active else "it is off: start it first"
        return SerialPort(reason=text)
    if later and _any(later):
        return SerialPort(reason="its serial port is wired to something else: only a pty can be joined")
    if active or not later:
        return SerialPort(reason="it has no serial port; one can be added when it is off")
    return SerialPort(reason="it has no serial port", offer="a serial port as a pty")


def _ports(xml: str) -> list[ElementTree.Element]:
    devices = ElementTree.fromstring(xml).find("devices")  # noqa: S314 - libvirt wrote it
    return [] if devices is None else [*devices.iterfind("console"), *devices.iterfind("serial")]


def _kind(xml: str) -> str:
    """How the first port that can be joined is wired: libvirt itself joins the first console."""
    return next((kind for element in _ports(xml) if (kind := element.get("type") or "") in _USABLE), "")


def _any(xml: str) -> bool:
    return bool(_ports(xml))


def _open(connection: Connection, identity: str, *, force: bool) -> Console:
    lib, domain = connection.libvirt, connection.domain(identity)
    stream = connection.virt.newStream(lib.VIR_STREAM_NONBLOCK)
    flags = lib.VIR_DOMAIN_CONSOLE_FORCE if force else lib.VIR_DOMAIN_CONSOLE_SAFE
    try:
        domain.openConsole(None, stream, flags)
    except lib.libvirtError as error:
        if code(error) == _OPERATION_FAILED and not force:
            raise SerialTaken("somebody is connected to its serial port") from error
        raise
    return StreamConsole(lib, stream, connection.virt)


class StreamConsole(SocketConsole):
    """A stream of libvirt as one end of a pair of sockets, whose buffers slow down whoever is too fast.

    libvirt's event thread reads and writes the stream; a thread here moves what does not fit at once.
    """

    def __init__(self, library: Any, stream: Any, virt: Any) -> None:
        near, self._far = socket.socketpair()
        super().__init__(near)
        self._far.setblocking(False)
        self._library, self._stream, self._virt = library, stream, virt
        self._lock = threading.Lock()
        self._held = self._typed = b""
        """What the terminal, and what the stream did not take yet."""
        self._over = self._lost = False
        self._wake_read, self._wake_write = os.pipe()
        self._events = 0
        stream.eventAddCallback(self._wanted(), self._event, None)
        self._thread = threading.Thread(target=self._move, name="libvirt-console", daemon=True)
        self._thread.start()

    def recv(self) -> bytes | None:
        data = super().recv()
        if data == b"" and self._lost:
            raise ConnectionResetError("libvirt does not answer any more")
        return data

    def close(self) -> None:
        self._end()
        self._thread.join(0.4)
        super().close()

    def _wanted(self) -> int:
        """The events to be told of; with the lock held, but at first."""
        lib = self._library
        self._events = lib.VIR_STREAM_EVENT_HANGUP | lib.VIR_STREAM_EVENT_ERROR
        if not self._held:
            self._events |= lib.VIR_STREAM_EVENT_READABLE
        if self._typed:
            self._events |= lib.VIR_STREAM_EVENT_WRITABLE
        return int(self._events)

    def _event(self, stream: Any, events: int, _: Any) -> None:
        """In libvirt's event thread."""
        lib = self._library
        try:
            with self._lock:
                if self._over:
                    return
                before = self._events
                if events & lib.VIR_STREAM_EVENT_READABLE and not self._held:
                    data = stream.recv(_CHUNK)
                    if data == b"":
                        self._over = True
                    elif data != -2:
                        self._show(data)
                if events & lib.VIR_STREAM_EVENT_WRITABLE and self._typed:
                    sent = stream.send(self._typed)
                    self._typed = self._typed[max(0, sent) :]
                if events & (lib.VIR_STREAM_EVENT_HANGUP | lib.VIR_STREAM_EVENT_ERROR):
                    self._over = True
                if self._wanted() != before and not self._over:
                    stream.eventUpdateCallback(self._events)
        except (lib.libvirtError, OSError):
            self._over = True
        self._wake()

    def _show(self, data: bytes) -> None:
        with suppress(BlockingIOError):
            data = data[self._far.send(data) :]
        self._held = data

    def _move(self) -> None:
        while True:
            with self._lock:
                over, held, typed = self._over, self._held, self._typed
            if over:
                break
            reads: list[Any] = [self._wake_read] if typed else [self._wake_read, self._far]
            readable, writable, _ = select.select(reads, [self._far] if held else [], [], _ALIVE)
            if not (readable or writable) and not self._alive():
                self._lost = True
                break
            if self._wake_read in readable:
                os.read(self._wake_read, 4096)
            with self._lock, suppress(BlockingIOError):
                try:
                    if writable:
                        self._show(self._held)
                    if self._far in readable:
                        self._typed = self._far.recv(_CHUNK)
                        self._over = self._over or not self._typed
                    before = self._events
                    if not self._over and self._wanted() != before:
                        self._stream.eventUpdateCallback(self._events)
                except (self._library.libvirtError, OSError):
                    self._over = True
        with suppress(self._library.libvirtError):
            self._stream.eventRemoveCallback()
        with suppress(self._library.libvirtError):
            self._stream.abort()
        # what is still held is the last the guest wrote
        with suppress(OSError):
            self._far.send(self._held)
        self._far.close()
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _alive(self) -> bool:
        """Whether the daemon is there: the stream itself is not told when it is gone."""
        try:
            return bool(self._virt.isAlive())
        except self._library.libvirtError:
            return False

    def _end(self) -> None:
        with self._lock:
            self._over = True
        self._wake()

    def _wake(self) -> None:
        with suppress(OSError):
            os.write(self._wake_write, b"x")
