"""Lends the terminal out and takes it back."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from backends.base import ActionError
from tui.terminal.outcome import Outcome

if TYPE_CHECKING:
    from tui.app import BoxtopApp


def in_foreground(app: BoxtopApp, work: Callable[[], Outcome]) -> Outcome:
    """Do blocking work on the terminal itself, boxtop's screen being away meanwhile; afterwards all is fresh.

    No coroutine: an await in between would let Textual draw to a screen that is not there, and hang. When a signal
    told boxtop to end meanwhile it does so next. Raises ActionError where there is no terminal.
    """
    app.session.pause()
    # between Textual's raw mode and the work's own Ctrl-C is a signal
    interrupt = signal.signal(signal.SIGINT, _nothing)
    outcome: Outcome | None = None
    failure: Exception | None = None
    try:
        with app.suspend():
            try:
                outcome = work()
            except Exception as error:
                # one that leaves suspend() would leave the screen away
                failure = error
    except SuspendNotSupported as error:
        raise ActionError("there is no terminal here") from error
    finally:
        signal.signal(signal.SIGINT, interrupt)
        app.session.resume()
    if outcome is None:
        raise failure or ActionError("nothing was done")
    if outcome.signal:
        app.exit(128 + outcome.signal, 128 + outcome.signal)
    return outcome


def _nothing(*_: object) -> None:
    """Takes a SIGINT that is for others."""
