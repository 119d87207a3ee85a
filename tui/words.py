"""The filter of words: all must occur, `-word` must not, capitals do not matter."""

from __future__ import annotations

from collections.abc import Callable


def matcher(text: str) -> Callable[[str], bool] | None:
    """Whether a text passes; None when the filter lets everything pass."""
    words = text.lower().split()
    if not words:
        return None
    wanted = [word for word in words if len(word) == 1 or word[0] != "-"]
    unwanted = [word[1:] for word in words if len(word) > 1 and word[0] == "-"]

    def matches(line: str) -> bool:
        low = line.lower()
        return all(word in low for word in wanted) and not any(word in low for word in unwanted)

    return matches
