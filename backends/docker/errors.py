"""Every failure in words: what is the case, and what the user can do about it."""

from __future__ import annotations

import errno
import grp
import json
import os
import pwd
import re
import shutil
import ssl
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from backends.base import ActionError, EngineError
from backends.docker.locate import PODMAN_SOCKET, Endpoint, path_exists
from backends.docker.transport import SshError
from backends.text import clean

INSTALL_DOCKER = "install Docker (docs.docker.com/engine/install)"
INSTALL = "install Docker (docs.docker.com/engine/install) or Podman, or name an engine: --host, DOCKER_HOST"
_START_DOCKER = "start it: sudo systemctl start docker"
_LIMIT = 500
# The runtime's tale of its own layers; what is the matter stands at its end, which a line on screen cuts off
_RUNTIME = re.compile(r"^.*OCI runtime create failed:.*?((?:exec:|error mounting|chdir to cwd) .*?)(?:: unknown)?$")
_LONG_ID = re.compile(r"\b[0-9a-f]{64}\b")


def engine_error(error: BaseException, endpoint: Endpoint, complaint: str = "") -> EngineError:
    """Why an engine cannot be reached or used. `complaint` is what ssh said."""
    if isinstance(error, EngineError):
        return error
    refused = _api_message(error)
    if refused:
        return EngineError(f"{_product(endpoint)} answered: {refused}", _look_at_service(endpoint))
    if endpoint.url.startswith("ssh://"):
        said = next((str(cause) for cause in _causes(error) if isinstance(cause, SshError)), "") or complaint
        if said:
            return _ssh_error(said, endpoint)
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            return _tls_error(cause, endpoint)
        if _means_timeout(cause):
            return EngineError(
                f"{_product(endpoint)} at {_where(endpoint)} does not answer",
                f"it may be overloaded or stopped: {_look_at_service(endpoint)}",
            )
        if isinstance(cause, OSError) and cause.errno is not None:
            found = _os_error(cause, endpoint)
            if found is not None:
                return found
        if isinstance(cause, (ConnectionError, EOFError)):
            return EngineError(
                f"{_product(endpoint)} at {_where(endpoint)} closed the connection",
                f"it may be restarting: {_look_at_service(endpoint)}",
            )
    return EngineError(
        f"{_product(endpoint)} at {_where(endpoint)}: {clean(str(error), _LIMIT) or type(error).__name__}",
        _look_at_service(endpoint),
    )


def nothing_found(
    failures: Sequence[tuple[Endpoint, EngineError]], *, docker: bool = True, podman: bool = True
) -> EngineError:
    """One error for a search over several places: the most telling failure, or that nothing is installed.

    `docker` and `podman` say which of them was looked for.
    """
    for _, error in failures:
        if not error.absent:
            return error
    places = ", ".join(endpoint.path for endpoint, _ in failures)
    if docker and _installed("dockerd"):
        return EngineError(f"Docker is not running (no socket at {places})", _START_DOCKER)
    if podman and _installed("podman"):
        return EngineError(f"Podman's API service is not started (no socket at {places})", _start_podman())
    looked = f" (looked at {places})" if places else ""
    if not docker:
        return EngineError(f"no Podman found{looked}", "install Podman 3.4 or newer", absent=True)
    if not podman:
        return EngineError(f"no Docker found beside Podman{looked}", INSTALL_DOCKER, absent=True)
    return EngineError(f"no Docker or Podman found{looked}", INSTALL, absent=True)


def passed_over(failures: Sequence[tuple[Endpoint, EngineError]]) -> tuple[str, ...]:
    """Notes on the sockets before the one that answered that are there and failed; not on those that are not there."""
    return tuple(
        f"passed over: {error.reason} ({error.remedy})"
        for endpoint, error in failures
        # One in a folder closed to this user, another's or the system's, is none of theirs
        if not error.absent and path_exists(endpoint.path)
    )


def action_error(error: BaseException, endpoint: Endpoint) -> ActionError | EngineError:
    """Why an action failed: the engine's own words where it answered, else what became of the connection."""
    refused = _api_message(error)
    if refused:
        return ActionError(refused)
    if is_timeout(error):
        return ActionError("no answer from the engine yet; it may still be at it")
    return engine_error(error, endpoint)


def is_timeout(error: BaseException) -> bool:
    return any(_means_timeout(cause) for cause in _causes(error))


def _means_timeout(cause: BaseException) -> bool:
    return isinstance(cause, TimeoutError) or "timed out" in str(cause)


def status(error: BaseException) -> int:
    """The HTTP status an engine answered with; 0 when it gave none."""
    response = getattr(error, "response", None)
    return int(getattr(response, "status_code", 0) or 0)


def _api_message(error: BaseException) -> str:
    """The engine's own sentence, one clean line without its prefixes for programs."""
    if not status(error):
        return ""
    text = getattr(error, "explanation", None)
    if isinstance(text, bytes):
        text = text.decode(errors="replace")
    if not text:
        text = getattr(getattr(error, "response", None), "text", "") or str(error)
    text = str(text).strip()
    if text.startswith("{"):
        with suppress(ValueError, KeyError, TypeError):
            text = str(json.loads(text)["message"])
    line = _LONG_ID.sub(lambda match: match.group()[:12], clean(text, _LIMIT).strip())
    for prefix in ("Error response from daemon: ", "conflict: "):
        line = line.removeprefix(prefix)
    line = _RUNTIME.sub(r"it cannot be started: \1", line)
    return line or f"the engine answered with HTTP status {status(error)}"


def _os_error(error: OSError, endpoint: Endpoint) -> EngineError | None:
    where = _where(endpoint)
    match error.errno:
        case errno.EACCES | errno.EPERM:
            return EngineError(f"permission denied on {where}", _permission(endpoint))
        case errno.ENOENT | errno.ENOTDIR:
            if endpoint.origin == "default":
                return EngineError(f"no socket {where}", INSTALL, absent=True)
            return EngineError(f"no socket {where} (from {endpoint.origin})", _start(endpoint))
        case errno.ECONNREFUSED if endpoint.path and not _is_socket(endpoint.path):
            return EngineError(f"{where} is no socket", f"check what {endpoint.origin} names")
        case errno.ECONNREFUSED:
            return EngineError(f"{_product(endpoint)} is not running: {where} refuses connections", _start(endpoint))
        case errno.ECONNRESET | errno.EPIPE | errno.ECONNABORTED:
            return EngineError(
                f"{_product(endpoint)} at {where} closed the connection",
                f"it may be restarting: {_look_at_service(endpoint)}",
            )
        case errno.EHOSTUNREACH | errno.ENETUNREACH:
            return EngineError(f"{where} cannot be reached over the network", "check the address and the network")
        case errno.ENOTSOCK | errno.EPROTOTYPE:
            return EngineError(f"{where} is no engine's socket", f"check what {endpoint.origin} names")
        case errno.EMFILE | errno.ENFILE:
            return EngineError("too many open files", "raise the limit: ulimit -n 4096")
    if type(error).__name__ == "gaierror":
        return EngineError(f"{where}: no such host", f"check what {endpoint.origin} names")
    return None


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(Path(path).stat().st_mode)
    except OSError:
        return True


def _permission(endpoint: Endpoint) -> str:
    """The group that owns the socket, and how to join it."""
    if endpoint.podman or endpoint.path == PODMAN_SOCKET:
        return "this is the system's Podman; for your own: systemctl --user enable --now podman.socket"
    group = "docker"
    with suppress(OSError, KeyError):
        found = grp.getgrgid(Path(endpoint.path).stat().st_gid).gr_name
        if found == "root":
            return "its group is root: sudo groupadd docker, sudo systemctl restart docker, then join group docker"
        group = found
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = "$USER"
    return f"join group {group}: sudo usermod -aG {group} {user}, then log out and in again"


def _tls_error(error: ssl.SSLError, endpoint: Endpoint) -> EngineError:
    reason = clean(getattr(error, "verify_message", "") or error.reason or str(error), _LIMIT)
    where = _where(endpoint)
    if isinstance(error, ssl.SSLCertVerificationError):
        return EngineError(
            f"{where}: its certificate is not trusted: {reason}",
            "set DOCKER_CERT_PATH to the folder with the engine's ca.pem, cert.pem and key.pem",
        )
    if error.reason == "WRONG_VERSION_NUMBER":
        return EngineError(f"{where} does not speak TLS", "use tcp:// without DOCKER_TLS_VERIFY, or its TLS port")
    return EngineError(
        f"{where}: TLS failed: {reason}",
        "it may want a client certificate: set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH",
    )


def _ssh_error(said: str, endpoint: Endpoint) -> EngineError:
    line = clean(said, _LIMIT).strip()
    host = urlsplit(endpoint.url).hostname or ""
    remedy = f"check that this works: ssh {host} docker version"
    if "Permission denied" in line and "connect to the" not in line:
        remedy = f"boxtop asks no password: load a key (ssh-add) so that 'ssh -o BatchMode=yes {host}' works"
    elif "Host key verification failed" in line:
        remedy = f"connect once by hand and check the key: ssh {host}"
    elif "not found" in line:
        remedy = f"install the docker command on {host}"
    elif "not installed" in line:
        remedy = "install openssh-client"
    return EngineError(f"{endpoint.url}: {line}", remedy)


def _installed(program: str) -> bool:
    """Whether a program is here; daemons are not on every user's PATH."""
    return (
        shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin:/sbin") is not None
    )


def _product(endpoint: Endpoint) -> str:
    return "Podman" if endpoint.podman else "Docker"


def _where(endpoint: Endpoint) -> str:
    return clean(endpoint.path or endpoint.url, 200)


def _start(endpoint: Endpoint) -> str:
    if endpoint.podman:
        return _start_podman()
    if not endpoint.path:
        return "start it there, and check the address and the firewall"
    if _rootless(endpoint.path):
        return "start it: systemctl --user start docker"
    return _START_DOCKER


def _start_podman() -> str:
    if os.geteuid() == 0:
        return "start it: systemctl enable --now podman.socket"
    return "start it: systemctl --user enable --now podman.socket"


def _look_at_service(endpoint: Endpoint) -> str:
    if not endpoint.path:
        return "look at it on its machine: systemctl status docker"
    unit = "podman" if endpoint.podman else "docker"
    return f"systemctl --user status {unit}" if _rootless(endpoint.path) else f"systemctl status {unit}"


def _rootless(path: str) -> bool:
    return path.startswith("/run/user/") or "/.docker/" in path


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what is wrapped in it: requests and urllib3 hide the OSError in `args`, `reason` and causes."""
    waiting: list[BaseException] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = [*current.args, getattr(current, "reason", None), current.__cause__, current.__context__]
        waiting.extend(item for item in inner if isinstance(item, BaseException))
