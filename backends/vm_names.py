"""Names of VMs and of their snapshots: what no engine can do with them. Pure."""

from __future__ import annotations

import unicodedata

MOST_BYTES = 200
"""Engines name files and folders after them, which have 255 bytes at most with all that is added."""


def problem(name: str, *, file: bool = True) -> str:
    """What is wrong with a name, in words; empty when nothing is. `file`: a file is named after it."""
    if not name.strip():
        return "it needs a name"
    if name != name.strip():
        return "no blanks at its start or end"
    if any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in name):
        return "no control characters"
    if file and "/" in name:
        return "no /"
    if file and name.startswith("."):
        return "no dot at its start"
    size = len(name.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        return f"too long: {size} bytes, {MOST_BYTES} at most"
    return ""


def proposed(name: str, taken: set[str], suffix: str = "clone") -> str:
    """`name-clone`, or with a number where that is taken; short enough."""
    at = 1
    while True:
        end = f"-{suffix}" if at == 1 else f"-{suffix}-{at}"
        room = MOST_BYTES - len(end)
        start = name.encode("utf-8", "replace")[:room].decode("utf-8", "ignore").rstrip()
        if f"{start}{end}" not in taken:
            return f"{start}{end}"
        at += 1
