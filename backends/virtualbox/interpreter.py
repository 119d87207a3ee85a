"""Which VirtualBox there is, and which interpreter can load its binding."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PYTHON_VARIABLE = "BOXTOP_VIRTUALBOX_PYTHON"
MANAGE_VARIABLE = "BOXTOP_VBOXMANAGE"
PROGRAM_FOLDERS = ("/usr/lib/virtualbox", "/usr/lib64/virtualbox", "/opt/VirtualBox", "/usr/local/lib/virtualbox")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An interpreter to try. `origin` says where the user can change it."""

    command: tuple[str, ...]
    origin: str

    @property
    def text(self) -> str:
        return shlex.join(self.command)


def candidates(configured: str) -> tuple[Candidate, ...]:
    """Interpreters in the order to try them: the one the user named and no other, else those of this machine.

    Raises ValueError, in words, for a command line that cannot be split.
    """
    named = os.environ.get(PYTHON_VARIABLE, "")
    origin = PYTHON_VARIABLE if named else "virtualbox.python"
    if words := _split(named or configured, origin):
        return (Candidate(words, origin),)
    places = (
        (sys.executable, "boxtop's own Python"),
        (shutil.which("python3") or "", "python3"),
        ("/usr/bin/python3", "the system's Python"),
    )
    found = {path: Candidate((path,), origin) for path, origin in reversed(places) if path and Path(path).exists()}
    return tuple(reversed(found.values()))


def vboxmanage() -> tuple[str, ...]:
    """The command of VBoxManage; empty where there is none. Raises ValueError as `candidates` does."""
    if given := _split(os.environ.get(MANAGE_VARIABLE, ""), MANAGE_VARIABLE):
        return given
    if found := shutil.which("VBoxManage") or shutil.which("vboxmanage"):
        return (found,)
    return next(((str(path),) for path in _programs("VBoxManage")), ())


def environment() -> dict[str, str]:
    """What the binding of PyPI's `vbox-sdk` needs to find the installed programs."""
    folder = next((path.parent for path in _programs("VBoxSVC")), None)
    if folder is None:
        return {}
    found = {"VBOX_PROGRAM_PATH": str(folder)}
    if (folder / "sdk").is_dir():
        found["VBOX_SDK_PATH"] = str(folder / "sdk")
    return {name: value for name, value in found.items() if name not in os.environ}


def installed(configured: str) -> bool:
    """Whether anything points to a VirtualBox on this machine."""
    return bool(configured or os.environ.get(PYTHON_VARIABLE) or vboxmanage() or any(_programs("VBoxSVC")))


def pyvbox_folder() -> str:
    """The folder that holds boxtop's own copy of pyvbox's package `virtualbox`; empty where it has none."""
    found = importlib.util.find_spec("virtualbox")
    return str(Path(found.origin).parent.parent) if found is not None and found.origin else ""


def _programs(name: str) -> Iterable[Path]:
    folders = [os.environ.get("VBOX_PROGRAM_PATH", ""), *PROGRAM_FOLDERS]
    return (Path(folder, name) for folder in folders if folder and Path(folder, name).is_file())


def _split(line: str, origin: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(line))
    except ValueError as error:
        raise ValueError(f"{origin}: {error}") from None
