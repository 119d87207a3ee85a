"""The end of a growing file, and what is added to it."""

from __future__ import annotations

import os
import stat

from backends.abilities.engine_log import LogMark, LogPart
from backends.text import clean

MOST = 1 << 20
"""Bytes of a log's end that are read at first; later four times that at once."""
_LONGEST_LINE = 1 << 16


def read_file(path: str, after: LogMark | None, *, shown: str = "") -> LogPart:
    """The end of a file, or what came after the mark. `shown`: what to call it. Raises OSError."""
    # not to hang on a pipe that somebody put there
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(0, "it is no ordinary file")
        identity = (found.st_dev, found.st_ino)
        same = after is not None and after.file == identity and found.st_size >= after.offset
        start = after.offset if same and after else max(0, found.st_size - MOST)
        cut = start > 0 and not same
        if same and found.st_size - start > 4 * MOST:
            start, cut = found.st_size - MOST, True
        data = os.pread(file, found.st_size - start, start)
    finally:
        os.close(file)
    return part_of(data, LogMark(identity, start, after.held if same and after else 0), shown or path, cut=cut,
                   anew=after is not None and not same)  # fmt: skip


def part_of(data: bytes, mark: LogMark, place: str, *, cut: bool, anew: bool, again: float = 1.0) -> LogPart:
    """The lines of what was read from `mark` on. A line without an end waits until it has not grown once."""
    end = data.rfind(b"\n") + 1
    rest = len(data) - end
    if rest and (rest == mark.held or rest > _LONGEST_LINE):
        end, rest = len(data), 0
    lines = data[:end].splitlines()
    # what is before the first line's end is a piece of a line
    lines = lines[1:] if cut else lines
    texts = tuple(line[:_LONGEST_LINE].rstrip(b"\r") for line in lines)
    return LogPart(
        texts, LogMark(mark.file, mark.offset + end, rest), clean(place, 500), cut=cut, anew=anew, again=again
    )
