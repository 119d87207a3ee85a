"""Answers on processes and changed files, in the shapes engines give them."""

from __future__ import annotations

import json

import pytest

from backends.abilities.inside import MOST_CHANGES, How
from backends.base import ActionError
from backends.docker.inside import entries, gather, process_table
from backends.secrets import MASK


def test_columns_are_the_engines_and_secrets_are_masked():
    table = process_table(
        {
            "Titles": ["USER", "PID", "COMMAND"],
            "Processes": [["root", "1", "serve --password=hunter2 --port 80"], ["root", "7"]],
        }
    )
    assert table.titles == ("USER", "PID", "COMMAND")
    assert table.rows == (("root", "1", f"serve --password={MASK} --port 80"), ("root", "7", ""))


def test_a_line_of_ps_in_one_column_is_split():
    """Podman 4.3 gives the output of a container's own `ps` so."""
    table = process_table(
        {"Titles": ["PID   USER     COMMAND"], "Processes": [["1 0        sh -c touch /x; sleep 1"], ["8 0  ps"]]}
    )
    assert table.titles == ("PID", "USER", "COMMAND")
    assert table.rows == (("1", "0", "sh -c touch /x; sleep 1"), ("8", "0", "ps"))


@pytest.mark.parametrize(
    ("told", "shown"),
    [("2.126916182s", "00:00:02"), ("0s", "00:00:00"), ("3h4m5.9s", "03:04:05"), ("12ms", "00:00:00"), ("ss", "ss")],
)
def test_durations_of_podman_read_like_those_of_ps(told, shown):
    assert process_table({"Titles": ["TIME"], "Processes": [[told]]}).rows == ((shown,),)


@pytest.mark.parametrize("answer", [None, {}, {"Titles": None, "Processes": None}, []])
def test_nothing_is_an_empty_table(answer):
    assert process_table(answer).rows == ()


@pytest.mark.parametrize("size", [1, 7, 64, 1 << 16])
def test_changes_are_read_as_they_come(size):
    paths = ['/etc/ä {odd} "name"', "/x", "/a b", "/del"]
    raw = json.dumps([{"Path": path, "Kind": kind} for path, kind in zip(paths, [0, 1, 1, 2], strict=True)]).encode()
    chunks = [raw[at : at + size] for at in range(0, len(raw), size)]
    found = gather(entries(chunks))
    assert found.total == 4
    assert found.entries == (
        (How.ADDED, "/a b"),
        (How.DELETED, "/del"),
        (How.CHANGED, '/etc/ä {odd} "name"'),
        (How.ADDED, "/x"),
    )


@pytest.mark.parametrize("raw", [b"null\n", b"[]", b""])
def test_no_changes(raw):
    assert gather(entries([raw])).total == 0


def test_changes_are_bounded_and_counted():
    found = gather((1, f"/{number}") for number in range(MOST_CHANGES + 7))
    assert (len(found.entries), found.total) == (MOST_CHANGES, MOST_CHANGES + 7)


def test_what_is_no_list_of_changes_ends():
    with pytest.raises(ActionError):
        gather(entries([b'[{"Path": "' + b"x" * 200_000]))


def test_paths_are_cleaned():
    assert gather([(1, "/a\x1b[31m\nb")]).entries[0][1] == "/a b"
