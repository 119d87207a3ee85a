"""Which module serves which engine address. An engine's module is imported only when one of its addresses is opened."""

from __future__ import annotations

import os
import string
from collections.abc import Callable, Collection
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from backends.base import Backend, EngineError, EngineSettings
from backends.model import Kind
from backends.secrets import mask_text
from backends.text import clean

_DOCKER = "backends.docker.backend:DockerBackend"
_VIRTUALBOX = "backends.virtualbox.backend:VirtualBoxBackend"
_LIBVIRT = "backends.libvirt.backend:LibvirtBackend"
_DEMO = "backends.demo.backend:DemoBackend"

SCHEMES: dict[str, str] = {
    "docker": _DOCKER,
    "podman": _DOCKER,
    "unix": _DOCKER,
    "tcp": _DOCKER,
    "http": _DOCKER,
    "https": _DOCKER,
    "ssh": _DOCKER,
    "virtualbox": _VIRTUALBOX,
    "libvirt": _LIBVIRT,
    "qemu": _LIBVIRT,
    "qemu+unix": _LIBVIRT,
    "qemu+ssh": _LIBVIRT,
    "qemu+tls": _LIBVIRT,
    "test": _LIBVIRT,
    "demo": _DEMO,
}
"""URL scheme -> "module:class". A new engine is one more line here."""

_KINDS: dict[str, tuple[Kind, ...]] = {
    _DOCKER: (Kind.CONTAINER, Kind.IMAGE, Kind.VOLUME, Kind.NETWORK),
    _VIRTUALBOX: (Kind.VM,),
    _LIBVIRT: (Kind.VM,),
}

DEMO_HOSTS = ("demo://docker", "demo://virtualbox")

_LOCAL = {"docker", "podman", "virtualbox", "libvirt"}
_HOST_CHARACTERS = frozenset(string.ascii_letters + string.digits + "-._:%")
_ALLOWED = (
    "docker, podman, virtualbox, libvirt, demo, /path/to/docker.sock, or unix://, tcp://, http://, https://, ssh://, "
    "qemu:///system, qemu+ssh://host/system"
)


def parse_host(text: str) -> str:
    """The normal form of an engine address as a user writes it.

    Also takes the bare words docker, podman, virtualbox and demo, and a bare socket path (`~` is expanded).
    Raises ValueError with one line saying what is wrong and what is allowed.
    """
    given = text.strip()
    shown = mask_text(clean(given, 200))
    if not given or not given.isprintable():
        raise ValueError(f"{shown!r} is no engine address: use {_ALLOWED}")
    if given.startswith(("/", "~")):
        return _socket(given, shown)
    if given.lower() in _LOCAL | {"demo"}:
        return given.lower() + "://"
    scheme, separator, rest = given.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in SCHEMES:
        raise ValueError(f"{shown!r} is no engine address: use {_ALLOWED}")
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        _ = parts.port  # raises when it is none
    except ValueError as error:
        raise ValueError(f"{shown!r} is no engine address: {clean(str(error))}") from None
    if scheme == "demo":
        from backends.demo.options import parse_options

        parse_options(f"{scheme}://{rest}")
    elif scheme == "unix":
        return _socket(rest, shown)
    elif scheme in _LOCAL:
        if rest.strip("/"):
            raise ValueError(
                f"{shown!r}: {scheme}:// names the engine of this machine and takes nothing after it; "
                "for another machine use ssh://user@host or tcp://host:port"
            )
        return f"{scheme}://"
    elif SCHEMES[scheme] == _LIBVIRT:
        return _libvirt(scheme, parts, shown)
    else:
        _check_remote(scheme, parts, shown)
        return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}"
    return f"{scheme}://{rest}"


def _socket(path: str, shown: str) -> str:
    try:
        full = Path(path).expanduser()
    except RuntimeError as error:  # ~user of nobody
        raise ValueError(f"{shown!r}: {clean(str(error))}") from None
    if not full.is_absolute() or full == Path("/"):
        raise ValueError(f"{shown!r}: unix:// needs the socket's full path, e.g. unix:///var/run/docker.sock")
    return f"unix://{full}"


def _libvirt(scheme: str, parts: SplitResult, shown: str) -> str:
    """A connection URI as virsh takes it, e.g. qemu:///system."""
    remote = scheme in {"qemu+ssh", "qemu+tls"}
    host, user = parts.hostname or "", parts.username or ""
    if parts.password is not None:
        raise ValueError(f"a {scheme}:// address takes no password: boxtop stores none")
    # `ssh` would take a leading dash for an option
    if remote and (not host or not set(host) <= _HOST_CHARACTERS or host.startswith("-") or user.startswith("-")):
        raise ValueError(f"{shown!r} names no host, e.g. {scheme}://user@host/system")
    if not remote and host:
        raise ValueError(f"{shown!r}: {scheme}:// is on this machine and takes three slashes, e.g. {scheme}:///system")
    if not parts.path.strip("/"):
        raise ValueError(f"{shown!r} names no daemon, e.g. {scheme}:///system")
    if any(name in {"command", "netcat"} for name, _ in parse_qsl(parts.query)):
        raise ValueError(f"{shown!r}: command and netcat would run a program and are not taken")
    return f"{scheme}://{parts.netloc}{parts.path}{f'?{parts.query}' if parts.query else ''}"


def _check_remote(scheme: str, parts: SplitResult, shown: str) -> None:
    host, user = parts.hostname or "", parts.username or ""
    if parts.password is not None:
        raise ValueError(f"a {scheme}:// address takes no password: boxtop stores none; use keys or certificates")
    if parts.query or parts.fragment or (scheme != "ssh" and parts.path.strip("/")):
        raise ValueError(f"{shown!r}: nothing may follow the host and port of a {scheme}:// address")
    # `ssh` would take a leading dash for an option
    if not host or not set(host) <= _HOST_CHARACTERS or host.startswith("-") or user.startswith("-"):
        raise ValueError(f"{shown!r} names no host, e.g. {_example(scheme)}")


def _example(scheme: str) -> str:
    return "ssh://user@host" if scheme == "ssh" else f"{scheme}://host:2376"


def default_hosts() -> list[str]:
    """Where to look when the user named no engine.

    Podman is an engine of its own only beside another one: where no Docker is, `docker://` finds Podman's socket.
    Beside an open `podman://` it never does, whatever becomes of Docker: nothing is listed twice.
    """
    from backends.docker.locate import podman_socket

    podman = podman_socket()
    beside = ["podman://"] if podman and not _docker_is(podman) else []
    return ["docker://", *beside, "virtualbox://", "libvirt://"]


def _docker_is(podman: str) -> bool:
    """Whether `docker://` leads to Podman's socket, by itself or by the link of the podman-docker package."""
    from backends.docker.locate import candidates, path_exists

    try:
        endpoints = candidates("docker://")
    except EngineError:
        return False
    for endpoint in endpoints:
        if not endpoint.path:
            return False
        if path_exists(endpoint.path):
            return os.path.realpath(endpoint.path) == os.path.realpath(podman)
    return False


def backend_class(scheme: str) -> Callable[..., Backend]:
    """The class that serves a scheme of SCHEMES; imports its module."""
    module, _, name = SCHEMES[scheme].partition(":")
    found: Any = getattr(import_module(module), name)
    assert callable(found)  # noqa: S101
    return found  # type: ignore[no-any-return]


def open_backend(
    url: str,
    settings: EngineSettings,
    taken: Collection[str] = (),
    *,
    name: str = "",
    clock: Callable[[], float] | None = None,
) -> Backend:
    """A backend for an address, not connected yet. Its key is the user's `name` for it, or short, and none of `taken`.

    `clock` gives Unix time to a simulated engine whose address does not. Raises ValueError as `parse_host` does.
    """
    url = parse_host(url)
    scheme = urlsplit(url).scheme
    key = _unique(clean(name, 40) or _key(url), taken)
    if SCHEMES[scheme] == _VIRTUALBOX:
        return backend_class(scheme)(key, url, settings)
    if SCHEMES[scheme] == _DEMO:
        return backend_class(scheme)(key, url, clock=clock)
    return backend_class(scheme)(key, url)


def kinds_at(url: str) -> tuple[Kind, ...]:
    """The kinds of object an address would serve, known before its engine answers."""
    parts = urlsplit(url)
    module = SCHEMES[parts.scheme]
    if module == _DEMO:
        return _KINDS.get(SCHEMES.get(parts.netloc, ""), tuple(Kind))
    return _KINDS[module]


def _key(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return "podman" if "podman" in parts.path else "docker"
    if parts.scheme == "demo":
        return parts.netloc or "demo"
    if parts.scheme in _LOCAL:
        return parts.scheme
    if SCHEMES[parts.scheme] == _LIBVIRT:
        return f"libvirt@{parts.hostname}" if parts.hostname else "libvirt"
    return f"docker@{parts.hostname}"


def _unique(key: str, taken: Collection[str]) -> str:
    if key not in taken:
        return key
    number = 2
    while f"{key}#{number}" in taken:
        number += 1
    return f"{key}#{number}"
