"""The command `boxtop`. Everything heavy is imported by the branch that needs it, so that --version starts nothing.

Exit status: 0 done, 2 wrong usage or configuration, 3 no engine answered, 130 ended by Ctrl-C, 141 the reader of the
output went away.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

from backends.text import clean
from tui import config
from tui.options import SECTIONS, HostOption, Options
from tui.version import __version__

if TYPE_CHECKING:
    from tui.gather import Gathered

EXIT_USAGE = 2
EXIT_NO_ENGINE = 3
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141

_Value = TypeVar("_Value")


def main() -> int:
    """The installed command. Ends without waiting for calls into a frozen engine, which nothing can cancel."""
    status = run(sys.argv[1:])
    if threading.active_count() > 1:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):
                stream.flush()
        os._exit(status)
    return status


def run(arguments: Sequence[str]) -> int:
    """Run boxtop with these arguments and return the exit status."""
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Python flushes once more at its end and would complain there
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE


def _run(arguments: Sequence[str]) -> int:
    parser = parser()
    given = parser.parse_args(arguments)
    if given.demo and given.hosts + given.more_hosts:
        parser.error("--demo and --host exclude each other")
    if given.print_config:
        return _print_config()
    complaint = ""
    try:
        options = config.load(given.config, _known_commands)
    except config.ConfigError as error:
        complaint, options = str(error), Options()
    options = with_arguments(given, options)
    if given.command == "doctor":
        return _doctor(options, complaint)
    if complaint:
        print(f"boxtop: {complaint}", file=sys.stderr)
        return EXIT_USAGE
    if given.command == "ls":
        return _list(options, given.section, as_json=given.json)
    if not _has_terminal():
        _list(options, None, as_json=False)
        return 0
    from tui.app import run_app

    return run_app(options)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, where argparse would put the whole usage before it."""
        self.exit(EXIT_USAGE, f"boxtop: {clean(message.removeprefix('argument '))} (see {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
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
        except config.Wrong as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return check


def _seconds(text: str) -> float:
    try:
        return config.interval(float(text))
    except ValueError:
        return config.interval(text)


def _known_commands() -> Collection[str]:
    from tui.commands import BY_ID

    return BY_ID


def with_arguments(given: argparse.Namespace, options: Options) -> Options:
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


def _has_terminal() -> bool:
    """The screen reads stdin and draws on stderr; whoever redirects stdout wants text."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return os.environ.get("TERM") != "dumb" and all(stream is not None and stream.isatty() for stream in streams)


def _print_config() -> int:
    from tui.commands import COMMANDS

    _write(config.default_text((command.id, command.keys, command.help) for command in COMMANDS))
    return 0


def _list(options: Options, section: str | None, *, as_json: bool) -> int:
    from tui import listing

    found = _gathered(options)
    if options.demo:
        print("boxtop: DEMO: what follows is simulated", file=sys.stderr)
    for line in listing.complaints(found):
        print(f"boxtop: {line}", file=sys.stderr)
    if as_json:
        import json

        _write(json.dumps(listing.as_json(found, section), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    else:
        _write(listing.tables(found, section), ascii_only=options.ascii)
    return 0 if found.answered else EXIT_NO_ENGINE


def _doctor(options: Options, complaint: str) -> int:
    from tui import doctor

    _write(doctor.report(options, _gathered(options, usage=False), complaint), ascii_only=options.ascii)
    return 0


def _gathered(options: Options, *, usage: bool = True) -> Gathered:
    import asyncio
    import logging

    from tui.gather import gather

    # what libraries log is for the log file of the app, not for the reader of a listing
    logging.getLogger().addHandler(logging.NullHandler())
    return asyncio.run(gather(options, usage=usage))


def _write(text: str, *, encoding: str | None = None, ascii_only: bool = False) -> None:
    stream = sys.stdout
    if stream is None:
        return
    if encoding is not None and hasattr(stream, "reconfigure"):
        stream.reconfigure(encoding=encoding)
    target = "ascii" if ascii_only else stream.encoding or "ascii"
    stream.write(_drawable(text, target))
    stream.flush()


def _drawable(text: str, encoding: str) -> str:
    """Text with what the encoding lacks replaced, its dashes by dashes."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        plain = text.replace("–", "-")
        return plain.encode(encoding, "replace").decode(encoding)
    return text


if __name__ == "__main__":
    sys.exit(main())
