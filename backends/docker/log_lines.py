"""An engine's log stream taken apart: frames or plain lines, each with its time in front.

Docker Engine API 1.41 `GET /containers/{id}/logs?timestamps=1`. Without a TTY each message is a frame: a byte for its
stream (1 stdout, 2 stderr), three zeros, its length in four bytes; with one it is the message alone. A message is
`2026-01-31T12:00:00.123456789Z text\\n`; a line beyond 16 KiB is several of one time, only the last with its \\n.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Mapping
from datetime import datetime
from struct import Struct

from backends.abilities.logs import LONGEST

_LENGTH = Struct(">I").unpack_from
_ABSURD = 1 << 24
"""No message is that long: such a length means that the stream has no frames."""
_PIECE = 16 * 1024
SECOND = 1_000_000_000
"""Nanoseconds."""
_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ?")


class LogLines:
    """Feed it the stream in any portions; take what has come out. One thread's."""

    def __init__(self, *, framed: bool) -> None:
        self._framed = framed
        self._rest = b""
        self._prefix = b""
        self._base = 0
        self._last = 0
        self._open: dict[int, tuple[int, bytearray]] = {}
        """By stream: a line whose end has not come, with its time."""
        self.texts: list[bytes] = []
        self.stamps: array[int] = array("q")
        self.errors = bytearray()

    def take(self) -> tuple[list[bytes], array[int], bytes]:
        """The lines since the last time: texts, times in Unix nanoseconds, and 1 where one went to stderr."""
        taken = self.texts, self.stamps, bytes(self.errors)
        self.texts, self.stamps, self.errors = [], array("q"), bytearray()
        return taken

    def feed(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
        done = self._frames(data) if self._framed else self._plain(data)
        if done < 0:
            self._framed = False
            done = self._plain(data)
        self._rest = data[done:]

    def finish(self) -> None:
        """The stream has ended: what had no line end yet is a line, too."""
        if not self._framed and self._rest:
            self._message(self._rest, 0)
            self._rest = b""
        for error in list(self._open):
            self._close(error)

    def _frames(self, data: bytes) -> int:
        """Take whole frames; how many bytes they were, or -1 where these are no frames."""
        # The loop a flood goes through: a message of the usual kind costs about a microsecond
        texts, stamps, errors = self.texts, self.stamps, self.errors
        prefix, base, unfinished = self._prefix, self._base, self._open
        at, end = 0, len(data)
        while at + 8 <= end:
            size = _LENGTH(data, at + 4)[0]
            stop = at + 8 + size
            if stop > end:
                if size > _ABSURD:
                    return -1
                break
            error = 1 if data[at] == 2 else 0
            if 32 <= size <= LONGEST and data[stop - 1] == 10 and data[at + 37 : at + 39] == b"Z " and not unfinished:
                second = data[at + 8 : at + 27]
                if second != prefix:
                    base, prefix = _seconds(second), second
                try:
                    stamp = base + int(data[at + 28 : at + 37])
                except ValueError:
                    self._message(data[at + 8 : stop], error)
                else:
                    stamps.append(stamp)
                    texts.append(data[at + 39 : stop - 1])
                    errors.append(error)
            else:
                self._message(data[at + 8 : stop], error)
            at = stop
        self._prefix, self._base = prefix, base
        if stamps:
            self._last = stamps[-1]
        return at

    def _plain(self, data: bytes) -> int:
        """Take whole lines; how many bytes they were."""
        end = data.rfind(b"\n") + 1
        if not end:
            # A line without an end is not kept for ever
            return 0 if len(data) < _ABSURD else self._overlong(data)
        for line in data[:end].split(b"\n")[:-1]:
            if len(line) > _PIECE and (found := _STAMP.match(line)):
                line = found[0] + line.replace(found[0], b"")  # noqa: PLW2901
            self._message((line[:-1] if line.endswith(b"\r") else line) + b"\n", 0)
        return end

    def _overlong(self, data: bytes) -> int:
        self._message(data, 0)
        return len(data)

    def _message(self, message: bytes, error: int) -> None:
        """One message of any form."""
        found = _STAMP.match(message)
        stamp = self.stamps[-1] if self.stamps else self._last
        if found:
            stamp, message = stamp_of(found), message[found.end() :]
        unfinished = self._open.get(error)
        if unfinished is not None and found and unfinished[0] != stamp:
            self._close(error)
            unfinished = None
        ended = message.endswith(b"\n")
        text = message[:-1] if ended else message
        if unfinished is not None:
            unfinished[1].extend(text)
        elif ended:
            self._add(stamp, text, error)
            return
        else:
            self._open[error] = (stamp, bytearray(text))
        if ended or len(self._open[error][1]) > _ABSURD:
            self._close(error)

    def _close(self, error: int) -> None:
        stamp, text = self._open.pop(error)
        self._add(stamp, bytes(text), error)

    def _add(self, stamp: int, text: bytes, error: int) -> None:
        self._last = stamp
        self.stamps.append(stamp)
        self.texts.append(shortened(text))
        self.errors.append(error)


def shortened(text: bytes) -> bytes:
    """The line within LONGEST bytes; what is cut off is told at its end."""
    if len(text) <= LONGEST:
        return text
    return text[:LONGEST] + f" … {len(text) - LONGEST} more bytes".encode()


def stamp_of(found: re.Match[bytes]) -> int:
    """Unix nanoseconds of a match of RFC 3339 (Podman leaves trailing zeros off and tells its own zone)."""
    second, fraction, zone = found.groups()
    nanoseconds = int((fraction or b"0").ljust(9, b"0"))
    base = _seconds(second)
    if zone != b"Z":
        minutes = int(zone[1:3]) * 60 + int(zone[4:6])
        base -= (minutes if zone[:1] == b"+" else -minutes) * 60 * SECOND
    return base + nanoseconds


def _seconds(text: bytes) -> int:
    """`2026-01-31T12:00:00` in UTC as Unix nanoseconds; 0 where it is no time."""
    try:
        moment = datetime.fromisoformat(text.decode() + "+00:00")
    except ValueError:
        return 0
    return int(moment.timestamp()) * SECOND


def log_query(tail: int, *, since: int = 0, until: int = 0, follow: bool) -> Mapping[str, str]:
    """The parameters of `GET /containers/{id}/logs`; times are Unix nanoseconds, 0 for none."""
    query = {"stdout": "1", "stderr": "1", "timestamps": "1", "tail": str(tail)}
    if follow:
        query["follow"] = "1"
    for name, moment in (("since", since), ("until", until)):
        if moment:
            query[name] = f"{moment // SECOND}.{moment % SECOND:09d}"
    return query
