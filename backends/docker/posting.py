"""Changes the SDK has no words for: JSON posted to the engine."""

from __future__ import annotations

import json
from typing import Any

from backends.docker.client import ACTION_TIMEOUT, Connection
from backends.docker.streams import Exchange


def post(connection: Connection, path: str, data: dict[str, Any]) -> dict[str, Any]:
    """The engine's answer to data posted to `path`, which is without the API version. Blocks.

    Raises ActionError with the engine's refusal, or EngineError.
    """
    exchange = Exchange(connection)
    try:
        headers = {"Content-Type": "application/json"}
        exchange.request("POST", path, body=json.dumps(data).encode(), headers=headers, silence=ACTION_TIMEOUT)
        raw = b"".join(exchange.chunks())
    finally:
        exchange.finish()
    try:
        answer = json.loads(raw) if raw.strip() else {}
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
