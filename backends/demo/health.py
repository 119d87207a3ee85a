"""Health checks of simulated containers, in the shapes of Docker's inspect answer."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from backends.demo.curves import number
from backends.model import Container, Health

_EVERY, _KEPT, _RETRIES = 30.0, 5, 3
_NANOS = 1_000_000_000
# by the start of the repository: what is run, what it says when all is well, and when not
_CHECKS: dict[str, tuple[str, str, str]] = {
    "shop/": (
        "curl --fail --silent --show-error http://localhost:8000/health",
        '{"status": "ok"}',
        "curl: (22) The requested URL returned error: 503",
    ),
    "postgres": ("pg_isready --username=shop", "/var/run/postgresql:5432 - accepting connections", "no response"),
    "redis": ("redis-cli ping", "PONG", "LOADING Redis is loading the dataset in memory"),
    "opensearch": (
        "curl --fail --user admin:Battery-Staple-9 https://localhost:9200/_cluster/health",
        '{"cluster_name":"shop","status":"green","timed_out":false,"number_of_nodes":1}',
        "curl: (28) Operation timed out after 5001 milliseconds with 0 bytes received",
    ),
    "grafana": ("wget --spider --quiet http://localhost:3000/api/health", "", "wget: server returned error: 502"),
}


def definition(item: Container) -> dict[str, Any] | None:
    """What `Config.Healthcheck` holds; None where no check is defined."""
    found = _check(item)
    if found is None:
        return None
    return {
        "Test": ["CMD-SHELL", found[0]],
        "Interval": int(_EVERY * _NANOS),
        "Timeout": 5 * _NANOS,
        "StartPeriod": 20 * _NANOS,
        "Retries": _RETRIES,
    }


def state(item: Container, now: float) -> dict[str, Any] | None:
    """What `State.Health` holds at this time (Unix); None where it has no health."""
    found = _check(item)
    if item.health is None or found is None:
        return None
    started = item.started or now
    ran = int((now - started) / _EVERY)
    log: list[dict[str, Any]] = []
    for at in range(max(1, ran - _KEPT + 1), ran + 1):
        failed = item.health is Health.UNHEALTHY and at > ran - _RETRIES - 1
        start = started + at * _EVERY
        took = 0.03 + number(item.name, at) % 90 / 1000 + (5.0 if failed and "timed out" in found[2] else 0.0)
        log.append(
            {
                "Start": _time(start),
                "End": _time(min(now, start + took)),
                "ExitCode": int(failed),
                "Output": found[2] if failed else found[1],
            }
        )
    streak = sum(entry["ExitCode"] for entry in log)
    return {"Status": str(item.health), "FailingStreak": streak, "Log": log}


def _check(item: Container) -> tuple[str, str, str] | None:
    if item.health is None:
        return None
    return next((check for start, check in _CHECKS.items() if item.image.startswith(start)), _CHECKS["shop/"])


def _time(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
