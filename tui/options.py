"""What a run of boxtop was asked to do: defaults, then the configuration file, then the command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backends.base import EngineSettings
from tui.custom.declared import CustomCommand

MIN_INTERVAL = 0.5
MAX_INTERVAL = 60.0

# Named here because importing Textual to validate a word would cost every `boxtop ls` 0.2 s; a test compares
THEMES = (
    "ansi-dark",
    "ansi-light",
    "atom-one-dark",
    "atom-one-light",
    "catppuccin-frappe",
    "catppuccin-latte",
    "catppuccin-macchiato",
    "catppuccin-mocha",
    "dracula",
    "flexoki",
    "gruvbox",
    "monokai",
    "nord",
    "rose-pine",
    "rose-pine-dawn",
    "rose-pine-moon",
    "solarized-dark",
    "solarized-light",
    "textual-dark",
    "textual-light",
    "tokyo-night",
)

SECTIONS = ("host", "containers", "vms", "images", "volumes", "networks")
"""What one listing can be asked for, in its order."""

LOG_LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True, slots=True)
class HostOption:
    """An engine to connect to."""

    url: str
    name: str = ""
    """What to call it on screen; empty: the engine's own key."""
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    hosts: tuple[HostOption, ...] = ()
    """Empty: look for the engines of this machine."""
    interval: float = 2.0
    """Seconds between two samples of live usage, MIN_INTERVAL to MAX_INTERVAL."""
    theme: str = "textual-dark"
    """One of THEMES."""
    ascii: bool = False
    mouse: bool = True
    read_only: bool = False
    group: bool = False
    """Lists begin grouped: containers by Compose project, VMs by their group."""
    demo: bool = False
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Keys by command id, only where they differ from the command's own; an empty tuple unbinds."""
    commands: tuple[CustomCommand, ...] = ()
    """The user's own."""
    engines: EngineSettings = field(default_factory=EngineSettings)
    log_level: str = "warning"
    """One of LOG_LEVELS."""
    config_file: Path | None = None
    """The file that was read; None: there is none."""


def hosts_of(options: Options) -> tuple[HostOption, ...]:
    """The engines this run connects to: the demo's, those asked for, or those this machine may have."""
    from backends.registry import DEMO_HOSTS, default_hosts

    if options.demo:
        simulated = tuple(host for host in options.hosts if host.url.startswith("demo://"))
        return simulated or tuple(HostOption(url) for url in DEMO_HOSTS)
    return options.hosts or tuple(HostOption(url) for url in default_hosts())
