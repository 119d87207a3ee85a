"""A private image registry on loopback: Debian's docker-registry, own data, ended by its own pid."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.docker_engine import free_port, wait_until
from tests.engines.require import need

USER, PASSWORD = "ada", "correct-horse"
_HTPASSWD = f"{USER}:$2b$04$C3ex3pMxpZ.A60kRbW9JXeWsKW0oOY.ZkBsFA9uMxjotOskR2SDr2\n"
"""PASSWORD in bcrypt, which is all the registry takes."""
_CONFIG = """\
version: 0.1
log: {{level: error}}
storage:
  filesystem: {{rootdirectory: {data}}}
  delete: {{enabled: true}}
http: {{addr: "127.0.0.1:{port}"}}
"""
_AUTH = """\
auth:
  htpasswd: {{realm: private, path: {file}}}
"""


def registry_missing() -> str:
    """Why a private registry cannot run here; empty when it can."""
    return "" if shutil.which("docker-registry") else "docker-registry not found: apt-get install docker-registry"


class PrivateRegistry:
    """One docker-registry with its data below `directory`; with `login`, only USER with PASSWORD may use it."""

    def __init__(self, directory: Path, *, login: bool = False, port: int = 0) -> None:
        self.directory = directory
        self.login = login
        self.port = port or free_port()
        self.host = f"127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        config = _CONFIG.format(data=self.directory / "data", port=self.port)
        if self.login:
            file = self.directory / "htpasswd"
            file.write_text(_HTPASSWD)
            config += _AUTH.format(file=file)
        (self.directory / "config.yml").write_text(config)
        # It takes settings from there, and Podman knows one of the same name
        environment = {key: value for key, value in os.environ.items() if not key.startswith("REGISTRY_")}
        with (self.directory / "registry.log").open("ab") as log:
            self._process = subprocess.Popen(
                ["docker-registry", "serve", str(self.directory / "config.yml")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        wait_until(self._answers, "the registry to answer")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.directory / "registry.log").read_text()[-2000:]
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
            self._process = None


class SlowDoor:
    """A loopback port through which a registry is reached at so many bytes a second."""

    def __init__(self, port: int, rate: int) -> None:
        self._target, self._rate = port, rate
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                threading.Thread(target=_carry, args=(client, server, 0), daemon=True).start()
                threading.Thread(target=_carry, args=(server, client, self._rate), daemon=True).start()


def _carry(source: socket.socket, target: socket.socket, rate: int) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(max(1, rate // 20) if rate else 65536):
            target.sendall(chunk)
            if rate:
                time.sleep(len(chunk) / rate)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _running(*, login: bool) -> Iterator[PrivateRegistry]:
    reason = registry_missing()
    need(not reason, reason)
    registry = PrivateRegistry(Path(tempfile.mkdtemp(prefix="br-", dir="/tmp")), login=login)
    try:
        registry.start()
        yield registry
    finally:
        registry.stop()
        shutil.rmtree(registry.directory, ignore_errors=True)


@pytest.fixture(scope="session")
def registry() -> Iterator[PrivateRegistry]:
    """The session's registry that anybody may use."""
    yield from _running(login=False)


@pytest.fixture(scope="session")
def locked_registry() -> Iterator[PrivateRegistry]:
    """The session's registry that wants a login."""
    yield from _running(login=True)
