"""libvirt's errors in words: what is the case and what to do. Codes: virErrorNumber of libvirt 9.0."""

from __future__ import annotations

from typing import Any

from backends.base import ActionError, EngineError
from backends.text import clean

_NO_DOMAIN = 42
_AUTH, _ACCESS = {45, 60, 79, 80}, {88, 29}
_CONNECTION_GONE = {
    "client socket is closed",
    "connection closed",
    "Broken pipe",
    "keepalive",
    "Connection reset by peer",
    "End of file while reading data",
}


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
    ask: Any = getattr(error, "get_error_message", None)
    return clean(str((ask() if callable(ask) else None) or error), 300).rstrip(".")


def connect_error(error: BaseException, url: str) -> EngineError:
    """Why no connection could be had, with the remedy."""
    said = words(error)
    if "No such file" in said or "Connection refused" in said:
        absent = "No such file" in said
        return EngineError(f"no libvirt daemon listens for {url}", "sudo systemctl start libvirtd", absent=absent)
    if "Permission denied" in said or "authentication" in said.lower() or code(error) in _AUTH | _ACCESS:
        return EngineError(f"{url} refuses this user: {said}", "sudo usermod -aG libvirt $USER, then log in again")
    if "ssh" in url:
        return EngineError(f"{url}: {said}", "see whether ssh to that machine works without a password")
    return EngineError(f"{url}: {said}", "see whether virsh connects to it")


def ask_error(error: BaseException) -> EngineError:
    return EngineError(f"libvirt: {words(error)}", "" if is_lost(error) else "see the log of libvirtd")


def action_error(error: BaseException) -> ActionError | EngineError:
    """A refusal in the daemon's words, or the loss of the connection."""
    if is_lost(error):
        return EngineError(f"lost libvirt: {words(error)}")
    if is_gone(error):
        return ActionError("the VM is gone")
    return ActionError(words(error) or "libvirt refused without a word")
