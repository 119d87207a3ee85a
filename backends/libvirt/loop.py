"""libvirt's own event loop, one for the process, in a daemon thread: callbacks and keep-alive need it."""

from __future__ import annotations

import threading
from typing import Any

_lock = threading.Lock()
_running = False


def library() -> Any:
    """The libvirt module with its event loop running. Blocks at first. Raises ImportError."""
    import libvirt

    global _running  # noqa: PLW0603 - libvirt's loop is the process's own, too
    with _lock:
        if not _running:
            # it would print every error to the terminal
            libvirt.registerErrorHandler(lambda *_: None, None)
            libvirt.virEventRegisterDefaultImpl()
            # a loop with nothing to wait for would spin or sleep for ever: a timer keeps it turning
            libvirt.virEventAddTimeout(1000, lambda *_: None, None)
            threading.Thread(target=_turn, args=(libvirt,), name="libvirt-events", daemon=True).start()
            _running = True
    return libvirt


def _turn(libvirt: Any) -> None:
    while True:
        try:
            libvirt.virEventRunDefaultImpl()
        except libvirt.libvirtError:
            continue
