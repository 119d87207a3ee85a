"""Long work of VBoxManage, cancelled."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from backends.progress import Progress
from backends.virtualbox.following import follow
from backends.virtualbox.manage import VBoxManage

PROGRAM = """
import pathlib, signal, sys, time

def take_back(*_):
    pathlib.Path(sys.argv[1], "taken back").touch()
    sys.exit(1)

signal.signal(signal.SIGINT, signal.SIG_DFL)
pathlib.Path(sys.argv[1], "asked").touch()
time.sleep(0.5)
signal.signal(signal.SIGINT, take_back)
time.sleep(60)
"""
"""As VBoxManage: between its asking VBoxSVC for something and being able to take that back a moment goes by."""


class Silent:
    def progress(self, progress: Progress) -> None:
        """Nobody reads it."""

    def line(self, text: str) -> None:
        """Nobody reads it."""


async def test_cancelled_at_its_beginning_it_is_not_ended_before_it_can_take_back_what_it_asked(tmp_path: Path) -> None:
    manage = VBoxManage([sys.executable, "-c", PROGRAM])
    work = asyncio.create_task(follow(manage, [str(tmp_path)], "copying", Silent(), cancels=True))
    async with asyncio.timeout(60):
        while not (tmp_path / "asked").exists():
            await asyncio.sleep(0.01)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert (tmp_path / "taken back").exists()
