"""The command line's grammar, and what it changes in the options."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, TypeVar

from backends.text import clean
from tui import config
from tui.options import SECTIONS, HostOption, Options
from tui.rules import Wrong
from tui.version import __version__

EXIT_USAGE = 2

_Value = TypeVar("_Value")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, where argparse would put the whole usage before it."""
        self.exit(EXIT_USAGE, f"boxtop: {clean(message.removeprefix('argument '))} (see {self.prog} --help)\n")


def make_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="boxtop",
        description="One terminal dashboard for containers, images, virtual machines and the host they run on.",
        epilog="Without a terminal, `boxtop` prints one listing. CPU is per cent of one core: 200% is two busy cores.",
        allow_abbrev=False,
    )
    parser.set_defaults(hosts=[], more_hosts=[], config=None, demo=False, ascii=False, json=False, section=None)
    parser.add_argument("--version", action="version", version=f"boxtop {__version__}")
    _add_engine_options(parser, "hosts")
    parser.add_argument("--read-only", action="store_true", help="take away every action that changes something")
    parser.add_argument("--interval", type=_checked(_seconds), metavar="SECONDS",
                        help="between two samples of live figures: 0.5 to 60, default 2")  # fmt: skip
    parser.add_argument(
        "--theme", type=_checked(config.theme), metavar="NAME", help="colours, e.g. textual-light, nord"
    )
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    parser.add_argument("--print-config", action="store_true", help="print the commented default configuration")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)

    ls = commands.add_parser("ls", help="print one listing", description="Print one listing.", allow_abbrev=False,
                             epilog="Exit status: 0 an engine answered, 3 none did, 2 wrong usage.")  # fmt: skip
    ls.add_argument("section", nargs="?", choices=SECTIONS, metavar="WHAT",
                    help=f"one of {', '.join(SECTIONS)}; default: everything")  # fmt: skip
    ls.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="JSON instead of tables")
    _add_engine_options(ls, "more_hosts")
    doctor = commands.add_parser("doctor", help="tell what boxtop finds here, and what to do about the rest",
                                 description="Tell what boxtop finds here: engines, versions, the terminal.",
                                 allow_abbrev=False)  # fmt: skip
    _add_engine_options(doctor, "more_hosts")
    return parser


def _add_engine_options(parser: argparse.ArgumentParser, hosts: str) -> None:
    """Options that stand before or after the subcommand; SUPPRESS keeps the later parser from resetting the first's."""
    absent = argparse.SUPPRESS
    parser.add_argument("--host", action="append", dest=hosts, default=absent, type=_checked(config.host_url),
                        metavar="URL", help="an engine: docker, podman, virtualbox, a socket's path, or a URL of unix, "
                        "tcp, http, https or ssh; may be given more than once")  # fmt: skip
    parser.add_argument("--config", type=Path, default=absent, metavar="FILE", help="read this configuration file")
    parser.add_argument("--demo", action="store_true", default=absent, help="simulated engines instead of real ones")
    parser.add_argument("--ascii", action="store_true", default=absent, help="ASCII characters only")


def _checked(rule: Callable[[str], _Value]) -> Callable[[str], _Value]:
    """An argparse type that says what is allowed in the rule's own words."""

    def check(text: str) -> _Value:
        try:
            return rule(text)
        except Wrong as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return check


def _seconds(text: str) -> float:
    try:
        return config.interval(float(text))
    except ValueError:
        return config.interval(text)


def with_arguments(given: argparse.Namespace, options: Options) -> Options:
    """The configuration's options with the command line's over them."""
    urls = [*given.hosts, *given.more_hosts]
    return replace(
        options,
        hosts=_hosts(urls, options.hosts) if urls else options.hosts,
        interval=_either(given.interval, options.interval),
        theme=_either(given.theme, options.theme),
        ascii=options.ascii or given.ascii,
        mouse=options.mouse and not given.no_mouse,
        read_only=options.read_only or given.read_only,
        demo=given.demo,
    )


def _hosts(urls: Sequence[str], configured: Sequence[HostOption]) -> tuple[HostOption, ...]:
    """The hosts named on the command line; one the configuration knows keeps its name and its read_only."""
    known = {host.url: host for host in configured}
    return tuple(known.get(url) or HostOption(url) for url in dict.fromkeys(urls))


def _either(given: _Value | None, otherwise: _Value) -> _Value:
    return otherwise if given is None else given
