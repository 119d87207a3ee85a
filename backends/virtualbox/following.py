"""Long work of VBoxManage: its progress told while it goes on, ended as its user would with Ctrl-C.

VBoxManage (7.2.22) tells `0%...10%...20%...` on stderr. On SIGINT it has VBoxSVC cancel what can be cancelled, which
then removes what it made; one that is killed leaves VBoxSVC at work, and its half-made files behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from typing import TYPE_CHECKING

from backends.base import ActionError
from backends.progress import Progress, Report
from backends.virtualbox.manage import reason_of

if TYPE_CHECKING:
    from backends.virtualbox.backend import VirtualBoxBackend

_PERCENT = re.compile(rb"(\d{1,3})%")
_PATIENCE = 20.0
"""Seconds a cancelled VBoxManage has to clean up before it is killed."""
_TAIL = 16384
LOST = "VirtualBox's service VBoxSVC ended meanwhile"
_GONE = ("NS_ERROR_CALL_FAILED", "NS_ERROR_ABORT", "0x800706be", "0x80004004", "Failed to create a session object")


class Followed(ActionError):
    """VBoxManage failed; `lost` when VBoxSVC ended under it."""

    def __init__(self, words: str, *, lost: bool = False) -> None:
        super().__init__(words)
        self.lost = lost


async def follow(
    backend: VirtualBoxBackend, arguments: Sequence[str], text: str, report: Report, *, cancels: bool
) -> str:
    """What it printed, once it is done. Raises Followed.

    `cancels`: cancelled, it is told to stop, and waited for. Else it goes on to its end, also without boxtop.
    """
    command = backend.manager().command
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            *arguments,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            cwd="/",
            env=os.environ | {"LC_ALL": "C.UTF-8", "LANGUAGE": "C"},
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise Followed(f"VBoxManage cannot be run: {error}") from None
    report.progress(Progress(text))
    reading = asyncio.create_task(_read(process, text, report))
    try:
        output, errors = await asyncio.shield(reading)
    except asyncio.CancelledError:
        if cancels:
            await _stop(process, reading)
        raise
    if process.returncode:
        words = reason_of(errors.decode("utf-8", "replace"), process.returncode)
        lost = any(mark in words or mark.encode() in errors for mark in _GONE)
        raise Followed(LOST if lost else words, lost=lost)
    return output.decode("utf-8", "replace")


async def _read(process: Process, text: str, report: Report) -> tuple[bytes, bytes]:
    """Both outputs to their ends; the newest percentage is told."""
    assert process.stdout is not None and process.stderr is not None  # noqa: S101
    output = asyncio.create_task(process.stdout.read())
    errors = b""
    while chunk := await process.stderr.read(4096):
        errors = (errors + chunk)[-_TAIL:]
        if found := _PERCENT.findall(errors):
            report.progress(Progress(text, min(100, int(found[-1])), 100, bytes=False))
    answer = await output
    await process.wait()
    return answer, errors


async def _stop(process: Process, reading: asyncio.Task[tuple[bytes, bytes]]) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    done, _ = await asyncio.wait({reading}, timeout=_PATIENCE)
    if not done:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await asyncio.wait({reading}, timeout=1.0)
