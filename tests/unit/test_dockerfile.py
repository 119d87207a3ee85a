"""What is read off a Dockerfile before it is built."""

from __future__ import annotations

import pytest

from backends.dockerfile import parse


def test_stages_bases_and_arguments():
    found = parse(
        "ARG VERSION=3.12\nARG TOKEN\n"
        "FROM --platform=linux/amd64 python:$VERSION AS Base\n"
        "# FROM commented AS out\n"
        'ARG GREETING="hello" OTHER\n'
        "RUN echo a \\\n  # FROM inside AS inside\n  FROM continued AS continued\n"
        "from base as final\nFROM scratch\nCOPY --from=base / /\n"
    )
    assert found.stages == ("Base", "final")
    assert found.bases == ("python:$VERSION",)
    assert found.arguments == (("VERSION", "3.12"), ("TOKEN", ""), ("GREETING", "hello"), ("OTHER", ""))
    assert found.buildkit == ""


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("# syntax=docker/dockerfile:1\nFROM a", "its # syntax= line"),
        ("# escape=`\n# Syntax = x\nFROM a", "its # syntax= line"),
        ("FROM a\n# syntax=docker/dockerfile:1", ""),
        ("# a comment first\n# syntax=docker/dockerfile:1\nFROM a", ""),
        ("FROM a\nRUN --mount=type=cache,target=/c make", "RUN --mount in line 2"),
        ("FROM a\nRUN echo --mount=x", ""),
        ("FROM a\nCOPY --link a b", "COPY --link in line 2"),
        ("FROM a\nCOPY --chown=1 --chmod=755 a b", "COPY --chmod in line 2"),
        ("FROM a\nCOPY --from=b a b", ""),
        ("FROM a\nADD --checksum=sha256:1 http://x /", "ADD --checksum in line 2"),
        ("FROM a\nRUN <<EOF\nFROM inside AS inside\nEOF\n", "RUN << in line 2"),
        ("FROM a\nCOPY <<-'one' <<two /x/\none\nbody\n\tone\ntwo\n", "COPY << in line 2"),
        ("FROM a\nRUN echo $((1 << 3))", ""),
        ("FROM --platform=$BUILDPLATFORM a", "FROM with a platform argument in line 1"),
    ],
)
def test_what_only_buildkit_can_do(text, needed):
    assert parse(text).buildkit == needed
    assert "inside" not in parse(text).stages


def test_nonsense_is_no_failure():
    for text in ("", "\\", "FROM", "RUN <<", "\0\xff\n" * 10, "FROM a\nRUN x \\"):
        parse(text)
