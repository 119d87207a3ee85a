"""A connection that an engine gives over to raw bytes: a command's terminal, an attached process.

Docker Engine API 1.41: `POST /exec/{id}/start` and `POST /containers/{id}/attach`, "Hijacking" and "Stream format".
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from typing import Any

from backends.base import ActionError
from backends.console import Console
from backends.docker.client import CALL_TIMEOUT, Connection
from backends.docker.errors import action_error
from backends.docker.transport import Dialer, wake
from backends.text import clean

_CHUNK = 1 << 16
_LONGEST_HEAD = 1 << 15
_FRAME = 8
_RESIZE_TRIES = 10
_RESIZE_PAUSE = 0.05


class Hijack:
    """Asks for such a connection; blocking, ended by `close` from any thread.

    It has a dialer of its own: the backend's connection may come and go meanwhile, and this one stays.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._dialer = Dialer(connection.endpoint)

    def open(self, path: str, body: Mapping[str, Any] | None = None) -> tuple[socket.socket, bytes, bool]:
        """The socket, what came after the answer's head, and whether its bytes come in frames.

        `path` is without the API version. Raises ActionError with the engine's refusal, or EngineError.
        """
        # Podman takes a body that it does not expect for the first of the input
        data = b"" if body is None else json.dumps(body).encode()
        head = (
            f"POST /v{self._connection.api_version}{path} HTTP/1.1\r\nHost: localhost\r\n"
            "Content-Type: application/json\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
            f"Content-Length: {len(data)}\r\n\r\n"
        )
        try:
            link = self._dialer.dial(CALL_TIMEOUT)
            link.sendall(head.encode() + data)
            status, fields, rest = _read_head(link)
            if status >= 300:
                raise ActionError(_refusal(link, status, fields, rest))
        except ActionError:
            self.close()
            raise
        except (OSError, ValueError) as error:
            failure = action_error(error, self._connection.endpoint)
            self.close()
            raise failure from error
        return link, rest, "multiplexed" in fields.get("content-type", "")

    def close(self) -> None:
        self._dialer.close()


def _read_head(link: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Status, header fields in lower case, and the bytes that came behind the head."""
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = link.recv(4096)
        if not chunk or len(data) > _LONGEST_HEAD:
            raise ConnectionResetError("the engine closed the connection")
        data += chunk
    head, _, rest = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) < 2 or not words[1].isdigit():
        raise ValueError("this is no answer in HTTP")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(words[1]), fields, rest


def _refusal(link: socket.socket, status: int, fields: Mapping[str, str], data: bytes) -> str:
    """The engine's words for it."""
    with contextlib.suppress(OSError):
        length = int(fields.get("content-length") or 0)
        while len(data) < min(length, _CHUNK) and (chunk := link.recv(4096)):
            data += chunk
    text = data.decode(errors="replace")
    start, end = text.find("{"), text.rfind("}")
    with contextlib.suppress(ValueError):
        answer = json.loads(text[start : end + 1])
        text = str(answer.get("message") or answer.get("cause") or text)
    return clean(text.strip(), 500) or f"the engine answered with HTTP status {status}"


class EngineConsole(Console):
    """A hijacked connection as a Console."""

    def __init__(
        self,
        link: socket.socket,
        first: bytes,
        close: Callable[[], None],
        *,
        framed: bool = False,
        resize: Callable[[int, int], None] | None = None,
    ) -> None:
        """`first`: what came already. `resize` is a blocking call, made in a thread of its own."""
        link.setblocking(False)
        self._link = link
        self._waiting = first
        self._frames = _Frames() if framed else None
        self._end = close
        self._resizer = _Resizer(resize) if resize else None
        self._closed = False
        self.ended = False
        """The far end closed it."""

    def fileno(self) -> int:
        return self._link.fileno()

    @property
    def pending(self) -> bool:
        return bool(self._waiting) or (isinstance(self._link, ssl.SSLSocket) and self._link.pending() > 0)

    def recv(self) -> bytes | None:
        if self._waiting:
            data, self._waiting = self._waiting, b""
        else:
            try:
                data = self._link.recv(_CHUNK)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return None
            except (ssl.SSLEOFError, ssl.SSLZeroReturnError):
                data = b""
        self.ended = not data
        if not data or self._frames is None:
            return data
        return self._frames.take(data) or None

    def send(self, data: bytes) -> int:
        try:
            return self._link.send(data)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0

    def end_input(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            if isinstance(self._link, ssl.SSLSocket):
                # says so to the other side, and would then wait for it to do the same
                self._link.unwrap()
            else:
                self._link.shutdown(socket.SHUT_WR)

    def resize(self, columns: int, rows: int) -> None:
        if self._resizer is not None:
            self._resizer.want(columns, rows)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._resizer is not None:
            self._resizer.close()
        wake(self._link)
        self._end()
        self._link.close()


class _Frames:
    """Takes a multiplexed stream apart: 8 bytes of head (stream, 0, 0, 0, length), then so many bytes."""

    def __init__(self) -> None:
        self._data = b""

    def take(self, data: bytes) -> bytes:
        data = self._data + data
        found = []
        at = 0
        while len(data) - at >= _FRAME:
            (length,) = struct.unpack_from(">I", data, at + 4)
            if len(data) - at - _FRAME < length:
                break
            found.append(data[at + _FRAME : at + _FRAME + length])
            at += _FRAME + length
        self._data = data[at:]
        return b"".join(found)


class _Resizer:
    """Tells the engine the newest size from a thread of its own, as a frozen engine must not hold up the keyboard."""

    def __init__(self, call: Callable[[int, int], None]) -> None:
        self._call = call
        self._wanted: tuple[int, int] | None = None
        self._wake = threading.Event()
        self._closed = False
        threading.Thread(target=self._run, name="console-resize", daemon=True).start()

    def want(self, columns: int, rows: int) -> None:
        self._wanted = (columns, rows)
        self._wake.set()

    def close(self) -> None:
        self._closed = True
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            # An engine refuses it while the process is still being started
            for _ in range(_RESIZE_TRIES):
                wanted = self._wanted
                if self._closed or wanted is None:
                    break
                try:
                    self._call(*wanted)
                except Exception:
                    threading.Event().wait(_RESIZE_PAUSE)
                    continue
                break
            if self._closed:
                return
