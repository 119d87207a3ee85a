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
import tempfile
from collections.abc import Sequence
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import IO

from backends.base import ActionError
from backends.progress import Progress, Report
from backends.virtualbox.manage import LOST, VBoxManage, reason_of

_PERCENT = re.compile(rb"(\d{1,3})%")
_PATIENCE = 20.0
"""Seconds a cancelled VBoxManage has to clean up before it is killed."""
_BEGINS = 5.0
"""Seconds a cancelled VBoxManage has to come to where it can take back what it has asked of VBoxSVC."""
_EACH = 0.1
_TAIL = 16384


class Followed(ActionError):
    """VBoxManage failed; `lost` when VBoxSVC ended under it."""

    def __init__(self, words: str, *, lost: bool = False) -> None:
        super().__init__(words)
        self.lost = lost


async def follow(manage: VBoxManage, arguments: Sequence[str], text: str, report: Report, *, cancels: bool) -> str:
    """What it printed, once it is done. Raises Followed.

    `cancels`: cancelled, it is told to stop, and waited for. Else it goes on to its end, also without boxtop: hence
    files rather than pipes, and no process of asyncio's own kind, which is killed with its loop.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        try:
            process = _spawn([*manage.command, *arguments], output, errors)
        except (OSError, ValueError) as error:
            raise Followed(f"VBoxManage cannot be run: {error}") from None
        report.progress(Progress(text))
        try:
            while (status := process.poll()) is None:
                await asyncio.sleep(_EACH)
                if found := _PERCENT.findall(_tail(errors)):
                    report.progress(Progress(text, min(100, int(found[-1])), 100, bytes=False))
        except asyncio.CancelledError:
            if cancels:
                await _stop(process)
            raise
        said = _tail(errors).decode("utf-8", "replace")
        printed = _tail(output).decode("utf-8", "replace")
    if status:
        words = reason_of(said or printed, status)
        raise Followed(words, lost=words == LOST)
    return printed


def _spawn(command: Sequence[str], output: IO[bytes], errors: IO[bytes]) -> Popen[bytes]:
    return Popen(
        command,
        stdin=DEVNULL,
        stdout=output,
        stderr=errors,
        cwd="/",
        env=os.environ | {"LC_ALL": "C.UTF-8", "LANGUAGE": "C"},
        start_new_session=True,
    )


def _tail(file: IO[bytes]) -> bytes:
    """The end of what a process wrote; its own place in the file is another's to keep."""
    size = os.fstat(file.fileno()).st_size
    return os.pread(file.fileno(), _TAIL, max(0, size - _TAIL))


async def _stop(process: Popen[bytes]) -> None:
    """SIGINT to VBoxManage alone: a VBoxSVC it has started may be in its group."""
    for _ in range(int(_BEGINS / _EACH)):
        if process.poll() is not None:
            return
        if _takes_interrupts(process.pid):
            break
        await asyncio.sleep(_EACH)
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    for _ in range(int(_PATIENCE / _EACH)):
        if process.poll() is not None:
            return
        await asyncio.sleep(_EACH)
    process.kill()


def _takes_interrupts(pid: int) -> bool:
    """Whether SIGINT does more than end it, which would leave VBoxSVC at work: VBoxManage takes it amid that alone."""
    try:
        caught = re.search(r"^SigCgt:\s*([0-9a-f]+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    except OSError:
        return True
    return caught is None or bool(int(caught[1], 16) & 1 << (signal.SIGINT - 1))
