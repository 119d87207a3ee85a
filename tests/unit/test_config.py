"""The configuration file: the default text, strictness, and one-line errors that name file, key and what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.theme import BUILTIN_THEMES

from tui import config
from tui.config import ConfigError
from tui.options import LOG_LEVELS, THEMES, HostOption, Options

COMMANDS = ("app.quit", "item.stop", "list.filter")


def known() -> dict[str, tuple[str, ...]]:
    return dict.fromkeys(COMMANDS, ("container",))


def parse(text: str) -> Options:
    return config.parse(text, known)


def complaint(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_the_printed_default_equals_the_defaults() -> None:
    text = config.default_text([("app.quit", ("q", "ctrl+q"), "Quit"), ("item.stop", (), "Stop")])
    assert parse(text) == Options()
    assert '# app.quit = ["q", "ctrl+q"]  # Quit' in text


def test_uncommented_key_lines_of_the_default_are_valid() -> None:
    text = config.default_text(
        [("app.quit", ('"',), "Quit"), ("item.stop", (), "Stop"), ("list.filter", ("\\", "/"), "Filter")]
    )
    head, keys = text.split("[keys]")
    assert parse(f"{head}[keys]{keys.replace(chr(10) + '# ', chr(10))}").keys == {
        "app.quit": ('"',),
        "item.stop": (),
        "list.filter": ("\\", "/"),
    }


def test_themes_are_those_textual_has() -> None:
    assert set(THEMES) <= set(BUILTIN_THEMES)
    assert Options().theme in THEMES


def test_every_value_is_read() -> None:
    options = parse(
        """
        interval = 1.5
        theme = "nord"
        ascii = true
        mouse = false
        read_only = true
        hosts = ["unix:///run/x.sock", {url = "ssh://web-02", name = "web", read_only = true}]
        [virtualbox]
        python = "/opt/run python3"
        network = true
        [log]
        level = "debug"
        [keys]
        app.quit = ["q", "ctrl+q"]
        item.stop = "x"
        "list.filter" = []
        """
    )
    assert (options.interval, options.theme, options.ascii, options.mouse, options.read_only) == (
        1.5,
        "nord",
        True,
        False,
        True,
    )
    assert [(host.name, host.read_only) for host in options.hosts] == [("", False), ("web", True)]
    assert options.hosts[1].url.startswith("ssh://web-02")
    assert options.engines.virtualbox_python == "/opt/run python3"
    assert options.engines.virtualbox_network
    assert options.log_level == "debug"
    assert options.keys == {"app.quit": ("q", "ctrl+q"), "item.stop": ("x",), "list.filter": ()}


@pytest.mark.parametrize(
    ("text", "key", "allowed"),
    [
        ("colour = 1", "colour", "theme"),
        ("interval = 0.1", "interval", "0.5 to 60"),
        ("interval = 61", "interval", "0.5 to 60"),
        ("interval = nan", "interval", "0.5 to 60"),
        ("interval = true", "interval", "0.5 to 60"),
        ('interval = "2"', "interval", "0.5 to 60"),
        ('theme = "pink"', "theme", "textual-dark"),
        ("theme = []", "theme", "textual-dark"),
        ("ascii = 1", "ascii", "true or false"),
        ('mouse = "no"', "mouse", "true or false"),
        ('hosts = "unix:///x"', "hosts", "list"),
        ('hosts = ["nonsense://x"]', "hosts[0]", ""),
        ("hosts = [1]", "hosts[0]", "url"),
        ('hosts = [{url = "ssh://a", port = 1}]', "hosts[0].port", "read_only"),
        ('hosts = [{name = "a"}]', "hosts[0]", "url"),
        ('hosts = [{url = "ssh://a", read_only = "yes"}]', "hosts[0].read_only", "true or false"),
        ("virtualbox = 1", "virtualbox", "python"),
        ("[virtualbox]\npython = 3", "virtualbox.python", "text"),
        ("[virtualbox]\npyhton = ''", "virtualbox.pyhton", "python"),
        ('[log]\nlevel = "loud"', "log.level", LOG_LEVELS[0]),
        ('[keys]\nfly = "f"', "keys.fly", "app.quit"),
        ('[keys]\nitem.fly = "f"', "keys.item.fly", "item.stop"),
        ("[keys]\napp.quit = 3", "keys.app.quit", "key"),
        ('[keys]\napp.quit = ["q", ""]', "keys.app.quit", "key"),
        ("keys = 3", "keys", "app.quit"),
        ('"a\\nb\\u001b[31m" = 1', "a b", "theme"),
    ],
)
def test_a_mistake_names_the_key_and_what_is_allowed(text: str, key: str, allowed: str) -> None:
    message = complaint(text)
    assert message.startswith(key + ":")
    assert allowed in message


def test_broken_toml_says_where() -> None:
    assert "line 2" in complaint("interval = 2\ntheme = =")


def test_no_default_file_is_fine_and_none_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config.load(None, known) == Options()
    assert list(tmp_path.iterdir()) == []


def test_the_default_place_honours_xdg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    file = tmp_path / "boxtop" / "config.toml"
    file.parent.mkdir()
    file.write_text("ascii = true")
    options = config.load(None, known)
    assert options.ascii
    assert options.config_file == file


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.toml: no such file"):
        config.load(tmp_path / "gone.toml", known)


def test_a_directory_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"{tmp_path}: cannot be read: Is a directory"):
        config.load(tmp_path, known)


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"theme = '\xff'")
    with pytest.raises(ConfigError, match=r"config\.toml: not UTF-8"):
        config.load(file, known)


def test_errors_of_a_file_start_with_its_name(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("ascii = 3")
    with pytest.raises(ConfigError) as caught:
        config.load(file, known)
    assert str(caught.value) == f"{file}: ascii: must be true or false, not 3"


def test_commands_are_asked_for_only_with_a_keys_table() -> None:
    def never() -> dict[str, tuple[str, ...]]:
        raise AssertionError

    assert config.parse("ascii = true", never).ascii


def test_hosts_are_parsed_in_full() -> None:
    assert parse("hosts = []").hosts == ()
    assert isinstance(parse('hosts = ["unix:///a"]').hosts[0], HostOption)
