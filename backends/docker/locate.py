"""Which engine endpoint to use: the order of the docker CLI, then Podman's sockets. Reads files, asks no engine."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from backends.base import EngineError
from backends.text import clean

DOCKER_SOCKETS = ("/var/run/docker.sock", "/run/docker.sock")
PODMAN_SOCKET = "/run/podman/podman.sock"
DEFAULT_PORT = 2375
DEFAULT_TLS_PORT = 2376


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificate files for an engine's TCP socket; empty paths are absent ones."""

    ca: str = ""
    certificate: str = ""
    key: str = ""
    verify: bool = True


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place where an engine may answer."""

    url: str
    """`unix:///path`, `tcp://host:port` or `ssh://[user@]host[:port][/path]`."""
    origin: str
    """Who named it, for messages: `--host`, `DOCKER_HOST`, a context, or `default`."""
    tls: Tls | None = None
    podman: bool = False
    """Podman is expected here: matters only for the command run over ssh and for the remedy named."""

    @property
    def path(self) -> str:
        """The socket's path; empty unless it is a Unix socket."""
        return self.url.removeprefix("unix://") if self.url.startswith("unix://") else ""


def candidates(
    url: str, environment: Mapping[str, str] | None = None, beside: Collection[str] = ()
) -> tuple[Endpoint, ...]:
    """The endpoints to try in order for a boxtop URL; more than one only where nobody named an engine.

    `docker://` follows the docker CLI: DOCKER_HOST, DOCKER_CONTEXT, the config's current context, then sockets.
    Podman's sockets come last, without those that `beside`, the other addresses in use, lead to: nothing is to be
    listed twice. Raises EngineError when a named context or a setting cannot be used.
    """
    environment = os.environ if environment is None else environment
    scheme = urlsplit(url).scheme
    if scheme == "podman":
        named = environment.get("CONTAINER_HOST", "")
        if named:
            return (_endpoint(named, "CONTAINER_HOST", environment, podman=True),)
        return tuple(Endpoint(f"unix://{path}", "default", podman=True) for path in _podman_sockets(environment))
    if scheme != "docker":
        return (_endpoint(url, "--host", environment),)
    named = environment.get("DOCKER_HOST", "")
    if named:
        return (_endpoint(named, "DOCKER_HOST", environment),)
    config = _config_folder(environment)
    context = environment.get("DOCKER_CONTEXT", "") or _current_context(config)
    if context and context != "default":
        return (_context_endpoint(config, context),)
    docker = [Endpoint(f"unix://{path}", "default") for path in _docker_sockets(environment)]
    podman = [Endpoint(f"unix://{path}", "default", podman=True) for path in _podman_sockets(environment)]
    taken = _podmans_of(beside, environment)
    return tuple(endpoint for endpoint in (*docker, *podman) if os.path.realpath(endpoint.path) not in taken)


def _podmans_of(urls: Collection[str], environment: Mapping[str, str]) -> set[str]:
    """The real paths of Podman's sockets that these addresses lead to by themselves."""
    taken: set[str] = set()
    for url in urls:
        if urlsplit(url).scheme != "docker":
            with suppress(EngineError):
                found = candidates(url, environment)
                taken |= {os.path.realpath(endpoint.path) for endpoint in found if endpoint.podman and endpoint.path}
    return taken


def podman_socket(environment: Mapping[str, str] | None = None) -> str | None:
    """The path of Podman's API socket on this machine, this user's before the system's; None where there is none."""
    environment = os.environ if environment is None else environment
    for path in _podman_sockets(environment):
        if path_exists(path):
            return path
    return None


def path_exists(path: str) -> bool:
    """Whether a path is there, as far as this user can see (Podman's folder is closed to others)."""
    try:
        return Path(path).exists()
    except OSError:
        return False


def _docker_sockets(environment: Mapping[str, str]) -> list[str]:
    home = _home(environment)
    sockets = [*DOCKER_SOCKETS, *_runtime(environment, "docker.sock")]
    sockets += [str(home / ".docker/run/docker.sock"), str(home / ".docker/desktop/docker.sock")]
    return _distinct(sockets)


def _podman_sockets(environment: Mapping[str, str]) -> list[str]:
    user, system = _runtime(environment, "podman/podman.sock"), [PODMAN_SOCKET]
    return _distinct([*system, *user] if os.geteuid() == 0 else [*user, *system])


def _runtime(environment: Mapping[str, str], name: str) -> list[str]:
    """A socket below the user's runtime folder, also when a bare login (su, cron) did not set the variable."""
    folder = environment.get("XDG_RUNTIME_DIR", "") or f"/run/user/{os.getuid()}"
    return [f"{folder}/{name}"]


def _distinct(paths: list[str]) -> list[str]:
    """The paths without those that are another's alias: /var/run is /run nearly everywhere."""
    seen: dict[str, str] = {}
    for path in paths:
        seen.setdefault(os.path.realpath(path), path)
    return list(seen.values())


def _home(environment: Mapping[str, str]) -> Path:
    home = environment.get("HOME", "")
    return Path(home) if home else Path("~").expanduser()


def _endpoint(url: str, origin: str, environment: Mapping[str, str], *, podman: bool = False) -> Endpoint:
    """An endpoint from what a user wrote, with the TLS files the docker CLI would take for it."""
    if url.startswith("/"):
        url = f"unix://{url}"
    scheme, _, rest = url.partition("://")
    if scheme == "unix":
        return Endpoint(f"unix://{rest or DOCKER_SOCKETS[0]}", origin, podman=podman or "podman" in rest)
    if scheme == "ssh":
        return Endpoint(url.rstrip("/"), origin, podman=podman)
    if scheme in {"tcp", "http", "https"}:
        tls = _environment_tls(environment)
        if scheme == "https" and tls is None:
            tls = Tls()
        return Endpoint(_with_port(url, origin, tls), origin, tls, podman)
    raise EngineError(
        f"{origin} names {clean(url, 200)!r}, which boxtop cannot reach",
        "use unix://, tcp://, http://, https:// or ssh://",
    )


def _with_port(url: str, origin: str, tls: Tls | None) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host:
        raise EngineError(f"{origin} names {clean(url, 200)!r}: no host", "write tcp://host:port")
    if ":" in host:
        host = f"[{host}]"
    return f"tcp://{host}:{port or (DEFAULT_TLS_PORT if tls else DEFAULT_PORT)}"


def _environment_tls(environment: Mapping[str, str]) -> Tls | None:
    """DOCKER_TLS_VERIFY, DOCKER_TLS and DOCKER_CERT_PATH, as the docker CLI takes them."""
    verify = bool(environment.get("DOCKER_TLS_VERIFY"))
    folder = environment.get("DOCKER_CERT_PATH", "")
    if not (verify or environment.get("DOCKER_TLS")):
        return None
    return _tls_files(Path(folder) if folder else _config_folder(environment), verify=verify)


def _tls_files(folder: Path, *, verify: bool) -> Tls:
    paths = [folder / name for name in ("ca.pem", "cert.pem", "key.pem")]
    ca, certificate, key = (str(path) if path.is_file() else "" for path in paths)
    return Tls(ca, certificate, key, verify)


def _config_folder(environment: Mapping[str, str]) -> Path:
    folder = environment.get("DOCKER_CONFIG", "")
    return Path(folder) if folder else _home(environment) / ".docker"


def _current_context(config: Path) -> str:
    """The docker CLI's current context. A config that cannot be read names none, as for the CLI without one."""
    data = _read_json(config / "config.json")
    name = data.get("currentContext", "")
    return name if isinstance(name, str) else ""


def _context_endpoint(config: Path, name: str) -> Endpoint:
    """The docker endpoint of a context: contexts/meta/<sha256 of its name>/meta.json and contexts/tls/<the same>."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    shown = clean(name, 80)
    origin = f"context {shown}"
    meta = _read_json(config / "contexts/meta" / digest / "meta.json")
    if not meta:
        raise EngineError(
            f"Docker context {shown!r} does not exist", "choose another: docker context ls, docker context use"
        )
    docker = (meta.get("Endpoints") or {}).get("docker") or {}
    host = docker.get("Host", "")
    if not isinstance(host, str) or not host:
        raise EngineError(f"Docker context {shown!r} names no engine", f"look at it: docker context inspect {shown}")
    endpoint = _endpoint(host, origin, {})
    files = config / "contexts/tls" / digest / "docker"
    if endpoint.url.startswith("tcp://") and (files.is_dir() or host.startswith("https://")):
        tls = _tls_files(files, verify=not docker.get("SkipTLSVerify", False))
        return Endpoint(_with_port(host, origin, tls), origin, tls)
    return endpoint


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
