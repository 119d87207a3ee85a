"""A line of a log made safe to draw: its colours kept, everything else that is no text gone or made visible."""

from __future__ import annotations

import re

from backends.text import clean, without_escapes

_SGR = re.compile(r"\x1b\[([0-9;:]{0,64})m")


def pieces(raw: bytes) -> tuple[tuple[str, str], ...]:
    """(text, SGR parameters given before it, as `1;31`) pairs; empty parameters where nothing changes.

    Texts are clean and on one line; a tab is one blank.
    """
    text = raw.decode(errors="replace")
    if "\x1b" not in text:
        return ((clean(text, len(text)), ""),)
    found: list[tuple[str, str]] = []
    at, codes = 0, ""
    for match in _SGR.finditer(text):
        if match.start() > at:
            found.append((clean(text[at : match.start()], len(text)), codes))
            codes = ""
        # a reset ends what came before it
        codes = f"{codes};{match[1] or '0'}" if codes else match[1] or "0"
        at = match.end()
    found.append((clean(text[at:], len(text)), codes))
    return tuple(found)


def plain(raw: bytes) -> str:
    """The line's clean text alone, for the clipboard and for files."""
    return clean(raw.decode(errors="replace"), len(raw))


def searched(raw: bytes) -> str:
    """The line's text for a search in many: without escape sequences, and not clean."""
    text = raw.decode(errors="replace")
    return without_escapes(text) if "\x1b" in text else text
