"""The journal: every action done from here, one JSON line each, readable by its owner only."""

from __future__ import annotations

import json
import os
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """One action on one object. `time` is Unix time; `result` is `done` or the engine's reason."""

    time: float
    engine: str
    kind: str
    name: str
    id: str
    action: str
    result: str
    seconds: float = 0.0


def default_file() -> Path:
    """The platform's place for state, e.g. ~/.local/state/boxtop/journal.jsonl; $XDG_STATE_HOME is honoured."""
    from platformdirs import user_state_path

    return user_state_path("boxtop", appauthor=False) / "journal.jsonl"


def append(path: Path, entry: Entry) -> None:
    """Blocking: call it off the event loop. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    line = json.dumps(asdict(entry), ensure_ascii=False) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def tail(path: Path, count: int = 500) -> list[Entry]:
    """The newest entries, newest first; lines that are no entries are passed over. Blocking. No file: none."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            lines = deque(file, maxlen=count)
    except FileNotFoundError:
        return []
    entries = []
    for line in lines:
        try:
            entries.append(Entry(**json.loads(line)))
        except (ValueError, TypeError):
            continue
    return entries[::-1]
