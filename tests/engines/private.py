"""What the private engines share: one for a session of tests, or one by hand until it is told to end."""

from __future__ import annotations

import argparse
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

from tests.engines.require import need


class Private(Protocol):
    def start(self) -> None: ...

    def stop(self) -> None: ...


_Engine = TypeVar("_Engine", bound=Private)


def for_session(reason: str, make: Callable[[Path], _Engine], prefix: str) -> Iterator[_Engine]:
    """An engine that runs while the generator does, in a new folder of /tmp; `reason`: why there can be none here."""
    need(not reason, reason)
    engine = make(_folder(prefix))
    try:
        engine.start()
        yield engine
    finally:
        engine.stop()


def by_hand(
    parser: argparse.ArgumentParser,
    reason: str,
    make: Callable[[Path], _Engine],
    prefix: str,
    fill: Callable[[_Engine, argparse.Namespace], str],
) -> None:
    """Start one, `fill` it, print what that answers and stay until SIGTERM, SIGHUP or Ctrl-C."""
    parser.add_argument("--dir", type=Path, help="where it keeps its things, removed at the end; default: a new folder")
    arguments = parser.parse_args()
    if reason:
        parser.error(reason)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: ended.set())
    engine = make(arguments.dir.absolute() if arguments.dir else _folder(prefix))
    try:
        engine.start()
        print(fill(engine, arguments), flush=True)
        # a wait without a limit takes no signals
        while not ended.wait(3600):
            pass
    finally:
        engine.stop()


def _folder(prefix: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=prefix, dir="/tmp"))
