"""The one sanitizer: text from engines passes here before anybody draws, logs or exports it."""

from __future__ import annotations

import re
from typing import Any

_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|[\]P^_X][^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS, PM, APC, SOS up to their end, or the line's
    r"|[ -/]*[0-~])?"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
# C0 less tab and newline, DEL, C1; bidirectional controls, line and paragraph separators, invisible operators, tags
# and selectors that can hide text, blanks that count as letters, soft hyphen, BOM; lone surrogates, noncharacters
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
# marks piled on one letter draw over the lines above and below
_PILE = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{3})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
_SPACES = re.compile(r"[\t\n]+")
_PICTURES = {code: chr(0x2400 + code) for code in range(0x20)} | {0x7F: "\u2421"}


def clean(text: str, limit: int = 4096) -> str:
    """One line, safe to draw: escape sequences dropped, other controls made visible or `\ufffd`, at most `limit`."""
    return _SPACES.sub(" ", clean_block(text, limit))


def clean_block(text: str, limit: int = 1_000_000) -> str:
    """As `clean`, keeping line breaks and tabs."""
    cut = text[:limit]
    if cut.isascii() and cut.isprintable():
        return cut
    cut = cut.replace("\r\n", "\n")
    return _PILE.sub(r"\1", _UNSAFE.sub(_visible, _ESCAPES.sub("", cut)))


def without_escapes(text: str) -> str:
    """The text less its escape sequences; other controls stay."""
    return _ESCAPES.sub("", text)


def clean_data(data: Any) -> Any:
    """JSON data with every key and text cleaned. What is no JSON is told by its text, and a tuple is a list."""
    if isinstance(data, str):
        return clean_block(data)
    if isinstance(data, dict):
        return {clean(str(key)): clean_data(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [clean_data(value) for value in data]
    if data is None or isinstance(data, (bool, int, float)):
        return data
    return clean_block(str(data))


def _visible(match: re.Match[str]) -> str:
    return _PICTURES.get(ord(match.group()), "\ufffd")
