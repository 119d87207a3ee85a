"""Runs the command `boxtop` as a user would: a process of its own, without this user's configuration."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

COMMAND = [sys.executable, "-m", "tui.cli"]
ROOT = Path(__file__).parent.parent.parent


def environment(home: Path, **changes: str) -> dict[str, str]:
    """A plain user's: nothing set that names an engine, a configuration, or the terminal's abilities."""
    kept = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    return kept | {"HOME": str(home), "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"} | changes


def boxtop(home: Path, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Its end, output and errors; stdin is empty and nothing is a terminal."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(home, **changes),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
        cwd=home,
    )
