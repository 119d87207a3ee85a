"""What a connection URI says of where its domains are. Format: libvirt 9.0."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_QUIET = "no_tty=1"


def quiet(uri: str) -> str:
    """The URI with which ssh never asks on the terminal, and so refuses hosts and keys it does not know."""
    bare = shown(uri)
    return f"{bare}{'&' if '?' in bare else '?'}{_QUIET}" if urlsplit(uri).scheme.endswith("+ssh") else uri


def shown(uri: str) -> str:
    """A URI of `quiet` without what that added."""
    place, _, query = uri.partition("?")
    kept = "&".join(part for part in query.split("&") if part and part.partition("=")[0] != "no_tty")
    return f"{place}?{kept}" if kept else place


def is_session(uri: str) -> bool:
    """Whether it is a user's own daemon."""
    return urlsplit(uri).path == "/session"


def is_here(uri: str, hostname: str) -> bool:
    """Whether its domains run on this machine; never so for simulated ones.

    `hostname` is the daemon's: behind a forwarded socket, or in a container with its socket outside, it is another.
    """
    parts = urlsplit(uri)
    if parts.scheme not in {"qemu", "qemu+unix"} or parts.netloc:
        return False
    first = hostname.partition(".")[0].lower()
    own = socket.gethostname().partition(".")[0].lower()
    return first in {own, "", "localhost"} or first == socket.getfqdn().partition(".")[0].lower()


def end_ssh(uri: str) -> None:
    """End the ssh of this process that still tries to open the URI: libvirt waits for it without a limit."""
    import psutil

    parts = urlsplit(uri)
    for child in _children(psutil):
        with suppress(psutil.Error, ValueError):
            words = child.cmdline()
            host = words[words.index("--") + 1]
            if os.path.basename(words[0]) == "ssh" and host == parts.hostname and _carries(words[-1], uri):  # noqa: PTH119
                child.kill()


def _children(psutil: Any) -> Iterator[Any]:
    with suppress(psutil.Error):
        yield from psutil.Process().children()


def _carries(command: str, uri: str) -> bool:
    """Whether ssh's last word is libvirt's command for this daemon."""
    parts = urlsplit(uri)
    given = dict(parse_qsl(parts.query)).get("socket")
    return given in command if given else f"qemu://{parts.path}" in command or "/libvirt/" in command
