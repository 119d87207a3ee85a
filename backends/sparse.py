"""Copies of files that keep their holes. Blocking; ended through an event."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable

_CHUNK = 1 << 20


class Ended(Exception):
    """The copy was told to end; its file is not whole."""


def copy_file(source: str, target: str, told: Callable[[int], None], end: threading.Event) -> None:
    """Copy a file to one that is not there yet. `told` gets the bytes of each step, holes too.

    Raises OSError, or Ended. Neither end follows a link; what was written stays for the caller to remove.
    """
    read = os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        size = os.fstat(read).st_size
        write = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            at = 0
            while at < size:
                data, hole = _next(read, at, size)
                told(data - at)
                at = data
                while at < hole:
                    if end.is_set():
                        raise Ended
                    block = os.pread(read, min(_CHUNK, hole - at), at)
                    if not block:
                        raise OSError(errno.EIO, "it became shorter while it was read", source)
                    done = os.pwrite(write, block, at)
                    at += done
                    told(done)
            os.ftruncate(write, size)
            os.fsync(write)
        finally:
            os.close(write)
    finally:
        os.close(read)


def _next(file: int, at: int, size: int) -> tuple[int, int]:
    """Where the next data begin and end, from `at` on; (size, size) when only a hole is left."""
    try:
        data = os.lseek(file, at, os.SEEK_DATA)
        return data, os.lseek(file, data, os.SEEK_HOLE)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return size, size
        # a file system that knows no holes
        return at, size
