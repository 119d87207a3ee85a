"""The keys that leave a container, as the docker CLI's config.json has them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from backends.text import clean

_LARGEST = 1 << 20
_SIGNS = {"@": 0, "[": 27, "\\": 28, "]": 29, "^": 30, "_": 31}
_MOST = 10


@dataclass(frozen=True, slots=True)
class DetachKeys:
    """`keys` as a terminal sends them and their names for a user, both empty when none are set; or what is `wrong`."""

    keys: bytes = b""
    text: str = ""
    wrong: str = ""


def read_detach_keys(environment: Mapping[str, str] | None = None) -> DetachKeys:
    """What `detachKeys` says in the CLI's config. Blocking."""
    environment = os.environ if environment is None else environment
    home = Path(environment.get("HOME", "") or Path.home())
    file = Path(environment.get("DOCKER_CONFIG", "") or home / ".docker") / "config.json"
    try:
        with file.open("rb") as stream:
            config = json.loads(stream.read(_LARGEST))
    except (OSError, ValueError):
        return DetachKeys()
    value = config.get("detachKeys") if isinstance(config, dict) else None
    return parse_detach_keys(value) if value else DetachKeys()


def parse_detach_keys(value: object) -> DetachKeys:
    """`ctrl-x,q`: single characters and ctrl- with a letter or one of @ [ \\ ] ^ _, by commas (docker CLI)."""
    wrong = DetachKeys(wrong=f"the docker CLI's config has detachKeys {clean(str(value), 60)!r}, which are no keys")
    if not isinstance(value, str):
        return wrong
    names = value.split(",")
    codes = [_code(name) for name in names]
    if len(names) > _MOST or None in codes:
        return wrong
    keys = bytes(code for code in codes if code is not None)
    return DetachKeys(keys, " ".join(f"Ctrl-{name[5:].upper()}" if len(name) > 1 else name for name in names))


def _code(name: str) -> int | None:
    if len(name) == 1:
        return ord(name) if 32 < ord(name) < 127 else None
    if not name.startswith("ctrl-") or len(name) != 6:
        return None
    sign = name[5]
    return ord(sign) - 96 if "a" <= sign <= "z" else _SIGNS.get(sign)
