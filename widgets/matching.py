"""Finding by what is typed: words first, then letters in order; best first."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")

_WORD_START = re.compile(r"\b\w|(?<=_)\w")


def score(typed: str, text: str) -> int | None:
    """How well the text matches, lower is better; None where it does not.

    In order of worth: the start of the text, the start of a word, anywhere, every typed word somewhere, the letters
    as starts of words, the letters in order.
    """
    needle, hay = " ".join(typed.casefold().split()), text.casefold()
    if not needle:
        return 0
    at = hay.find(needle)
    if at == 0:
        return 0
    if at > 0:
        return 100 + at if not hay[at - 1].isalnum() else 200 + at
    if all(word in hay for word in needle.split()):
        return 300
    letters = needle.replace(" ", "")
    initials = "".join(match.group() for match in _WORD_START.finditer(hay))
    if letters in initials:
        return 400
    spread = _spread(letters, hay)
    return None if spread is None else 500 + spread


def rank(
    typed: str, items: Sequence[Item], label: Callable[[Item], str], hint: Callable[[Item], str] | None = None
) -> list[Item]:
    """The items that match by label, or by a word of the hint, best first and else in their order."""
    scored: list[tuple[int, int, Item]] = []
    for order, item in enumerate(items):
        worth = score(typed, label(item))
        if worth is None and hint is not None and typed.strip() and typed.strip().casefold() in hint(item).casefold():
            worth = 1000
        if worth is not None:
            scored.append((worth, order, item))
    return [item for _, _, item in sorted(scored, key=lambda entry: entry[:2])]


def _spread(letters: str, hay: str) -> int | None:
    """How many other characters lie between the letters found in order."""
    first = at = hay.find(letters[0])
    if at < 0:
        return None
    for letter in letters[1:]:
        at = hay.find(letter, at + 1)
        if at < 0:
            return None
    return at - first + 1 - len(letters)
