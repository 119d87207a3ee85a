"""A program of the user's on the terminal, as a shell would run it."""

from __future__ import annotations

import os
import select
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress

from tui.terminal.borrow import IN, Signals, borrowed, note
from tui.terminal.outcome import How, Outcome, ending
from tui.terminal.reset import RESET

_LOOK = 0.1
_LAST_MOMENT = 0.4


def run_on_terminal(
    arguments: Sequence[str], environment: Mapping[str, str], banner: str, timeout: float = 0.0
) -> Outcome:
    """Run a program on the terminal. `timeout` in seconds; 0: none. Raises OSError when it cannot be started.

    One that fails is looked at before boxtop's screen comes back: Enter goes on.
    """
    with Signals() as signals, borrowed(signals) as settings:
        signals.write(note(banner))
        process = subprocess.Popen(list(arguments), env=dict(environment))
        outcome = _wait(process, signals, timeout)
        if outcome.how in {How.FAR_END, How.TIMEOUT} and outcome.status:
            with suppress(OSError, termios.error):
                termios.tcsetattr(IN, termios.TCSANOW, settings)
                termios.tcflush(IN, termios.TCIFLUSH)
                signals.write(RESET + note(f"{ending(outcome)}. Enter returns to boxtop."))
                _await_enter(signals)
        return Outcome(How.SIGNAL, signal=signals.ended) if signals.ended else outcome


def _wait(process: subprocess.Popen[bytes], signals: Signals, timeout: float) -> Outcome:
    deadline = time.monotonic() + timeout if timeout else None
    how = How.FAR_END
    while process.poll() is None:
        signals.wait(_LOOK)
        if signals.ended:
            how = How.SIGNAL
            break
        if deadline is not None and time.monotonic() > deadline:
            how = How.TIMEOUT
            break
    if process.poll() is None:
        for end in (process.terminate, process.kill):
            end()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_LAST_MOMENT)
                break
    return Outcome(how, status=process.returncode, signal=signals.ended)


def _await_enter(signals: Signals) -> None:
    while not signals.ended:
        ready, _, _ = select.select([IN, signals.fileno()], [], [])
        signals.clear()
        if IN in ready:
            # the line discipline hands over whole lines
            os.read(IN, 4096)
            return
