"""Where a published port can be reached from here: pure."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from backends.particulars import PortEntry

_REMOTE = {"ssh", "tcp", "http", "https", "qemu+ssh", "qemu+tls"}
_TLS = {443, 8443, 9443, 10443}


@dataclass(frozen=True, slots=True)
class Address:
    """`url` is empty where a browser can do nothing with it; `reason` says why it cannot be reached, if so."""

    text: str
    """`host:port`."""
    url: str = ""
    reason: str = ""


def engine_host(url: str) -> str:
    """The machine an engine is on, as this one calls it; empty for this machine."""
    parts = urlsplit(url)
    host = parts.hostname or "" if parts.scheme in _REMOTE else ""
    return "" if host == "localhost" or _is_loopback(host) else host


def address_of(port: PortEntry, engine_url: str) -> Address | None:
    """Of one published port; None for one that is not published, or not now."""
    if not port.host_port or not port.live:
        return None
    remote = engine_host(engine_url)
    if port.host_ip in {"", "0.0.0.0", "::"}:  # noqa: S104
        host = remote or "localhost"
    elif remote and _is_loopback(port.host_ip):
        text = f"{_bracketed(port.host_ip)}:{port.host_port}"
        return Address(text, reason=f"published at {port.host_ip} of {remote} alone")
    else:
        host = port.host_ip
    text = f"{_bracketed(host)}:{port.host_port}"
    if port.protocol != "tcp":
        return Address(text, reason=f"{port.protocol} is nothing for a browser")
    scheme = "https" if port.port in _TLS or port.host_port in _TLS else "http"
    return Address(text, f"{scheme}://{text}")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
