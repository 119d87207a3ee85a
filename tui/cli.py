"""The command `boxtop`. Everything heavy is imported by the branch that needs it, so that --version starts nothing.

Exit status: 0 done, 2 wrong usage or configuration, 3 no engine answered, 130 ended by Ctrl-C, 141 the reader of the
output went away.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from tui import config
from tui.arguments import EXIT_USAGE, make_parser, with_arguments
from tui.options import Options

if TYPE_CHECKING:
    from tui.gather import Gathered

EXIT_NO_ENGINE = 3
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141
EXIT_OUTPUT = 1


def main() -> NoReturn:
    """The installed command. Ends at once: calls into a frozen engine cannot be cancelled, and Python takes up to a
    second to take its modules apart."""
    status = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(status)


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
    except OSError as error:
        _tell(f"the output cannot be written: {error.strerror or error}")
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OUTPUT


def _run(arguments: Sequence[str]) -> int:
    parser = make_parser()
    given = parser.parse_args(arguments)
    if given.demo and given.hosts + given.more_hosts:
        parser.error("--demo and --host exclude each other")
    if given.print_config:
        return _print_config()
    complaint = ""
    try:
        options = config.load(given.config, known_commands)
    except config.ConfigError as error:
        complaint, options = str(error), Options()
    options = with_arguments(given, options)
    if given.command == "doctor":
        return _doctor(options, complaint)
    if complaint:
        _tell(complaint)
        return EXIT_USAGE
    if given.command == "ls":
        return _list(options, given.section, as_json=given.json)
    if not _has_terminal():
        _list(options, None, as_json=False)
        return 0
    from tui.app import run_app

    return run_app(options)


def known_commands() -> Mapping[str, Collection[str]]:
    """Ids that the [keys] table may name, with their places: commands, and the widgets' own bindings.

    Widgets may share keys with each other: only one of them has the focus.
    """
    from tui.commands import BY_ID
    from tui.widget_keys import widget_bindings

    return dict.fromkeys(widget_bindings(), ()) | {name: command.places for name, command in BY_ID.items()}


def _has_terminal() -> bool:
    """The screen reads stdin and draws on stderr; whoever redirects stdout wants text."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return os.environ.get("TERM") != "dumb" and all(stream is not None and stream.isatty() for stream in streams)


def _print_config() -> int:
    from tui.commands import COMMANDS
    from tui.widget_keys import widget_bindings

    commands = [(command.id, command.keys, command.help) for command in COMMANDS]
    commands += [(name, keys, what) for name, (keys, what) in widget_bindings().items()]
    _write(config.default_text(commands))
    return 0


def _list(options: Options, section: str | None, *, as_json: bool) -> int:
    from tui import listing

    found = _gathered(options)
    if options.demo:
        _tell("DEMO: what follows is simulated")
    for line in listing.complaints(found):
        _tell(line)
    if as_json:
        import json

        _write(json.dumps(listing.as_json(found, section), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    else:
        _write(listing.tables(found, section, cell_limit=_cell_limit()), ascii_only=options.ascii)
    return 0 if found.answered else EXIT_NO_ENGINE


def _cell_limit() -> int | None:
    """On a terminal one long name must not break every row; a script gets it whole."""
    return 40 if sys.stdout.isatty() else None


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


def _tell(line: str) -> None:
    # with stderr closed, print would put it on stdout
    if sys.stderr is not None:
        print(f"boxtop: {line}", file=sys.stderr)


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
    main()
