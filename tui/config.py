"""The configuration file: where it is, what it may say, what it says when nothing is written.

Every mistake ends in one ConfigError, whose text is one line naming the file, the key and what is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from backends.base import EngineSettings
from backends.text import clean
from tui.custom.declared import custom_commands, refuse_taken_keys
from tui.custom.keys import taken_keys
from tui.options import LOG_LEVELS, MAX_INTERVAL, MIN_INTERVAL, THEMES, HostOption, Options
from tui.rules import Wrong, a_flag, a_table, a_text, as_toml, below, one_of, quoted, said

KnownCommands = Callable[[], Mapping[str, Collection[str]]]
"""Ids that [keys] may name, each with the places where its keys are its own; see `tui.commands.Command.places`."""


class ConfigError(Exception):
    """The file cannot be used; the text is one clean line."""


def default_file() -> Path:
    """The platform's place, e.g. ~/.config/boxtop/config.toml; $XDG_CONFIG_HOME is honoured."""
    from platformdirs import user_config_path

    return user_config_path("boxtop", appauthor=False) / "config.toml"


def load(file: Path | None, known_commands: KnownCommands) -> Options:
    """The options a configuration file asks for. Raises ConfigError.

    `file` None means the default place, where a missing file is no error. `known_commands` is asked for the command
    ids only when the file has a [keys] table.
    """
    path = default_file() if file is None else file
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        if file is None:
            return Options()
        raise ConfigError(f"{clean(str(path))}: no such file") from error
    except OSError as error:
        raise ConfigError(f"{clean(str(path))}: cannot be read: {error.strerror or error}") from error
    try:
        options = parse(raw.decode(), known_commands)
    except UnicodeDecodeError as error:
        raise ConfigError(f"{clean(str(path))}: not UTF-8 text: byte {error.start}") from error
    except ConfigError as error:
        raise ConfigError(f"{clean(str(path))}: {error}") from error
    return replace(options, config_file=path)


def parse(text: str, known_commands: KnownCommands) -> Options:
    """The options a configuration's text asks for. Raises ConfigError, its text without the file's name."""
    import tomllib

    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not valid TOML: {clean(str(error))}") from error
    rules: dict[str, Callable[[Any], Any]] = {
        "interval": interval,
        "theme": theme,
        "ascii": a_flag,
        "mouse": a_flag,
        "read_only": a_flag,
        "group": a_flag,
        "hosts": _hosts,
        "virtualbox": lambda value: a_table(value, {"python": a_text, "network": a_flag}),
        "keys": lambda value: _keys(value, known_commands()),
        "commands": custom_commands,
        "log": lambda value: a_table(value, {"level": one_of("a log level", LOG_LEVELS)}),
    }
    try:
        values = a_table(data, rules)
        if any(command.key for command in values.get("commands", ())):
            own, overrides = values["commands"], values.get("keys", {})
            below("commands", lambda _: refuse_taken_keys(own, taken_keys(overrides)), own)
    except Wrong as error:
        raise ConfigError(f"{error.key}: {error.rule}") from error
    virtualbox = values.pop("virtualbox", {})
    engines = EngineSettings(virtualbox.get("python", ""), virtualbox_network=virtualbox.get("network", False))
    log = values.pop("log", {})
    return replace(Options(), **values, engines=engines, log_level=log.get("level", Options().log_level))


def default_text(commands: Iterable[tuple[str, Sequence[str], str]]) -> str:
    """The commented default configuration, valid as it stands. `commands` are (id, keys, what it does)."""
    defaults = Options()
    keys = "".join(_key_line(*command) for command in commands)
    return f"""\
# boxtop's configuration. Each value below is the default: change what you like and delete the rest.
# The file's place: {_shown_place()}

# Seconds between two samples of live figures, {MIN_INTERVAL:g} to {MAX_INTERVAL:g}.
interval = {defaults.interval:g}

# {_wrapped("Colours: " + ", ".join(THEMES) + ". The ansi ones use the terminal's own.")}
theme = {quoted(defaults.theme)}

# Draw with ASCII characters only.
ascii = {as_toml(defaults.ascii)}

# React to the mouse. Without it the terminal selects text as usual.
mouse = {as_toml(defaults.mouse)}

# Take away every action that changes something.
read_only = {as_toml(defaults.read_only)}

# Begin with containers grouped by Compose project and VMs by their group, as v does.
group = {as_toml(defaults.group)}

# Engines to connect to. Empty: look for the engines of this machine. Either URLs, or tables such as
#   {{ url = "ssh://web-02", name = "web-02", read_only = true }}
hosts = []

[virtualbox]
# Command line of the Python interpreter that can load VirtualBox's binding. Empty: find one by trying.
# The environment variable BOXTOP_VIRTUALBOX_PYTHON is tried before this.
python = {quoted(defaults.engines.virtualbox_python)}
# Ask running VMs for their network rates. Each that is on screen then has a session of boxtop's open.
network = {as_toml(defaults.engines.virtualbox_network)}

[log]
# How much goes to the log file: {", ".join(LOG_LEVELS)}.
level = {quoted(defaults.log_level)}

# Commands of your own for objects; see docs/configuration.md for all keys and placeholders. For example:
#   [[commands]]
#   name = "what its image holds"
#   kinds = ["container"]
#   command = ["docker", "history", "--", "{{image}}"]
#   key = "f6"

# Keys by command: one key, a list of keys, or [] for none. Uncomment to change.
[keys]
{keys}"""


def interval(value: Any) -> float:
    """A checked interval in seconds. Raises Wrong."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not MIN_INTERVAL <= value <= MAX_INTERVAL:
        raise Wrong(f"must be a number of seconds, not {said(value)}; allowed: {MIN_INTERVAL:g} to {MAX_INTERVAL:g}")
    return float(value)


def theme(value: Any) -> str:
    """A checked theme's name. Raises Wrong."""
    return one_of("a theme's name", THEMES)(value)


def _hosts(value: Any) -> tuple[HostOption, ...]:
    if not isinstance(value, list):
        raise Wrong(f"must be a list of URLs or of tables with url, name, read_only, not {said(value)}")
    return tuple(below(f"[{index}]", _host, entry) for index, entry in enumerate(value))


def _host(value: Any) -> HostOption:
    if isinstance(value, str):
        return HostOption(host_url(value))
    table = a_table(value, {"url": lambda url: host_url(a_text(url)), "name": a_text, "read_only": a_flag})
    if "url" not in table:
        raise Wrong("misses its url; allowed: url, name, read_only")
    return HostOption(**table)


def host_url(text: str) -> str:
    """An engine's address in its full form. Raises Wrong."""
    from backends.registry import parse_host

    try:
        return parse_host(text)
    except ValueError as error:
        raise Wrong(clean(str(error))) from error


def _keys(value: Any, known: Mapping[str, Collection[str]]) -> dict[str, tuple[str, ...]]:
    rules: dict[str, Callable[[Any], Any]] = dict.fromkeys(known, _key)
    keys: dict[str, tuple[str, ...]] = a_table(_flat(value), rules)
    owner: dict[tuple[str, str], str] = {}
    for name, given in keys.items():
        for key in given:
            for place in known[name]:
                if owner.setdefault((key, place), name) != name:
                    raise Wrong(f"{quoted(key)} is given to {owner[key, place]} already; one command a key", name)
    return keys


def _flat(value: Any, prefix: str = "") -> Any:
    """TOML reads `item.stop = "x"` as tables in tables; commands are named by the whole path."""
    if not isinstance(value, dict):
        return value
    flat: dict[str, Any] = {}
    for key, entry in value.items():
        flat |= _flat(entry, f"{prefix}{key}.") if isinstance(entry, dict) else {prefix + key: entry}
    return flat


def _key(value: Any) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) and name.strip() for name in names):
        raise Wrong(f'must be a key such as "x", "f5" or "ctrl+t", or a list of keys, not {said(value)}')
    return tuple(name.strip() for name in names)


def _key_line(command: str, keys: Sequence[str], help_text: str) -> str:
    listed = ", ".join(quoted(key) for key in keys)
    return f"# {command} = {listed if len(keys) == 1 else f'[{listed}]'}  # {help_text}\n"


def _wrapped(text: str) -> str:
    import textwrap

    return "\n# ".join(textwrap.wrap(text, 100, break_on_hyphens=False))


def _shown_place() -> str:
    place, home = default_file(), Path.home()
    return clean(str(Path("~") / place.relative_to(home) if place.is_relative_to(home) else place))
