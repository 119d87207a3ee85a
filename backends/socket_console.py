"""A console over a connected socket: a serial port that listens, or one end of a pair."""

from __future__ import annotations

import socket
from contextlib import suppress

from backends.console import Console

_CHUNK = 1 << 16


class SocketConsole(Console):
    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        connected.setblocking(False)

    def fileno(self) -> int:
        return self._socket.fileno()

    def recv(self) -> bytes | None:
        try:
            return self._socket.recv(_CHUNK)
        except (BlockingIOError, InterruptedError):
            return None
        except (ConnectionResetError, BrokenPipeError):
            # whoever powers a VM off leaves what was typed unread
            return b""

    def send(self, data: bytes) -> int:
        try:
            return self._socket.send(data)
        except (BlockingIOError, InterruptedError):
            return 0

    def close(self) -> None:
        with suppress(OSError):
            self._socket.close()
