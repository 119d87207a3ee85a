from __future__ import annotations

import stat

from tui.journal import Entry, append, tail


def entry(name: str) -> Entry:
    return Entry(1.5, "docker", "container", name, "id", "stop", "done", 0.25)


def test_what_is_written_is_read_back_newest_first(tmp_path):
    file = tmp_path / "state" / "journal.jsonl"
    for name in ("one", "two\nlines", "drei ä"):
        append(file, entry(name))
    assert tail(file) == [entry("drei ä"), entry("two\nlines"), entry("one")]
    assert [read.name for read in tail(file, 1)] == ["drei ä"]


def test_only_the_owner_may_read_it(tmp_path):
    file = tmp_path / "state" / "journal.jsonl"
    append(file, entry("one"))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_broken_lines_are_passed_over(tmp_path):
    file = tmp_path / "journal.jsonl"
    append(file, entry("one"))
    with file.open("a") as text:
        text.write('{"half": \nnot json\n[]\n')
    append(file, entry("two"))
    assert [read.name for read in tail(file)] == ["two", "one"]


def test_no_journal_yet(tmp_path):
    assert tail(tmp_path / "none") == []
