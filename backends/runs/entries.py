"""Entries of a run's lists taken apart: ports, volumes, variables, labels, policies. ValueErrors are for the user."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_VOLUME_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_PORT = re.compile(
    r"(?:(?P<ip>\[[0-9a-fA-F:.%\w]*\]|[\d.]+):(?=[\d-]*:))?(?:(?P<host>\d+(?:-\d+)?)?:)?"
    r"(?P<port>\d+(?:-\d+)?)(?:/(?P<protocol>tcp|udp|sctp))?",
    re.IGNORECASE,
)
_VOLUME_OPTIONS = frozenset(
    {"ro", "rw", "z", "Z", "U", "O", "nocopy", "copy", "cached", "delegated", "consistent", "idmap", "bind", "rbind"}
    | {
        "shared",
        "slave",
        "private",
        "rshared",
        "rslave",
        "rprivate",
        "exec",
        "noexec",
        "dev",
        "nodev",
        "suid",
        "nosuid",
    }
)


@dataclass(frozen=True, slots=True)
class Published:
    """One published port. `host_port` empty: the engine chooses one. `host_port` may be a range to choose from."""

    port: int
    protocol: str
    host_ip: str
    host_port: str


@dataclass(frozen=True, slots=True)
class Volume:
    """`source`: a path, a volume's name, or empty for an anonymous volume."""

    source: str
    target: str
    options: tuple[str, ...] = ()

    @property
    def bind(self) -> bool:
        return self.source.startswith("/")


def check_name(name: str) -> None:
    if name and not _NAME.fullmatch(name):
        raise ValueError("two or more letters, digits, _ . or -, the first a letter or digit")


def read_ports(entry: str) -> list[Published]:
    """The ports of one `-p` entry: `80`, `8080:80`, `127.0.0.1:8080:80/udp`, `[::1]:8080:80`, `8000-8009:80-89`."""
    match = _PORT.fullmatch(entry)
    if match is None:
        raise ValueError(f"{entry[:60]}: write it as 8080:80, 127.0.0.1:8080:80 or 53:53/udp")
    first, last = _range(match["port"])
    protocol = (match["protocol"] or "tcp").lower()
    address = (match["ip"] or "").strip("[]")
    host = match["host"]
    if not host:
        return [Published(port, protocol, address, "") for port in range(first, last + 1)]
    low, high = _range(host)
    if first == last:
        return [Published(first, protocol, address, str(low) if low == high else f"{low}-{high}")]
    if high - low != last - first:
        raise ValueError(f"{entry[:60]}: the two ranges are not of one length")
    return [Published(first + step, protocol, address, str(low + step)) for step in range(last - first + 1)]


def _range(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    first, last = int(low), int(high or low)
    if not (1 <= first <= 65535 and 1 <= last <= 65535):
        raise ValueError(f"{text}: ports are 1 to 65535")
    if last < first:
        raise ValueError(f"{text}: the range goes backwards")
    return first, last


def read_volume(entry: str) -> Volume:
    """One `-v` entry: `/host:/path[:ro]`, `name:/path`, `/path`."""
    parts = entry.split(":")
    if len(parts) > 3 or not all(parts):
        raise ValueError(f"{entry[:80]}: write it as /host/path:/path, name:/path or /path, with :ro behind if need be")
    if len(parts) == 1:
        source, target, options = "", parts[0], ""
    else:
        source, target, options = (*parts, "")[:3]
    if not target.startswith("/"):
        raise ValueError(f"{entry[:80]}: the path in the container begins with /")
    if target.strip("/") == "":
        raise ValueError(f"{entry[:80]}: the container's whole file system cannot be replaced")
    if source and not source.startswith("/"):
        if source.startswith((".", "~")):
            raise ValueError(f"{entry[:80]}: write the whole path on the host")
        if not _VOLUME_NAME.fullmatch(source):
            raise ValueError(f"{source[:60]}: neither a path nor a volume's name")
    chosen = tuple(option for option in options.split(",") if option)
    unknown = [option for option in chosen if option.split("=")[0] not in _VOLUME_OPTIONS]
    if unknown:
        raise ValueError(f"{entry[:80]}: {unknown[0]} is no option of a volume")
    return Volume(source, target, chosen)


def read_restart(policy: str) -> tuple[str, int]:
    """(name, most retries) of a restart policy; 0 retries: any number."""
    name, separator, count = policy.partition(":")
    if name not in {"no", "always", "unless-stopped", "on-failure"}:
        raise ValueError(f"{policy[:40]}: no, always, unless-stopped or on-failure[:N]")
    if not separator:
        return name, 0
    if name != "on-failure" or not count.isdigit():
        raise ValueError(f"{policy[:40]}: only on-failure takes a number of retries")
    return name, int(count)


def check_variable(entry: str) -> None:
    key, separator, _ = entry.partition("=")
    if not key or any(char.isspace() for char in key):
        raise ValueError(f"{entry[:60]}: write it as KEY=VALUE")
    if not separator:
        raise ValueError(f"{entry[:60]} has no value: write it as KEY=VALUE")


def read_label(entry: str) -> tuple[str, str]:
    key, _, value = entry.partition("=")
    if not key.strip():
        raise ValueError(f"{entry[:60]}: write it as key=value")
    return key, value


def twice(values: Iterable[str]) -> str:
    """The first value that occurs a second time; empty when none does."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return ""
