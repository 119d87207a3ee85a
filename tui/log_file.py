"""Lines of logs as a text file of the user's own."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from backends.log_text import plain
from widgets.log_view import NOTE


def write_lines(path: Path, lines: Sequence[tuple[bytes, int, int]], names: Sequence[str], *, stamps: bool) -> int:
    """Write (raw text, time in Unix nanoseconds, tag) of each line, clean; readable by the user alone, and in place of
    what is there, whole or not at all. Several `names` are told on each line, times with `stamps`. Bytes written.

    Raises OSError.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(aside, "w", encoding="utf-8", opener=_private) as file:
            for raw, stamp, tag in lines:
                when = f"{_rfc3339(stamp)} " if stamps else ""
                if tag & NOTE:
                    file.write(f"{when}-- {plain(raw)}\n")
                    continue
                who = f"{names[tag >> 1]} " if len(names) > 1 else ""
                file.write(f"{when}{who}{'! ' if tag & 1 else ''}{plain(raw)}\n")
        written = aside.stat().st_size
        aside.replace(path)
    except BaseException:
        with suppress(OSError):
            aside.unlink()
        raise
    return written


def _private(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_EXCL, 0o600)


def _rfc3339(stamp: int) -> str:
    seconds, nanoseconds = divmod(stamp, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{nanoseconds:09}Z"
