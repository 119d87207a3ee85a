"""What the user's terminal calls a key, as the keys of the machine that it is for."""

from __future__ import annotations

from collections.abc import Mapping

from backends.abilities.screens import Chord
from backends.keyboard import SCAN_CODES, chord_of

_MODIFIERS = ("ctrl", "alt", "shift", "super")
_SIGNS: Mapping[str, str] = {
    "at": "@", "backslash": "\\", "underscore": "_", "circumflex_accent": "^", "minus": "-", "plus": "+",
    "left_square_bracket": "[", "right_square_bracket": "]", "full_stop": ".", "comma": ",", "slash": "/",
    "semicolon": ";", "colon": ":", "apostrophe": "'", "quotation_mark": '"', "grave_accent": "`", "tilde": "~",
    "equals_sign": "=", "exclamation_mark": "!", "number_sign": "#", "dollar_sign": "$", "percent_sign": "%",
    "ampersand": "&", "asterisk": "*", "left_parenthesis": "(", "right_parenthesis": ")", "question_mark": "?",
    "less_than_sign": "<", "greater_than_sign": ">", "vertical_line": "|", "left_curly_bracket": "{",
    "right_curly_bracket": "}",
}  # fmt: skip


def chord_for(key: str, character: str | None) -> Chord | None:
    """The keys for what Textual calls `key`; None for what a US keyboard cannot type."""
    if character and len(character) == 1 and character.isprintable():
        return chord_of(character)
    *modifiers, name = key.split("+")
    if any(modifier not in _MODIFIERS for modifier in modifiers):
        return None
    base: Chord | None = (name,) if len(name) > 1 and name in SCAN_CODES else chord_of(_SIGNS.get(name, name))
    if base is None:
        return None
    held = dict.fromkeys((*(modifier for modifier in modifiers), *base[:-1]))
    return (*held, base[-1])
