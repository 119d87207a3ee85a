"""Docker's log stream taken apart: frames, plain lines, pieces of long lines, any portions of bytes."""

from __future__ import annotations

import random

import pytest

from backends.abilities.logs import LONGEST
from backends.docker.log_lines import LogLines

BASE = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z


def frame(text: bytes, error: bool = False, nanoseconds: int = 5, stamp: bytes = b"") -> bytes:
    message = (stamp or b"2026-01-01T00:00:00.%09dZ" % nanoseconds) + b" " + text
    return bytes([2 if error else 1, 0, 0, 0]) + len(message).to_bytes(4, "big") + message


def read(data: bytes, portions: list[int] | None = None, *, framed: bool = True) -> list[tuple[bytes, int, int]]:
    lines = LogLines(framed=framed)
    for size in portions or [len(data)]:
        lines.feed(data[:size])
        data = data[size:]
    lines.feed(data)
    lines.finish()
    return list(zip(*lines.take(), strict=True))


def test_streams_and_times():
    data = frame(b"one\n") + frame(b"two\n", True, 6) + frame(b"\n", nanoseconds=7)
    assert read(data) == [(b"one", BASE + 5, 0), (b"two", BASE + 6, 1), (b"", BASE + 7, 0)]


@pytest.mark.parametrize("framed", [True, False])
def test_any_portions_give_the_same_lines(framed: bool):
    chance = random.Random(1)
    if framed:
        data = b"".join(frame(b"x" * chance.randrange(60) + b"\n", chance.random() < 0.5, n) for n in range(300))
    else:
        data = b"".join(b"2026-01-01T00:00:00.%09dZ %s\r\n" % (n, b"y" * chance.randrange(60)) for n in range(300))
    whole = read(data, framed=framed)
    assert len(whole) == 300
    for _ in range(20):
        assert read(data, [chance.randrange(1, 90) for _ in range(150)], framed=framed) == whole


def test_pieces_of_one_line_are_joined_and_those_of_others_not():
    piece = b"a" * 16384
    data = frame(piece) + frame(b"from elsewhere\n", True, 6) + frame(piece) + frame(b"end\n")
    assert read(data) == [
        (b"from elsewhere", BASE + 6, 1),
        (piece[:16384] * 2 + b" \xe2\x80\xa6 3 more bytes", BASE + 5, 0),
    ]
    # a process that ended without a line end, and the next one's first line
    assert read(frame(b"no end") + frame(b"next\n", nanoseconds=9)) == [
        (b"no end", BASE + 5, 0),
        (b"next", BASE + 9, 0),
    ]
    assert read(frame(b"no end")) == [(b"no end", BASE + 5, 0)]
    terminal = b"2026-01-01T00:00:00.000000005Z " + piece + b"2026-01-01T00:00:00.000000005Z tail\r\n"
    assert read(terminal, framed=False) == [(piece + b"tail", BASE + 5, 0)]


def test_a_line_is_cut_at_its_bound():
    ((text, _, _),) = read(b"".join(frame(b"z" * 16384) for _ in range(5)) + frame(b"z" * 8080 + b"\n"))
    assert text == b"z" * LONGEST + " … 57232 more bytes".encode()


def test_other_forms_of_time():
    assert read(frame(b"a\n", stamp=b"2026-01-01T01:00:00.25+01:00"))[0][1] == BASE + 250_000_000
    assert read(frame(b"a\n", stamp=b"2026-01-01T00:00:01Z"))[0][1] == BASE + 1_000_000_000
    assert read(frame(b"a\n") + frame(b"b\n", stamp=b"not a time"))[1] == (b"not a time b", BASE + 5, 0)
    assert read(frame(b"a\n", stamp=b"2026-99-99T00:00:00.000000001Z"))[0][:1] == (b"a",)


def test_a_stream_without_frames_where_there_should_be_some_is_read_as_lines():
    assert [line[0] for line in read(b"2026-01-01T00:00:00.000000005Z plain\nmore\n")] == [b"plain", b"more"]


def test_random_bytes_do_no_harm():
    chance = random.Random(2)
    for _ in range(200):
        data = chance.randbytes(chance.randrange(400))
        for framed in (True, False):
            assert all(len(text) <= LONGEST + 40 for text, _, _ in read(data, [7, 50], framed=framed))
