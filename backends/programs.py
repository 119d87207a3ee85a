"""Programs run beside the event loop: argument lists, never a shell; output as it comes; an end that ends them."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from backends.base import ActionError
from backends.text import clean

_CHUNK = 1 << 16
_LONGEST_LINE = 1 << 15
_LINE_END = re.compile(rb"\r\n|\n|\r")
_PATIENCE = 3.0
"""Seconds a program has to end once it was told to."""


async def answer_of(arguments: Sequence[str], environment: Mapping[str, str], seconds: float) -> tuple[int, str]:
    """(exit status, what it wrote) of a short program; -1 where there is no such program or it took too long."""
    written: list[str] = []
    try:
        async with asyncio.timeout(seconds):
            return await run_program(arguments, environment, written.append), "\n".join(written)
    except (ActionError, TimeoutError):
        return -1, "\n".join(written)


async def run_program(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    take: Callable[[str], None],
    *,
    folder: str | None = None,
) -> int:
    """The exit status; `take` is called on the loop with each line it writes to stdout and stderr, cleaned.

    `folder`: where it runs; None: here.
    Cancelled, the program and what it started are told to end, and killed when they do not within three seconds.
    Raises ActionError when it cannot be started.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=dict(environment),
            cwd=folder,
            # a group of its own: it can be ended whole, and the terminal's Ctrl-C is not its
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ActionError(f"{clean(arguments[0], 200)} cannot be started: {clean(reason, 200)}") from error
    try:
        assert process.stdout is not None  # noqa: S101
        await _read(process.stdout, take)
        return await process.wait()
    except BaseException:
        await _end(process)
        raise


async def _read(stream: asyncio.StreamReader, take: Callable[[str], None]) -> None:
    rest = b""
    while chunk := await stream.read(_CHUNK):
        *whole, rest = _LINE_END.split(rest + chunk)
        if len(rest) > _LONGEST_LINE:
            whole, rest = [*whole, rest], b""
        for line in whole:
            _give(line, take)
    _give(rest, take)


def _give(line: bytes, take: Callable[[str], None]) -> None:
    text = clean(line.decode(errors="replace"), _LONGEST_LINE).rstrip()
    if text:
        take(text)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Whoever is cancelled once more does not wait, and neither does the program."""
    # the wait ends only when the pipe has been read to its end
    rest = asyncio.create_task(_read(process.stdout, _nobody)) if process.stdout else None
    try:
        _signal(process, signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _PATIENCE)
    finally:
        _signal(process, signal.SIGKILL)
        if rest is not None:
            rest.cancel()


def _nobody(line: str) -> None:
    """Takes what nobody wants any more."""


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
