"""What goes wrong between the helper and VBoxSVC, and the words for it."""

from __future__ import annotations

LOST = 3
OBJECT_NOT_FOUND = 0x80BB0001  # VBOX_E_OBJECT_NOT_FOUND
BROKEN_CONNECTION = {
    0x80004004,  # NS_ERROR_ABORT: VBoxSVC is gone
    0x800706BE,  # RPC_S_CALL_FAILED
    0x800706BA,  # RPC_S_SERVER_UNAVAILABLE
    0xC1F30002,  # NS_ERROR_BASE + IPC not connected
}


class Refused(Exception):
    """A request that cannot be done, in words; `kind` tells the parent what to make of it."""

    def __init__(self, words: str, kind: str = "action") -> None:
        super().__init__(words)
        self.kind = kind


class Unreadable(Exception):
    """A machine that was never read cannot be read now."""


class Lost(Exception):
    """VBoxSVC is gone; only a new process can connect again."""


def status_of(error: BaseException) -> int | None:
    """The COM status of an exception of pyvbox (`value`) or of the binding (`errno`, `hresult`), else None."""
    for name in ("value", "errno", "hresult"):
        status = getattr(error, name, None)
        if isinstance(status, int):
            return status & 0xFFFFFFFF
    return None


def words_of(error: BaseException) -> str:
    message = getattr(error, "msg", None)
    status = status_of(error)
    if not message:
        message = str(error) or type(error).__name__
    words = " ".join(str(message).split())
    return words if status is None or "0x" in words else f"{words} (0x{status:08x})"
