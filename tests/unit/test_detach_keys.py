"""The docker CLI's detach keys: what is taken, and what is called wrong."""

import pytest

from backends.detach_keys import DetachKeys, parse_detach_keys, read_detach_keys


@pytest.mark.parametrize(
    ("value", "keys", "text"),
    [
        ("ctrl-p,ctrl-q", b"\x10\x11", "Ctrl-P Ctrl-Q"),
        ("ctrl-]", b"\x1d", "Ctrl-]"),
        ("ctrl-e,e", b"\x05e", "Ctrl-E e"),
        ("ctrl-@,ctrl-\\,~", b"\x00\x1c~", "Ctrl-@ Ctrl-\\ ~"),
    ],
)
def test_keys_are_taken_as_the_cli_takes_them(value, keys, text):
    assert parse_detach_keys(value) == DetachKeys(keys, text)


@pytest.mark.parametrize("value", ["ctrl-", "ctrl-1", "shift-a", "ctrl-A", "a,,b", 7, ["ctrl-p"], "\x1b[2J", "a," * 20])
def test_what_is_no_keys_is_told_in_one_clean_line(value):
    found = parse_detach_keys(value)
    assert not found.keys
    assert "which are no keys" in found.wrong
    assert found.wrong.isprintable()


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}", '{"detachKeys": ""}'])
def test_a_config_without_them_says_nothing(tmp_path, text):
    if text is not None:
        (tmp_path / "config.json").write_text(text)
    assert read_detach_keys({"DOCKER_CONFIG": str(tmp_path)}) == DetachKeys()


def test_they_are_read_from_the_home_or_the_folder_named(tmp_path):
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker/config.json").write_text('{"detachKeys": "ctrl-x,x"}')
    assert read_detach_keys({"HOME": str(tmp_path)}).keys == b"\x18x"
