"""One engine connection: the SDK's low-level client on our transport, the API version agreed with the engine."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from backends.base import EngineError
from backends.docker.errors import engine_error
from backends.docker.locate import Endpoint
from backends.docker.transport import Dialer, mount
from backends.text import clean

if TYPE_CHECKING:
    from docker.api.client import APIClient

CALL_TIMEOUT = 10.0
ACTION_TIMEOUT = 120.0
"""Starting from a slow disk or removing much takes an engine long; stop and restart add the container's own timeout."""

NEWEST = (1, 51)
"""The newest API version whose answers boxtop knows (engine 28.3); a newer engine is spoken to in this one."""
OLDEST_DOCKER = (1, 41)
OLDEST_PODMAN = (1, 40)


class Connection:
    """A client for questions and one for actions, which may take longer; both end at once with `close`. Thread-safe."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Asks nothing yet, so that its owner can end it from the first moment."""
        self.endpoint = endpoint
        self.dialer = Dialer(endpoint)
        self.podman = endpoint.podman
        self._clients: list[APIClient] = []

    def shake_hands(self) -> None:
        """Agree on what is spoken; before anything else. Blocks. Raises EngineError."""
        endpoint = self.endpoint
        try:
            probe = self._client("1.41", CALL_TIMEOUT)
            answer: dict[str, Any] = probe.version(api_version=False)
            if not isinstance(answer, dict) or "ApiVersion" not in answer:
                raise EngineError(f"{clean(endpoint.url, 200)} is no Docker or Podman engine", "check the address")
            components = answer.get("Components") or []
            names = [str(part.get("Name", "")) for part in components if isinstance(part, dict)]
            self.podman = any(name.startswith("Podman") for name in names)
            if self.podman:
                self.endpoint = replace(endpoint, podman=True)
            self.version = clean(str(answer.get("Version") or ""), 64)
            self.kernel = str(answer.get("KernelVersion") or "")
            self.api_version = agree(str(answer["ApiVersion"]), str(answer.get("MinAPIVersion") or ""), self.product)
            self.asking = self._client(self.api_version, CALL_TIMEOUT)
            self.acting = self._client(self.api_version, ACTION_TIMEOUT)
        except BaseException as error:
            said = self.dialer.complaint()
            self.dialer.close()
            if isinstance(error, Exception):
                raise engine_error(error, endpoint, said) from error
            raise

    @property
    def product(self) -> str:
        return "podman" if self.podman else "docker"

    @property
    def may_be_local(self) -> bool:
        """A Unix socket whose engine runs on this kernel release; a forwarded one or a VM's has another."""
        return bool(self.endpoint.path) and self.kernel in {"", os.uname().release}

    def close(self) -> None:
        """End all its calls and streams, a handshake under way too. Takes at most half a second."""
        self.dialer.close()
        for client in self._clients:
            client.close()

    def _client(self, version: str, timeout: float) -> APIClient:
        from docker.api.client import APIClient

        # The address only picks the SDK's plain-HTTP scheme; the mounted transport knows the real one
        client = APIClient(base_url="unix:///var/run/docker.sock", version=version, timeout=timeout)  # type: ignore[arg-type]
        # No .netrc to be read for each request, no proxy between us and a socket
        client.trust_env = False
        mount(client, self.dialer)
        self._clients.append(client)
        return client


def agree(newest: str, oldest: str, product: str) -> str:
    """The API version to speak with an engine that serves `oldest` to `newest`. Raises EngineError if there is none."""
    theirs, least = _numbers(newest), _numbers(oldest)
    ours = OLDEST_PODMAN if product == "podman" else OLDEST_DOCKER
    if theirs < ours:
        needed = "Podman 3.4" if product == "podman" else "Docker 20.10"
        raise EngineError(
            f"this {product} is too old: its API is {clean(newest, 20)}, boxtop needs {ours[0]}.{ours[1]}",
            f"update it to {needed} or newer",
        )
    agreed = max(min(theirs, NEWEST), least)
    return f"{agreed[0]}.{agreed[1]}"


def _numbers(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else (0, 0)
