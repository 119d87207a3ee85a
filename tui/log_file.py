"""Lines of logs as a text file of the user's own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from backends.log_text import plain
from tui.whole_file import write_whole
from widgets.log_view import NOTE


def write_lines(path: Path, lines: Sequence[tuple[bytes, int, int]], names: Sequence[str], *, stamps: bool) -> int:
    """Write (raw text, time in Unix nanoseconds, tag) of each line, clean; readable by the user alone, and in place of
    what is there, whole or not at all. Several `names` are told on each line, times with `stamps`. Bytes written.

    Raises OSError.
    """
    return write_whole(path, _texts(lines, names, stamps=stamps))


def _texts(lines: Sequence[tuple[bytes, int, int]], names: Sequence[str], *, stamps: bool) -> Iterator[bytes]:
    for raw, stamp, tag in lines:
        when = f"{_rfc3339(stamp)} " if stamps else ""
        if tag & NOTE:
            yield f"{when}-- {plain(raw)}\n".encode()
            continue
        who = f"{names[tag >> 1]} " if len(names) > 1 else ""
        yield f"{when}{who}{'! ' if tag & 1 else ''}{plain(raw)}\n".encode()


def _rfc3339(stamp: int) -> str:
    seconds, nanoseconds = divmod(stamp, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{nanoseconds:09}Z"
