"""where the files of clones and snapshots go, and their removal when those failed.

Python 3.8, nothing of boxtop; the functions on files serve boxtop itself, too, where VBoxManage stands in for the
binding. API: VirtualBox 7.2.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

# What VirtualBox keeps in the name of a folder (VirtualBoxImpl.cpp, sanitiseMachineFilename); the rest becomes _
_STRANGE = re.compile("[^ ()\\-.0-9A-Za-z_\u00a0-\ud7af]")


def methods(connection: Any) -> dict[str, Callable[..., Any]]:
    """Requests by name."""
    clones = Clones(connection)
    return {
        "clone_place": clones.place,
        "clone_reserve": reserve,
        "clone_clear": clones.clear,
        "files": files,
        "remove_files": remove_files,
    }


class Clones:
    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def place(self, called: str) -> dict[str, Any]:
        """The folder a machine of this name gets, whether it is there already, and the bytes left for it."""
        return look(str(Path(self.connection.box.composeMachineFilename(called, "/", "", "")).parent))

    def clear(self, folder: str) -> str:
        """Remove a folder no registered machine lives in; what went wrong, or nothing."""
        for machine in self.connection.box.getMachines():
            if str(Path(machine.settingsFilePath).parent) == folder:
                return "a registered VM lives there"
        return clear(folder)


def look(folder: str) -> dict[str, Any]:
    place = Path(folder)
    there = os.path.lexists(folder)
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        free = shutil.disk_usage(place).free
    except OSError:
        free = None
    return {"folder": folder, "taken": there, "free": free}


def folder_of(base: str, name: str) -> str:
    """The folder below `base` VirtualBox gives a machine of this name."""
    made = _STRANGE.sub(lambda match: "_" * len(match.group().encode("utf-8", "replace")), name)
    if made[:1] in {".", "-"}:
        made = "_" + made[1:]
    if len(made) > 1 and made.endswith("."):
        made = made[:-1] + "_"
    return str(Path(base, made))


def reserve(folder: str) -> str:
    """Make the folder, which is its maker's alone then; why it cannot be, or nothing."""
    try:
        Path(folder).parent.mkdir(parents=True, exist_ok=True)
        Path(folder).mkdir()
    except FileExistsError:
        return "is there already"
    except OSError as error:
        return error.strerror or str(error)
    return ""


def clear(folder: str) -> str:
    """Remove a folder with what is in it; what went wrong, or nothing."""
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return error.strerror or str(error)
    return ""


def files(folder: str) -> list[str]:
    """The names of what is in a folder; nothing where there is none."""
    try:
        return sorted(path.name for path in Path(folder).iterdir())
    except OSError:
        return []


def remove_files(folder: str, names: list[str]) -> list[str]:
    """Delete these files of a folder; those that could not be."""
    left = []
    for name in names:
        try:
            Path(folder, Path(name).name).unlink()
        except OSError:
            left.append(name)
    return left
