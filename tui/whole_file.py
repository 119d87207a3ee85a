"""A file of the user's own, written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, parts: Iterable[bytes]) -> int:
    """Write these in place of what is there: beside it first. Readable by the user alone. Bytes written.

    Blocking; raises OSError.
    """
    aside = path.with_name(f".{path.name[:200]}.{os.getpid()}.part")
    try:
        with open(aside, "wb", opener=_private) as file:
            file.writelines(parts)
        written = aside.stat().st_size
        aside.replace(path)
    except BaseException:
        with suppress(OSError):
            aside.unlink()
        raise
    return written


def _private(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_EXCL, 0o600)
