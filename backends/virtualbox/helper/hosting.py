"""guest types, and files as VirtualBox's own machine has them.

API: VirtualBox 7.2; 6.1 has the same attributes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any


def methods(connection: Any) -> dict[str, Callable[..., Any]]:
    """Requests by name."""
    return {"os_types": lambda: os_types(connection), "place": place, "discard": discard}


def os_types(connection: Any) -> list[dict[str, Any]]:
    """The guest types this machine can run, with what VirtualBox recommends: memory in MB, disk in bytes."""
    arm = os.uname().machine.startswith(("arm", "aarch"))
    found = []
    for kind in connection.box.getGuestOSTypes():
        if kind.id.endswith("_arm64") is not arm:
            continue
        found.append(
            {
                "id": kind.id,
                "name": kind.description,
                "memory": int(kind.recommendedRAM),
                "disk": int(kind.recommendedHDD),
                # FirmwareType: 1 is BIOS
                "uefi": int(kind.recommendedFirmware) > 1,
                "smp": kind.id.endswith("_64"),
            }
        )
    return found


def place(path: str) -> dict[str, Any]:
    """What is at a path, and the bytes left in the file system that it is or would be in."""
    try:
        size = os.stat(path).st_size  # noqa: PTH116 - one call for all
        why = "" if os.access(path, os.R_OK) else "it may not be read"
        why = "it is a folder" if os.path.isdir(path) else why  # noqa: PTH112
    except OSError as error:
        size, why = 0, error.strerror or str(error)
    above = path
    while above not in ("", "/") and not os.path.isdir(above):  # noqa: PTH112
        above = os.path.dirname(above)  # noqa: PTH120
    try:
        free = shutil.disk_usage(above or "/").free
    except OSError:
        free = None
    return {"size": size, "why": why, "free": free, "there": os.path.lexists(path)}


def discard(path: str) -> bool:
    """Delete a file that boxtop has begun and VirtualBox does not know; False when there is none."""
    try:
        os.remove(path)  # noqa: PTH107
    except FileNotFoundError:
        return False
    return True
