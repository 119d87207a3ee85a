"""An engine that answers what it is told to and leaves other questions hanging, as no real one can be made to.

Its answers have the shape of Docker Engine API 1.41.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import threading
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

VERSION = {"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12", "KernelVersion": os.uname().release}
_VERSION = re.compile(r"^/v[\d.]+(?=/)")
PODMAN = VERSION | {"Components": [{"Name": "Podman Engine"}]}


class HostileEngine:
    """A Unix socket at `path`. `answers`: the path of a request, without version and query -> JSON; others hang."""

    def __init__(self, path: Path, answers: dict[str, Any]) -> None:
        self.url = f"unix://{path}"
        self.answers = answers
        self._ended = False
        self._asked: list[str] = []
        self._changed = threading.Condition()
        self.connections = 0
        """That are open now."""
        self._sockets: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(50)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> HostileEngine:
        self._threads[0].start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        for connection in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def wait_asked(self, path: str, count: int = 1) -> None:
        """Until it was asked that so many times."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._asked.count(path) >= count, 20), (path, self._asked)

    def release(self, path: str, answer: Any) -> None:
        """Answer from now on what hung so far."""
        with self._changed:
            self.answers[path] = answer
            self._changed.notify_all()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with self._changed:
            self.connections += 1
        try:
            self._converse(connection)
        finally:
            with self._changed:
                self.connections -= 1

    def _converse(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError), connection.makefile("rb") as reader:
            while line := reader.readline():
                length = 0
                while (header := reader.readline()) not in {b"\r\n", b""}:
                    name, _, value = header.decode().partition(":")
                    length = int(value) if name.lower() == "content-length" else length
                reader.read(length)
                path = _VERSION.sub("", line.split()[1].decode().partition("?")[0])
                with self._changed:
                    self._asked.append(path)
                    self._changed.notify_all()
                    self._changed.wait_for(partial(self._may_go_on, path))
                    if self._ended:
                        return
                body = json.dumps(self.answers[path]).encode()
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    def _may_go_on(self, path: str) -> bool:
        return self._ended or path in self.answers
