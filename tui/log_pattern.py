"""What a user types to search or filter lines: text, or a regular expression between slashes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

_FAIR = 0.001
_EACH = 1e-7
"""Seconds of processor time that looking through a line may take, at least and for each of its characters."""
_MOST = 0.05
"""Seconds of processor time above that which an expression has in all."""
_LONGEST = 1000
_T = TypeVar("_T")


class Expression:
    """A regular expression that cannot hold up the program: one that takes too long gives up and finds nothing more.

    `(a+)+$` takes years for some lines of 50 characters, and Python's own `re` cannot be stopped.
    """

    def __init__(self, source: str, *, ignore_case: bool) -> None:
        """Raises ValueError."""
        # Only whoever uses an expression pays for this
        import regex

        if len(source) > _LONGEST:
            raise ValueError(f"is longer than {_LONGEST} characters")
        try:
            self._compiled = regex.compile(source, regex.IGNORECASE if ignore_case else 0)
        except (regex.error, OverflowError, RecursionError) as error:
            raise ValueError(str(error)) from None
        self._left = _MOST
        self.gave_up = False

    def search(self, text: str) -> object | None:
        return self._within(text, lambda seconds: self._compiled.search(text, timeout=seconds), None)

    def finditer(self, text: str) -> Iterable[Any]:
        return self._within(text, lambda seconds: list(self._compiled.finditer(text, timeout=seconds)), [])

    def _within(self, text: str, work: Callable[[float], _T], nothing: _T) -> _T:
        if self.gave_up:
            return nothing
        fair = max(_FAIR, len(text) * _EACH)
        began = time.thread_time()
        found = nothing
        try:
            found = work(fair + self._left)
        except TimeoutError:
            self._left = 0.0
        self._left -= max(0.0, time.thread_time() - began - fair)
        self.gave_up = self._left <= 0
        return found


class Pattern:
    """`text`, `/regular expression/`, and where `inverts` also `!text` and `!/…/` for lines without it.

    Case counts only when there is a capital letter. Raises ValueError with one line that says what is wrong.
    """

    def __init__(self, typed: str = "", *, inverts: bool = False) -> None:
        self.typed = typed.strip()
        self.inverted = inverts and len(self.typed) > 1 and self.typed.startswith("!")
        text = self.typed[1:] if self.inverted else self.typed
        ignore_case = not any(char.isupper() for char in text)
        self.expression: re.Pattern[str] | Expression | None = None
        if len(text) > 2 and text.startswith("/") and text.endswith("/"):
            try:
                self.expression = Expression(text[1:-1], ignore_case=ignore_case)
            except ValueError as error:
                raise ValueError(f"{text} is no regular expression: {error}") from None
        elif text:
            self.expression = re.compile(re.escape(text), re.IGNORECASE if ignore_case else 0)

    @property
    def active(self) -> bool:
        return self.expression is not None

    @property
    def gave_up(self) -> str:
        """Why nothing more is found, or empty."""
        if isinstance(self.expression, Expression) and self.expression.gave_up:
            return f"{self.typed} takes too long on some line and is given up: try a simpler expression."
        return ""

    def passes(self, text: str) -> bool:
        return self.expression is None or (self.expression.search(text) is None) == self.inverted


def in_turns(numbers: Iterable[int], seconds: float = 0.01) -> Iterator[tuple[int, bool]]:
    """Each number, and whether so long was worked on them without a pause that the keys should have their turn."""
    until = time.perf_counter() + seconds
    for number in numbers:
        late = time.perf_counter() > until
        yield number, late
        if late:
            until = time.perf_counter() + seconds
