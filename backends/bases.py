"""Which disk images serve as bases for linked copies: a file of the user's, as engines have no place to note it.

base-images.json in the platform's place for state, e.g. ~/.local/state/boxtop, holds lists of paths by engine address.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from backends.base import ActionError

if TYPE_CHECKING:
    from backends.abilities.media import Medium

KEPT = "a base image: take that mark away in the media first"
"""Why a marked image does not go with the VM that has it."""


def file() -> Path:
    from platformdirs import user_state_path

    return user_state_path("boxtop", appauthor=False) / "base-images.json"


def marked(engine_url: str) -> frozenset[str]:
    """Paths marked for this engine; none where the file is missing or cannot be read. Blocking."""
    return frozenset(_read().get(engine_url, ()))


def mark(engine_url: str, path: str, *, base: bool) -> None:
    """Mark a path or take the mark away. Blocking; raises OSError."""
    known = _read()
    paths = set(known.get(engine_url, ()))
    paths.add(path) if base else paths.discard(path)
    known[engine_url] = sorted(paths)
    place = file()
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=place.name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump({url: paths for url, paths in known.items() if paths}, out, ensure_ascii=True, indent=1)
        Path(name).replace(place)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


async def keep_mark(engine_url: str, medium: Medium, *, base: bool) -> None:
    """Mark a medium or take the mark away. Raises ActionError."""
    check_mark(medium, base=base)
    try:
        await asyncio.to_thread(mark, engine_url, medium.path, base=base)
    except OSError as error:
        raise ActionError(f"the mark cannot be kept: {error.strerror}") from None


def check_mark(medium: Medium, *, base: bool) -> None:
    """Raises ActionError where it may not be marked."""
    if base and medium.users:
        raise ActionError(f"{medium.keeps}: what rests on it would break when that writes to it")


def _read() -> dict[str, list[str]]:
    try:
        data = json.loads(file().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(data, dict):
        return {}
    return {
        str(url): [path for path in paths if isinstance(path, str)]
        for url, paths in data.items()
        if isinstance(paths, list)
    }
