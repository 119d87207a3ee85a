"""Disk images that rest on others: what a qcow2 header tells. Blocking. Format: QEMU's docs/interop/qcow2.txt."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import IO

_MAGIC = b"QFI\xfb"
_BACKING_FORMAT = 0xE2792ACA
_LONGEST_NAME = 1023
_DATA_FILE = 1 << 2
"""Of the incompatible features: what the guest sees lies in another file."""


def backing(path: str, depth: int = 16) -> list[str]:
    """The files an overlay rests on, by its header; to be asked only of what is known to be a qcow2 image."""
    found: list[str] = []
    for _ in range(depth):
        try:
            with Path(path).open("rb") as file:
                name, form = _header(file)
        except OSError:
            return found
        if not name:
            return found
        path = os.path.normpath(os.path.join(os.path.dirname(path), name))  # noqa: PTH118, PTH120 - joined as QEMU does
        found.append(path)
        if form not in {"", "qcow2"}:
            # its first bytes are a guest's, who may write there what looks like a header
            return found
    return found


def elsewhere(path: str) -> str:
    """What an image of unknown origin takes its content from, beside itself; empty when it is all in it.

    Raises OSError.
    """
    with Path(path).open("rb") as file:
        head = file.read(80)
        if head[:4] == _MAGIC and head[7:8] >= b"\x03" and int.from_bytes(head[72:80], "big") & _DATA_FILE:
            return "another file"
        file.seek(0)
        return _header(file)[0]


def _header(file: IO[bytes]) -> tuple[str, str]:
    """Name and format of what it rests on; empty where it says nothing of it."""
    head = file.read(104)
    if head[:4] != _MAGIC:
        return "", ""
    offset, length = int.from_bytes(head[8:16], "big"), int.from_bytes(head[16:20], "big")
    if not offset or not 0 < length <= _LONGEST_NAME:
        return "", ""
    at = int.from_bytes(head[100:104], "big") if head[7:8] >= b"\x03" else 72
    form = ""
    while at + 8 <= offset:
        file.seek(at)
        kind, size = (int.from_bytes(file.read(4), "big") for _ in range(2))
        if kind == 0:
            break
        if kind == _BACKING_FORMAT:
            form = file.read(min(size, 64)).decode("ascii", "replace")
        at += 8 + (size + 7) // 8 * 8
    file.seek(offset)
    return _plain(os.fsdecode(file.read(length))), form


def _plain(name: str) -> str:
    """The path in QEMU's other spellings of a file: `file:PATH` and `json:{...}`."""
    if name.startswith("json:"):
        with suppress(ValueError, AttributeError, TypeError):
            told = json.loads(name[5:])
            inner = told.get("file")
            inner = inner.get("filename") if isinstance(inner, dict) else None
            name = str(inner or told.get("file.filename") or told.get("filename") or name)
    return name.removeprefix("file:")
