"""VBoxManage at long work: its progress told, ended by the signal with which it cancels its work in VBoxSVC."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Sequence

from backends.base import ActionError
from backends.progress import Progress, Report
from backends.text import clean
from backends.undoing import whole
from backends.virtualbox.manage import ManageError, VBoxManage

_PERCENT = re.compile(r"(\d{1,3})%")
_ENDS = 10.0
"""Seconds VBoxManage may take to cancel what it has begun."""


class Taken(ActionError):
    """There is a file of that name already: it is another's."""


class Working:
    """Runs VBoxManage for one long work; a failure is an ActionError with its words."""

    def __init__(self, manage: VBoxManage, report: Report) -> None:
        self._manage = manage
        self._report = report

    async def run(self, *arguments: str, seconds: float = 60.0) -> str:
        """Something short, which is not cut off; what it printed."""
        try:
            return await whole(self._manage.run(*arguments, seconds=seconds))
        except ManageError as error:
            raise ActionError(str(error)) from None

    async def long(self, text: str, arguments: Sequence[str]) -> None:
        """Something that tells its progress, with `text` for what it is at. Raises Taken, and other ActionErrors."""
        self._report.line(text)
        self._report.progress(Progress(text))
        try:
            process = await asyncio.create_subprocess_exec(
                *self._manage.command,
                *arguments,
                stdin=DEVNULL,
                stdout=DEVNULL,
                stderr=PIPE,
                cwd="/",
                env=os.environ | {"LC_ALL": "C.UTF-8", "LANGUAGE": "C"},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise ActionError(clean(str(error))) from None
        assert process.stderr is not None  # noqa: S101
        said = b""
        try:
            while chunk := await process.stderr.read(4096):
                said = (said + chunk)[-65536:]
                if found := _PERCENT.findall(chunk.decode("utf-8", "replace")):
                    self._report.progress(Progress(text, min(100, int(found[-1])), 100, bytes=False))
            status = await process.wait()
        except asyncio.CancelledError:
            await asyncio.shield(_end(process))
            raise
        if status:
            reason = _reason(said.decode("utf-8", "replace"), status)
            raise Taken(reason) if "VERR_ALREADY_EXISTS" in reason else ActionError(reason)


async def _end(process: asyncio.subprocess.Process) -> None:
    """SIGINT, at which it cancels its work and waits for it; SIGKILL when that takes too long."""
    with contextlib.suppress(ProcessLookupError):
        # it alone: a VBoxSVC that it started is of the same group
        process.send_signal(signal.SIGINT)
    try:
        async with asyncio.timeout(_ENDS):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()


def _reason(text: str, status: int) -> str:
    lines = [line.split("error: ", 1)[1] for line in text.splitlines() if "error: " in line]
    wanted = [line for line in lines if not line.startswith(("Details: ", "Context: ", "Failed to "))]
    return clean(" ".join(wanted or lines) or f"VBoxManage ended with status {status}", 400)
