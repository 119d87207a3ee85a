"""Which libvirt daemons this machine has, told without loading the library: that costs time and 10 MB."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

SYSTEM, SESSION = "qemu:///system", "qemu:///session"
_NAMES = ("libvirt-sock", "virtqemud-sock")
"""Of the daemon for everything and of the one for QEMU alone (libvirt 5.6)."""


def daemons(run: Path = Path("/run"), home: Path | None = None) -> Iterator[str]:
    """Their addresses, the system's first. Blocks for a few `stat` calls.

    The user's own daemon is started by whoever asks for it, so it counts where it has a VM to serve.
    """
    if any(_is_there(run / "libvirt" / name) for name in _NAMES):
        yield SYSTEM
    home = home or Path("~").expanduser()
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    own = Path(runtime) / "libvirt" if runtime else home / ".cache/libvirt"
    defined = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "libvirt/qemu"
    if any(_is_there(own / name) for name in _NAMES) or next(_files(defined), None) is not None:
        yield SESSION


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a folder of others: the daemon says what is refused
        return True


def _files(folder: Path) -> Iterator[Path]:
    try:
        yield from folder.glob("*.xml")
    except OSError:
        return
