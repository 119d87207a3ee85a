"""The log file: in the user's state folder, readable by its owner only, made when there is something to say."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any


def default_file() -> Path:
    from platformdirs import user_state_path

    return user_state_path("boxtop", appauthor=False) / "boxtop.log"


class _PrivateFile(logging.FileHandler):
    def _open(self) -> Any:
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True, mode=0o700)

        def private(name: str, flags: int) -> int:
            return os.open(name, flags, 0o600)

        return open(self.baseFilename, self.mode, encoding="utf-8", opener=private)

    def handleError(self, record: logging.LogRecord) -> None:
        """A log that cannot be written must not draw over the screen."""


def start(level: str, file: Path | None = None) -> None:
    handler = _PrivateFile(file or default_file(), delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
