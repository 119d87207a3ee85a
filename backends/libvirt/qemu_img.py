"""qemu-img: copies and overlays of disk images, with progress, ended when cancelled. Seen with QEMU 7.2."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from backends.base import ActionError
from backends.text import clean

_PERCENT = re.compile(rb"\((\d+(?:\.\d+)?)/100%\)")
_FULL = "No space left on device"
_DAMAGED = (1, 2)
"""Statuses of `qemu-img check`: it cannot be opened, it has errors. Space that is merely lost (3) does no harm."""


@dataclass(frozen=True, slots=True)
class Copy:
    """One image to be made: `format` is the source's, and the copy's. A linked one is a qcow2 overlay."""

    source: str
    format: str
    destination: str
    snapshot: str = ""
    """The internal snapshot it is made from; empty: the image as it is."""
    linked: bool = False
    shared: bool = False
    """The source may be open elsewhere, which is to be known to leave alone what is read."""

    def arguments(self) -> list[str]:
        """Never with a format guessed from the content, which a guest may write."""
        if self.linked:
            return ["create", "-q", "-f", "qcow2", "-b", self.source, "-F", self.format, "--", self.destination]
        options = ["-U"] if self.shared else []
        if self.snapshot:
            options += ["-l", f"snapshot.name={self.snapshot.replace(',', ',,')}"]
        return ["convert", "-p", "-f", self.format, "-O", self.format, *options, "--", self.source, self.destination]


def refusal(sources: Sequence[str]) -> str:
    """Why these files cannot be copied from here, in words; empty when they can."""
    if not shutil.which("qemu-img"):
        return "qemu-img is not installed here (package qemu-utils)"
    for source in sources:
        if not os.access(source, os.R_OK):
            return f"{source} cannot be read by this user"
        if not os.access(Path(source).parent, os.W_OK | os.X_OK):
            return f"this user may not write to {Path(source).parent}"
    return ""


async def copy(what: Copy, told: Callable[[float], None]) -> None:
    """Make it, over the empty file that is there. `told` gets the share done, 0 to 1. Raises ActionError."""
    try:
        process = await asyncio.create_subprocess_exec(
            "qemu-img",
            *what.arguments(),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
            env=os.environ | {"LC_ALL": "C"},
            # the terminal's Ctrl-C is not its
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise ActionError(f"qemu-img cannot be run: {clean(str(error), 200)}") from None
    assert process.stdout is not None and process.stderr is not None  # noqa: S101
    errors = asyncio.create_task(process.stderr.read())
    try:
        while chunk := await process.stdout.read(4096):
            if found := _PERCENT.findall(chunk):
                told(float(found[-1]) / 100)
        status = await process.wait()
        said = (await errors).decode("utf-8", "replace")
    finally:
        errors.cancel()
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            # its file must not be written to any more when it is removed
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(process.wait())
    if status:
        words = clean(" ".join(line.removeprefix("qemu-img: ") for line in said.splitlines()), 300)
        if _FULL in words:
            words = f"the disk is full: no room for {what.destination}"
        raise ActionError(words or f"qemu-img ended with status {status}")


async def damage(path: str) -> str:
    """What is wrong with a file that says it is a qcow2 image, in words; empty when nothing is, or nobody can tell."""
    try:
        process = await asyncio.create_subprocess_exec(
            *("qemu-img", "check", "-q", "-U", "-f", "qcow2", "--", path),
            stdin=DEVNULL,
            stdout=DEVNULL,
            stderr=PIPE,
            env=os.environ | {"LC_ALL": "C"},
            start_new_session=True,
        )
    except (OSError, ValueError):
        return ""
    try:
        said = (await process.communicate())[1].decode("utf-8", "replace")
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
    if process.returncode not in _DAMAGED:
        return ""
    first = next((line for line in said.splitlines() if line.strip()), "")
    return clean(first.removeprefix("qemu-img: "), 200) or "qemu-img finds errors in it"
