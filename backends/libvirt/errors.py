"""libvirt's errors in words: what is the case and what to do. Codes: virErrorNumber of libvirt 9.0."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from backends.base import ActionError, EngineError
from backends.text import clean

_NO_DOMAIN = 42
_PROGRAM = re.compile(r"^internal error: Child process \(.*?\) unexpected exit status \d+: ", re.DOTALL)
_AUTH, _ACCESS = {45, 60, 79, 80}, {88, 29}
_CONNECTION_GONE = {
    "client socket is closed",
    "connection closed",
    "Broken pipe",
    "keepalive",
    "Connection reset by peer",
    "End of file while reading data",
}

_FROM_KVM = ("/kvm/kvm.c", "failed to initialize kvm", "Could not access KVM", "/dev/kvm")
_FROM_SSH = ("ssh: ", "kex_exchange_identification", "Could not resolve hostname", "port 22", "Cannot recv data")


def code(error: BaseException) -> int:
    """virErrorNumber; 0 for what is no libvirt error."""
    ask: Any = getattr(error, "get_error_code", None)
    return int(ask() or 0) if callable(ask) else 0


def is_gone(error: BaseException) -> bool:
    """Whether the domain is not there any more."""
    return code(error) == _NO_DOMAIN


def is_lost(error: BaseException) -> bool:
    """Whether the connection broke, rather than the daemon refusing something."""
    text = str(error)
    return code(error) in {1, 38, 39} and any(word in text for word in _CONNECTION_GONE)


def words(error: BaseException) -> str:
    """Its own, without the command line of a program it ran."""
    ask: Any = getattr(error, "get_error_message", None)
    said = _PROGRAM.sub("", str((ask() if callable(ask) else None) or error))
    return clean(said, 300).strip().rstrip(".")


def connect_error(error: BaseException, url: str) -> EngineError:
    """Why no connection could be had, with the remedy."""
    said = words(error)
    if "+ssh:" in url and (refused := _ssh_error(said, url)) is not None:
        return refused
    if "No such file" in said or "Connection refused" in said:
        absent = "No such file" in said
        return EngineError(f"no libvirt daemon listens for {url}", "sudo systemctl start libvirtd", absent=absent)
    if "Permission denied" in said or "authentication" in said.lower() or code(error) in _AUTH | _ACCESS:
        return EngineError(f"{url} refuses this user: {said}", "sudo usermod -aG libvirt $USER, then log in again")
    return EngineError(f"{url}: {said}", "see whether virsh connects to it")


def _ssh_error(said: str, url: str) -> EngineError | None:
    """What ssh said, in a line with what to do; None where the daemon itself refused."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    login = " ".join(
        [
            "ssh",
            *(["-p", str(parts.port)] if parts.port else []),
            (parts.netloc.rpartition(":")[0] or host) if parts.port else parts.netloc,
        ]
    )
    if "IDENTIFICATION HAS CHANGED" in said or "has changed and you have requested" in said:
        name = f"'[{host}]:{parts.port}'" if parts.port else host
        return EngineError(
            f"the key of {host} is another one than before: it may be another machine",
            f"if that is as it should be: ssh-keygen -R {name}, then {login}",
        )
    if "Host key verification failed" in said:
        return EngineError(f"the key of {host} is not known here", f"connect once and check it: {login}")
    if "Permission denied" in said:
        return EngineError(
            f"ssh to {host} is refused: permission denied",
            f"boxtop asks no password: load a key (ssh-add) so that it works: {login}",
        )
    if ("virt-ssh-helper" in said and "not found" in said) or "nc: not found" in said:
        return EngineError(f"{host} has no libvirt, or one that ssh cannot reach", f"install libvirt on {host}")
    if "Failed to connect socket" in said or "cannot connect to '/" in said:
        return EngineError(f"no libvirt daemon listens on {host}", "sudo systemctl start libvirtd there")
    if any(word in said for word in _FROM_SSH):
        line = next(
            (part for part in said.removeprefix("Cannot recv data: ").split(": Connection reset") if part), said
        )
        return EngineError(line, f"see whether this works: {login}")
    return None


def ask_error(error: BaseException) -> EngineError:
    return EngineError(f"libvirt: {words(error)}", "" if is_lost(error) else "see the log of libvirtd")


def action_error(error: BaseException) -> ActionError | EngineError:
    """A refusal in the daemon's words, or the loss of the connection."""
    if is_lost(error):
        return EngineError(f"lost libvirt: {words(error)}")
    if is_gone(error):
        return ActionError("the VM is gone")
    said = words(error)
    if any(word in said for word in _FROM_KVM):
        return ActionError(f"KVM does not work on its host; a VM made to run emulated does: {said}")
    return ActionError(said or "libvirt refused without a word")
