"""What the engine tells of one container. Docker Engine API 1.41 `GET /containers/{id}/json`."""

from __future__ import annotations

from typing import Any

from backends.base import ActionError
from backends.docker.client import Connection
from backends.docker.errors import status


def inspected(connection: Connection, container: str) -> dict[str, Any]:
    """The engine's answer for a container. Blocks; raises ActionError when it is gone."""
    try:
        answer: dict[str, Any] = connection.asking.inspect_container(container)
    except Exception as error:
        if status(error) == 404:
            raise ActionError("the container is gone") from error
        raise
    return answer
