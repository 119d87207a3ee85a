"""Where an export may be written, and how much room there is. Blocking."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from backends.base import ActionError
from backends.text import clean


def check_new(path: str, suffix: str) -> None:
    """Raises ActionError where nothing new can be written to this path."""
    shown = clean(path, 300)
    if not os.path.isabs(path):  # noqa: PTH117
        raise ActionError("a whole path, beginning with /")
    if suffix and not path.endswith(suffix):
        raise ActionError(f"it must end in {suffix}")
    if os.path.lexists(path):
        raise ActionError(f"{shown} is there already: nothing is overwritten")
    parent = Path(path).parent
    if not parent.is_dir():
        raise ActionError(f"there is no folder {clean(str(parent), 300)}")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise ActionError(f"this user may not write to {clean(str(parent), 300)}")


def free_at(path: str) -> int | None:
    """Bytes this user may still write at the nearest folder that is there; None where that is not told."""
    place = Path(path)
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        found = os.statvfs(place)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def words(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "the disk is full"
    name = f"{clean(str(error.filename), 300)}: " if error.filename else ""
    return f"{name}{error.strerror or error}"
