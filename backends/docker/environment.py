"""The docker CLI's variables for an engine, and Podman's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from backends.abilities.environment import Environment
from backends.docker.compose import environment_for

if TYPE_CHECKING:
    from backends.docker.backend import DockerBackend

_OURS = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION")


class DockerEnvironment(Environment):
    def __init__(self, backend: DockerBackend) -> None:
        self._backend = backend

    def leading(self, environment: Mapping[str, str]) -> dict[str, str]:
        connection = self._backend.connected()
        aimed = environment_for(connection.endpoint, environment)
        found = {key: value for key, value in environment.items() if key not in _OURS}
        found |= {key: aimed[key] for key in _OURS if key in aimed}
        if connection.podman:
            found["CONTAINER_HOST"] = connection.endpoint.url
            found.pop("CONTAINER_CONNECTION", None)
        return found
