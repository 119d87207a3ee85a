"""The keys of a PC keyboard by name, and how a text is typed on the US layout.

Numbers are scan codes of set 1; those that come behind a 0xE0 byte are given as 0xE0xx.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from backends.abilities.screens import Chord
from backends.base import ActionError

SCAN_CODES: Mapping[str, int] = {
    "escape": 0x01, "backspace": 0x0E, "tab": 0x0F, "enter": 0x1C, "space": 0x39, "caps_lock": 0x3A,
    "ctrl": 0x1D, "shift": 0x2A, "alt": 0x38, "right_shift": 0x36, "right_ctrl": 0xE01D, "alt_gr": 0xE038,
    "super": 0xE05B, "right_super": 0xE05C, "menu": 0xE05D, "num_lock": 0x45, "scroll_lock": 0x46,
    "up": 0xE048, "down": 0xE050, "left": 0xE04B, "right": 0xE04D, "home": 0xE047, "end": 0xE04F,
    "pageup": 0xE049, "pagedown": 0xE051, "insert": 0xE052, "delete": 0xE053, "print": 0xE037, "sysrq": 0x54,
    "f11": 0x57, "f12": 0x58,
    **{f"f{number}": 0x3A + number for number in range(1, 11)},
    **{char: 0x02 + at for at, char in enumerate("1234567890-=")},
    **{char: 0x10 + at for at, char in enumerate("qwertyuiop[]")},
    **{char: 0x1E + at for at, char in enumerate("asdfghjkl;'`")},
    **{char: 0x2B + at for at, char in enumerate("\\zxcvbnm,./")},
}  # fmt: skip
"""By name; a key with a sign on it is called by the one it has without Shift."""

_SHIFTED: Mapping[str, str] = {
    **dict(zip('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./", strict=True)),
    **{chr(code).upper(): chr(code) for code in range(ord("a"), ord("z") + 1)},
}
_BLANKS: Mapping[str, str] = {" ": "space", "\n": "enter", "\t": "tab"}
CTRL_ALT_DEL: Chord = ("ctrl", "alt", "delete")
PACE = 0.035
"""Seconds for each chord of a text: firmware and boot loaders keep some fifteen keys and lose what comes then."""


def chord_of(char: str) -> Chord | None:
    """The keys for one character on the US layout; None when it is not on it."""
    if char in _BLANKS:
        return (_BLANKS[char],)
    if char in _SHIFTED:
        return ("shift", _SHIFTED[char])
    return (char,) if len(char) == 1 and char in SCAN_CODES else None


def chords_of(text: str) -> list[Chord]:
    """The keys for a text; line ends are Enter. Raises ActionError naming what a US keyboard has not."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    found = [(char, chord_of(char)) for char in plain]
    if missing := sorted({char for char, chord in found if chord is None}):
        named = " ".join(char if char.isprintable() else f"U+{ord(char):04X}" for char in missing[:8])
        more = " and others" if len(missing) > 8 else ""
        raise ActionError(f"a US keyboard cannot type {named}{more}: nothing was typed")
    return [chord for _, chord in found if chord is not None]


def scan_codes(chord: Sequence[str]) -> list[int]:
    """Their numbers, E0xx for extended ones. Raises ActionError for a name that is not there."""
    try:
        return [SCAN_CODES[name] for name in chord]
    except KeyError as error:
        raise ActionError(f"there is no key called {error.args[0]!r}") from None


def make_and_break(chord: Sequence[str]) -> list[int]:
    """The bytes a keyboard sends when these keys are pressed in order and let go in the reverse one."""
    codes = scan_codes(chord)
    return [*_bytes(codes, 0), *_bytes(reversed(codes), 0x80)]


def _bytes(codes: Iterable[int], released: int) -> Iterable[int]:
    for code in codes:
        if code > 0xFF:
            yield code >> 8
        yield (code & 0xFF) | released
