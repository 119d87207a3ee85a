"""The command line: what it turns into, and that every mistake is one line and status 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui import cli, config
from tui.arguments import make_parser, with_arguments
from tui.commands import BY_ID, COMMANDS
from tui.options import LOG_LEVELS, THEMES, HostOption, Options
from tui.widget_keys import widget_bindings

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.fixture(autouse=True)
def no_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def options(*arguments: str, configured: Options | None = None) -> Options:
    return with_arguments(make_parser().parse_args(arguments), configured or Options())


def test_without_arguments_the_configuration_stands() -> None:
    configured = Options(
        hosts=(HostOption("docker://"),), interval=5.0, theme="nord", ascii=True, mouse=False, read_only=True
    )
    assert options(configured=configured) == configured


def test_arguments_come_before_the_configuration() -> None:
    given = options(
        "--host", "podman", "--interval", "0.5", "--theme", "textual-light", "--ascii", "--no-mouse", "--read-only"
    )
    assert given == Options(
        hosts=(HostOption("podman://"),),
        interval=0.5,
        theme="textual-light",
        ascii=True,
        mouse=False,
        read_only=True,
    )


def test_engine_options_stand_before_and_after_the_subcommand() -> None:
    given = options("--host", "docker", "--ascii", "ls", "vms", "--host", "podman")
    assert [host.url for host in given.hosts] == ["docker://", "podman://"]
    assert given.ascii
    assert options("--demo", "ls").demo
    assert options("ls", "--demo").demo
    assert make_parser().parse_args(["--config", "a", "ls"]).config == Path("a")
    assert make_parser().parse_args(["--config", "a", "ls", "--config", "b"]).config == Path("b")


def test_a_host_named_again_keeps_its_protection() -> None:
    known = HostOption("ssh://web-02", "web", read_only=True)
    given = options("--host", "ssh://web-02", "--host", "docker", configured=Options(hosts=(known,)))
    assert given.hosts == (known, HostOption("docker://"))


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--interval", "0"], ["--interval", "0.5 to 60"]),
        (["--interval", "soon"], ["--interval", "0.5 to 60"]),
        (["--theme", "pink"], ["--theme", "textual-dark"]),
        (["--host", "ftp://x"], ["--host", "ssh://"]),
        (["--fly"], ["--fly"]),
        (["fly"], ["fly", "ls", "doctor"]),
        (["ls", "pods"], ["pods", "containers", "images"]),
        (["ls", "--json", "--fly"], ["--fly"]),
        (["--demo", "--host", "docker"], ["--demo", "--host"]),
        (["ls", "--demo", "--host", "docker"], ["--demo", "--host"]),
        (["--th\x1b[31m"], ["--th"]),
    ],
)
def test_wrong_usage_is_one_line(arguments: list[str], names: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.run(arguments)
    assert ended.value.code == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("boxtop: ")
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert all(name in err for name in names)


def test_a_wrong_configuration_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('theme = "pink"')
    assert cli.run(["--config", str(file), "ls"]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith(f"boxtop: {file}: theme: must be ")
    assert "textual-dark" in err
    assert err.count("\n") == 1


def test_print_config_prints_the_defaults_with_every_command(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--print-config"]) == 0
    text = capfd.readouterr().out
    assert config.parse(text, lambda: BY_ID) == Options()
    assert all(f"# {command.id} = " in text for command in COMMANDS)


def test_every_key_line_of_print_config_can_be_uncommented(capfd: pytest.CaptureFixture[str]) -> None:
    cli.run(["--print-config"])
    head, keys = capfd.readouterr().out.split("[keys]\n")
    uncommented = "".join(f"{line.removeprefix('# ')}\n" for line in keys.splitlines())
    parsed = config.parse(f"{head}[keys]\n{uncommented}", cli.known_commands)
    widgets = {name: keys for name, (keys, _) in widget_bindings().items()}
    assert parsed.keys == {command.id: command.keys for command in COMMANDS} | widgets


def test_the_documentation_names_every_key_and_value() -> None:
    text = (DOCS / "configuration.md").read_text()
    with pytest.raises(config.ConfigError) as caught:
        config.parse("x = 1", lambda: BY_ID)
    keys = str(caught.value).partition("allowed: ")[2].split(", ")
    assert len(keys) > 5
    assert not [key for key in keys if f"`{key}" not in text]
    assert not [name for name in (*THEMES, *LOG_LEVELS) if name not in text]
    assert not [
        name for name in ("url", "name", "read_only", "virtualbox.python", "log.level") if f"`{name}`" not in text
    ]
    options_of_help = [word for word in make_parser().format_help().split() if word.startswith("--")]
    documented = {
        "--interval",
        "--theme",
        "--ascii",
        "--no-mouse",
        "--read-only",
        "--host",
        "--config",
        "--print-config",
    }
    assert documented <= set(options_of_help)
    assert not [option for option in documented if option not in text]
