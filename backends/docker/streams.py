"""One HTTP exchange with an engine on a connection of its own: for bodies and answers that take long.

The SDK's own streaming calls cannot be ended from another thread, and keep the whole body in memory here and there.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from backends.base import ActionError
from backends.docker.client import CALL_TIMEOUT, Connection
from backends.docker.errors import action_error
from backends.docker.transport import DialedConnection, UnchunkedConnection, wake
from backends.text import clean

_CHUNK = 1 << 16
_LONGEST_LINE = 1 << 20
_LONGEST_ANSWER = 1 << 24


class Exchange:
    """Blocking; used by one thread, ended by `close` from any. Raises EngineError or ActionError from its methods."""

    def __init__(self, connection: Connection, *, chunked: bool = True) -> None:
        """`chunked` False: the answer is a flood of small writes, and comes without the framing of each."""
        self._connection = connection
        kind = DialedConnection if chunked else UnchunkedConnection
        self._http = kind(connection.dialer, CALL_TIMEOUT)
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._response: http.client.HTTPResponse | None = None
        self.closed = False

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | list[str]] | None = None,
        *,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        silence: float | None = None,
    ) -> http.client.HTTPResponse:
        """Send it and wait for the head of the answer; a status from 400 up is raised with the engine's words.

        `path` is without the API version. An iterable body is sent in chunks. `silence`: seconds without a byte after
        which it counts as lost; None: any time.
        """
        try:
            self._connect()
            assert self._socket is not None  # noqa: S101
            self._socket.settimeout(silence)
            target = f"/v{self._connection.api_version}{path}"
            if query:
                target += "?" + urlencode(query, doseq=True)
            chunked = body is not None and not isinstance(body, bytes)
            sent = dict(headers or {})
            if chunked:
                sent["Transfer-Encoding"] = "chunked"
            try:
                self._http.request(method, target, body=body, headers=sent, encode_chunked=chunked)
            except (BrokenPipeError, ConnectionResetError):
                # An engine that refuses a body need not read it to its end: its reason may be there all the same
                if body is None or self.closed:
                    raise
            self._response = self._http.getresponse()
            if self._response.status >= 400:
                raise ActionError(_message(self._response))
            return self._response
        except ActionError:
            raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._error(error) from error

    def lines(self) -> Iterator[dict[str, Any]]:
        """The answer's JSON objects, one a line, as they come."""
        assert self._response is not None  # noqa: S101
        try:
            while line := self._response.readline(_LONGEST_LINE):
                with suppress(ValueError):
                    entry = json.loads(line)
                    if isinstance(entry, dict):
                        yield entry
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._error(error) from error

    def json(self) -> Any:
        """The whole answer as JSON data, at most 16 MiB; None where it is none."""
        data = bytearray()
        for chunk in self.chunks():
            data += chunk
            if len(data) > _LONGEST_ANSWER:
                raise ActionError("the engine's answer is too long")
        try:
            return json.loads(data)
        except ValueError:
            return None

    def chunks(self) -> Iterator[bytes]:
        """The answer's bytes as they come, at most 64 KiB at once."""
        assert self._response is not None  # noqa: S101
        try:
            while chunk := self._response.read1(_CHUNK):
                yield chunk
            if self._response.length:
                # cut off, which http.client does not tell where the length was announced
                raise http.client.IncompleteRead(b"", self._response.length)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._error(error) from error

    def close(self) -> None:
        """End it, also while another thread waits for it."""
        with self._lock:
            self.closed = True
            if self._socket is not None:
                wake(self._socket)

    def finish(self) -> None:
        """Give the connection back; by the thread that used it."""
        self.close()
        self._http.close()

    def renew(self) -> None:
        """Be ready for another request, on a connection of its own; by the thread that uses it."""
        with self._lock:
            self._socket = None
        if self._response is not None:
            self._response.close()
        self._http.close()

    def _connect(self) -> None:
        self._http.connect()
        with self._lock:
            self._socket = self._http.sock
            if self.closed and self._socket is not None:
                wake(self._socket)

    def _error(self, error: BaseException) -> Exception:
        if self.closed:
            return ActionError("cancelled")
        return action_error(error, self._connection.endpoint)


def _message(response: http.client.HTTPResponse) -> str:
    """The engine's words for a refusal."""
    raw = response.read(_CHUNK)
    text = raw.decode(errors="replace")
    with suppress(ValueError):
        answer = json.loads(raw)
        if isinstance(answer, dict):
            text = str(answer.get("message") or answer.get("cause") or text)
    return clean(text.strip(), 500) or f"the engine answered with HTTP status {response.status}"
