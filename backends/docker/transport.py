"""How bytes reach an engine: one kind of socket for Unix, TCP, TLS and ssh endpoints, ended from outside at once.

The SDK's own ssh transport is not used: it needs paramiko, lets ssh write to the terminal and ask for passwords
there, has no timeouts, and leaves its children.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import os
import shlex
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from backends.docker.locate import Endpoint, Tls

_SSH_END = 0.3
"""Seconds the ssh commands together have to end by themselves."""


class SshError(OSError):
    """The ssh command could not carry the connection; the text is what it said."""


class Dialer:
    """Opens sockets to one endpoint, and ends all of them, with ssh's processes, on `close`. Thread-safe."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._lock = threading.Lock()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._commands: list[_Command] = []
        self._closed = False

    def dial(self, timeout: float | None) -> socket.socket:
        """A connected socket. Raises OSError (TimeoutError, ssl.SSLError, SshError among them)."""
        scheme = urlsplit(self.endpoint.url).scheme
        if scheme == "unix":
            return _dial_unix(self.endpoint.path, timeout, self._keep)
        if scheme == "ssh":
            return self._dial_ssh(timeout)
        return _dial_tcp(self.endpoint, timeout, self._keep)

    def _keep(self, connection: socket.socket) -> None:
        """Have `close` end it; called before anything is waited for on it."""
        with self._lock:
            if not self._closed:
                self._sockets.add(connection)
                return
        raise ConnectionAbortedError("the connection was closed")

    def complaint(self) -> str:
        """What the newest ssh command that ended said on its stderr; empty for other endpoints."""
        with self._lock:
            commands = list(self._commands)
        for command in reversed(commands):
            said = command.complaint()
            if said:
                return said
        return ""

    def close(self) -> None:
        """End every socket, so that threads waiting on one return at once. Takes at most half a second."""
        with self._lock:
            self._closed = True
            sockets, commands = list(self._sockets), self._commands
            self._commands = []
        for connection in sockets:
            # Only woken here: closing is its reader's, whose file descriptor must not be taken from under it
            wake(connection)
        for command in commands:
            command.terminate()
        deadline = time.monotonic() + _SSH_END
        for command in commands:
            command.end(deadline)

    def _dial_ssh(self, timeout: float | None) -> socket.socket:
        ours, theirs = socket.socketpair()
        try:
            ours.settimeout(timeout)
            with theirs:
                command = _Command(ssh_command(self.endpoint), theirs)
            with self._lock:
                if not self._closed:
                    self._commands = [other for other in self._commands if not other.ended] + [command]
                    self._sockets.add(ours)
                    return ours
            command.terminate()
            command.end(time.monotonic() + _SSH_END)
            raise ConnectionAbortedError("the connection was closed")
        except BaseException:
            ours.close()
            raise


class _Command:
    """One ssh child whose stdin and stdout are a socket of ours."""

    def __init__(self, arguments: list[str], pipe: socket.socket) -> None:
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            # A session of its own: no terminal to ask on, and the terminal's Ctrl-C does not reach it
            self._process = subprocess.Popen(
                arguments,
                stdin=pipe.fileno(),
                stdout=pipe.fileno(),
                stderr=self._stderr,
                start_new_session=True,
                env={**os.environ, "SSH_ASKPASS_REQUIRE": "never"},
            )
        except FileNotFoundError:
            raise SshError("the ssh command is not installed") from None

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def complaint(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            # The socket breaks a moment before the process ends and its last words are in the file
            self._process.wait(0.5)
        if not self._process.returncode:
            return ""
        with contextlib.suppress(OSError, ValueError):
            size = os.fstat(self._stderr.fileno()).st_size
            lines = os.pread(self._stderr.fileno(), 4096, max(0, size - 4096)).decode(errors="replace").splitlines()
            told = [line for line in lines if line.strip() and not line.startswith("debug")]
            return told[-1] if told else ""
        return ""

    def terminate(self) -> None:
        self._process.terminate()

    def end(self, deadline: float) -> None:
        """Wait for its end until `deadline` (monotonic), then kill it."""
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.1)
        self._stderr.close()


class DialedConnection(http.client.HTTPConnection):
    """A plain HTTP connection over a dialed socket, for streams."""

    def __init__(self, dialer: Dialer, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._dialer = dialer

    def connect(self) -> None:
        self.sock = self._dialer.dial(self.timeout)


class UnchunkedConnection(DialedConnection):
    """Speaks HTTP/1.0, so that an endless answer comes as it is.

    Engines send each line of a log as a chunk of its own: taking a flood out of its chunks costs more than the lines.
    """

    _http_vsn = 10
    _http_vsn_str = "HTTP/1.0"


def mount(client: Any, dialer: Dialer) -> None:
    """Have the SDK's low-level client (a requests.Session) send everything through `dialer`."""
    import requests.adapters
    import urllib3
    import urllib3.connection

    class Connection(urllib3.connection.HTTPConnection):
        def connect(self) -> None:
            timeout = self.timeout if isinstance(self.timeout, (int, float)) else None
            self.sock = dialer.dial(timeout)

    class Pool(urllib3.HTTPConnectionPool):
        ConnectionCls = Connection

    class Adapter(requests.adapters.HTTPAdapter):
        def __init__(self) -> None:
            super().__init__()
            self._pool = Pool("localhost", maxsize=16)

        def get_connection_with_tls_context(self, *_: Any, **__: Any) -> Any:
            return self._pool

        def get_connection(self, *_: Any, **__: Any) -> Any:
            """What requests before 2.32 calls."""
            return self._pool

        def request_url(self, request: Any, *_: Any) -> str:
            return str(request.path_url)

        def close(self) -> None:
            self._pool.close()
            super().close()

    client.mount("http+docker://", Adapter())


def ssh_command(endpoint: Endpoint) -> list[str]:
    """The command that carries one connection, as the docker CLI's: the engine's own `dial-stdio` at the far end."""
    parts = urlsplit(endpoint.url)
    program = "podman" if endpoint.podman else "docker"
    command = ["ssh", "-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=15"]
    if parts.username:
        command += ["-l", unquote(parts.username)]
    if parts.port:
        command += ["-p", str(parts.port)]
    remote = [program, "system", "dial-stdio"]
    if parts.path.strip("/"):
        remote = [program, "--url" if endpoint.podman else "--host", f"unix://{unquote(parts.path)}", *remote[1:]]
    # ssh joins its words and the far shell splits them again
    return [*command, "--", parts.hostname or "", shlex.join(remote)]


def wake(connection: socket.socket) -> None:
    """End a socket's traffic, so that its reader returns; on a closed socket nothing."""
    with contextlib.suppress(OSError):
        # Not an SSLSocket's own, which takes its TLS state from under a reader
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def _dial_unix(path: str, timeout: float | None, keep: Callable[[socket.socket], None]) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        keep(connection)
        connection.settimeout(timeout)
        connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection


def _dial_tcp(endpoint: Endpoint, timeout: float | None, keep: Callable[[socket.socket], None]) -> socket.socket:
    parts = urlsplit(endpoint.url)
    host = parts.hostname or ""
    connection = _dial_host(host, parts.port or 0, timeout, keep)
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        # A vanished machine is noticed within half a minute, also on a silent event stream
        for option, value in (("TCP_KEEPIDLE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
            if hasattr(socket, option):
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        if endpoint.tls is None:
            return connection
        context = tls_context(endpoint.tls)
        secured = context.wrap_socket(connection, server_hostname=host, do_handshake_on_connect=False)
    except BaseException:
        connection.close()
        raise
    try:
        keep(secured)
        secured.do_handshake()
    except BaseException:
        secured.close()
        raise
    return secured


def _dial_host(host: str, port: int, timeout: float | None, keep: Callable[[socket.socket], None]) -> socket.socket:
    """The first of the host's addresses that answers, each given `timeout` seconds."""
    failure: OSError = ConnectionRefusedError(errno.ECONNREFUSED, "no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        connection = socket.socket(family, kind, protocol)
        try:
            keep(connection)
            connection.settimeout(timeout)
            connection.connect(address)
        except ConnectionAbortedError:
            connection.close()
            raise
        except OSError as error:
            connection.close()
            failure = error
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise failure


def tls_context(tls: Tls) -> ssl.SSLContext:
    """Verifying against the CA file, or the system's CAs without one; unverified only where the user said so."""
    context = ssl.create_default_context(cafile=tls.ca or None)
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.certificate and tls.key:
        context.load_cert_chain(tls.certificate, tls.key)
    return context
