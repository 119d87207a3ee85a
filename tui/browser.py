"""Opens an address in a browser of the desktop, apart from our terminal; never a browser that would draw on it."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_TEXT_BROWSERS = {"lynx", "w3m", "links", "links2", "elinks", "www-browser", "browsh", "carbonyl", "chawan", "cha"}
_OPENERS = ("xdg-open", "sensible-browser", "x-www-browser", "firefox", "chromium", "google-chrome")
_FAILS_WITHIN = 1.5
"""Seconds within which an opener that found no browser says so."""


def browser_command(url: str, environment: Mapping[str, str] = os.environ) -> list[str] | None:
    """What opens the address here; None where nothing can: no BROWSER is set, and there is no display."""
    for choice in environment.get("BROWSER", "").split(os.pathsep):
        command = _split(choice)
        if command and Path(command[0]).name not in _TEXT_BROWSERS and shutil.which(command[0]):
            if any("%s" in word for word in command):
                return [word.replace("%s", url) for word in command]
            return [*command, url]
    if sys.platform == "darwin":
        return ["open", url]
    if not (environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")):
        return None
    opener = next((name for name in _OPENERS if _is_graphical(name)), None)
    return [opener, url] if opener else None


async def open_url(url: str) -> bool:
    """Whether a browser took it, as far as can be told soon. It outlives us and has neither our terminal nor output."""
    command = browser_command(url)
    if command is None:
        return False
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return False
    with suppress(TimeoutError):
        async with asyncio.timeout(_FAILS_WITHIN):
            return await process.wait() == 0
    return True


def _split(choice: str) -> list[str]:
    try:
        return shlex.split(choice)
    except ValueError:
        return []


def _is_graphical(name: str) -> bool:
    """Whether the program is there and does not stand for a text browser by Debian's alternatives."""
    found = shutil.which(name)
    return found is not None and Path(found).resolve().name not in _TEXT_BROWSERS
