"""Undoing what was made when the daemon was lost on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from backends.base import ActionError, EngineError
from backends.libvirt.connection import Connection

if TYPE_CHECKING:
    from backends.libvirt.backend import LibvirtBackend

_T = TypeVar("_T")
_COMES_BACK = 60.0
"""Seconds a lost daemon, or one still at work with a file, is waited for."""
_EACH = 0.5


async def again(backend: LibvirtBackend, call: Callable[[Connection], _T], seconds: float = _COMES_BACK) -> _T:
    """What `call` comes to once the daemon is there, within so many seconds, and lets go of the file."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            return await backend.act(call, 60)
        except EngineError:
            if asyncio.get_running_loop().time() > deadline:
                raise
        except ActionError as error:
            busy = any(word in str(error) for word in ("lock", "being", "pool"))
            if not busy or asyncio.get_running_loop().time() > deadline:
                raise
        await asyncio.sleep(_EACH)
