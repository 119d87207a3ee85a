"""What a container's inspect answer says of environment, mounts, networks, ports and health: pure.

The shape is that of Docker Engine API 1.41, `GET /containers/{id}/json`, which Podman's service and the demo serve too.
Texts have passed `backends.text` already. Whatever is missing or of another type is taken for not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class MountPoint:
    type: str
    source: str
    """The path on the engine's machine; for a volume where it lies there."""
    destination: str
    writable: bool
    name: str = ""
    """The volume's."""
    driver: str = ""
    mode: str = ""
    propagation: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A network it is in. Addresses are empty while it does not run."""

    network: str
    address: str = ""
    """With the length of the prefix: `172.20.0.3/16`."""
    gateway: str = ""
    address6: str = ""
    gateway6: str = ""
    mac: str = ""
    aliases: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PortEntry:
    """One port of the container, once for each address it is published at."""

    port: int
    protocol: str
    host_ip: str = ""
    host_port: int | None = None
    """None where it is exposed but not published."""
    live: bool = True
    """It is published now; else as soon as the container runs."""


@dataclass(frozen=True, slots=True)
class Check:
    start: float | None
    """Unix time."""
    seconds: float | None
    exit_code: int
    output: str


@dataclass(frozen=True, slots=True)
class HealthLog:
    """`test` is empty where no check is defined. Spans in seconds; None where the engine's default holds."""

    test: tuple[str, ...] = ()
    interval: float | None = None
    timeout: float | None = None
    start_period: float | None = None
    retries: int | None = None
    status: str = ""
    streak: int = 0
    """Failures in a row."""
    checks: tuple[Check, ...] = ()
    """The last ones the engine keeps, newest first."""


def environment(answer: Any) -> tuple[str, ...]:
    """Lines `NAME=VALUE` in the engine's order."""
    return tuple(_texts(_at(answer, "Config").get("Env")))


def mount_points(answer: Any) -> tuple[MountPoint, ...]:
    """By destination."""
    found = [
        MountPoint(
            type=_text(entry, "Type") or "bind",
            source=_text(entry, "Source"),
            destination=_text(entry, "Destination"),
            writable=bool(entry.get("RW", True)),
            name=_text(entry, "Name"),
            driver=_text(entry, "Driver"),
            mode=_text(entry, "Mode"),
            propagation=_text(entry, "Propagation"),
        )
        for entry in _maps(_map(answer).get("Mounts"))
    ]
    # An engine lists a tmpfs of its own option only where it was asked for
    named = {mount.destination for mount in found}
    for path, mode in _at(answer, "HostConfig", "Tmpfs").items():
        if path not in named:
            found.append(MountPoint("tmpfs", "", str(path), "ro" not in str(mode).split(","), mode=str(mode)))
    return tuple(sorted(found, key=lambda mount: mount.destination))


def attachments(answer: Any) -> tuple[Attachment, ...]:
    """By the network's name."""
    found = []
    for name, told in sorted(_at(answer, "NetworkSettings", "Networks").items()):
        entry = _map(told)
        found.append(
            Attachment(
                network=str(name),
                address=_prefixed(_text(entry, "IPAddress"), entry.get("IPPrefixLen")),
                gateway=_text(entry, "Gateway"),
                address6=_prefixed(_text(entry, "GlobalIPv6Address"), entry.get("GlobalIPv6PrefixLen")),
                gateway6=_text(entry, "IPv6Gateway"),
                mac=_text(entry, "MacAddress"),
                aliases=tuple(_texts(entry.get("Aliases"))),
                links=tuple(_texts(entry.get("Links"))),
            )
        )
    return tuple(found)


def network_mode(answer: Any) -> str:
    """`bridge`, `host`, `none`, `container:<id>`, or a network's name."""
    return _text(_at(answer, "HostConfig"), "NetworkMode")


def port_entries(answer: Any) -> tuple[PortEntry, ...]:
    """By port: what is published now, what will be when it runs, what is only exposed."""
    now = _at(answer, "NetworkSettings", "Ports")
    wanted = _at(answer, "HostConfig", "PortBindings")
    exposed = _at(answer, "Config", "ExposedPorts")
    found: set[PortEntry] = set()
    for name in {*now, *wanted, *exposed}:
        port, _, protocol = str(name).partition("/")
        if not port.isdigit():
            continue
        live = _maps(now.get(name))
        bindings = live or _maps(wanted.get(name))
        for binding in bindings:
            host_port = _text(binding, "HostPort")
            if live and not host_port.isdigit():
                continue
            number = int(host_port) if host_port.isdigit() else 0
            found.add(PortEntry(int(port), protocol or "tcp", _text(binding, "HostIp"), number, bool(live)))
        if not bindings:
            found.add(PortEntry(int(port), protocol or "tcp"))
    return tuple(sorted(found, key=lambda entry: (entry.port, entry.protocol, entry.host_port or 0, entry.host_ip)))


def health_log(answer: Any) -> HealthLog:
    defined = _at(answer, "Config", "Healthcheck")
    # Podman's own name for it is Healthcheck
    state = _at(answer, "State", "Health") or _at(answer, "State", "Healthcheck")
    test = tuple(_texts(defined.get("Test")))
    checks = [
        Check(
            start=_moment(entry.get("Start")),
            seconds=_span(entry),
            exit_code=_number(entry.get("ExitCode")) or 0,
            output=_text(entry, "Output").rstrip(),
        )
        for entry in _maps(state.get("Log"))
    ]
    return HealthLog(
        test=() if test[:1] == ("NONE",) else test,
        interval=_seconds(defined.get("Interval")),
        timeout=_seconds(defined.get("Timeout")),
        start_period=_seconds(defined.get("StartPeriod")),
        retries=_number(defined.get("Retries")) or None,
        status=_text(state, "Status"),
        streak=_number(state.get("FailingStreak")) or 0,
        checks=tuple(sorted(checks, key=lambda check: check.start or 0.0, reverse=True)),
    )


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _at(value: Any, *keys: str) -> Mapping[str, Any]:
    for key in keys:
        value = _map(value).get(key)
    return _map(value)


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    return [entry for entry in value if isinstance(entry, str)] if isinstance(value, list) else []


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _seconds(value: Any) -> float | None:
    """Of nanoseconds; 0 means that the engine's default holds."""
    number = _number(value)
    return number / 1e9 if number else None


def _prefixed(address: str, length: Any) -> str:
    number = _number(length)
    return f"{address}/{number}" if address and number else address


def _moment(text: Any) -> float | None:
    """Unix time of an RFC 3339 text; None for Go's zero time and for what is none."""
    if not isinstance(text, str) or text.startswith("0001"):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


def _span(entry: Mapping[str, Any]) -> float | None:
    start, end = _moment(entry.get("Start")), _moment(entry.get("End"))
    return None if start is None or end is None or end < start else end - start
