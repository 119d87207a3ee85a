"""Whether two paths of this machine are one file: by link, hard link, or node of the same device."""

from __future__ import annotations

import os
import stat
from contextlib import suppress


def file_key(path: str) -> object:
    """Equal for all paths of what is there; of what is not, for all spellings. Blocking."""
    with suppress(OSError, ValueError):
        facts = os.stat(path)  # noqa: PTH116
        return ("device", facts.st_rdev) if stat.S_ISBLK(facts.st_mode) else (facts.st_dev, facts.st_ino)
    return os.path.realpath(path) if os.path.isabs(path) else path  # noqa: PTH117
