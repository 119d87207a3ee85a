"""What a user types to search or filter lines: text, or a regular expression between slashes."""

from __future__ import annotations

import re


class Pattern:
    """`text`, `/regular expression/`, and where `inverts` also `!text` and `!/…/` for lines without it.

    Case counts only when there is a capital letter. Raises ValueError with one line that says what is wrong.
    """

    def __init__(self, typed: str = "", *, inverts: bool = False) -> None:
        self.typed = typed.strip()
        self.inverted = inverts and len(self.typed) > 1 and self.typed.startswith("!")
        text = self.typed[1:] if self.inverted else self.typed
        expression = len(text) > 2 and text.startswith("/") and text.endswith("/")
        source = text[1:-1] if expression else re.escape(text)
        self.expression: re.Pattern[str] | None = None
        if text:
            try:
                self.expression = re.compile(source, 0 if any(char.isupper() for char in text) else re.IGNORECASE)
            except (re.error, OverflowError, RecursionError) as error:
                raise ValueError(f"{text} is no regular expression: {error}") from None

    @property
    def active(self) -> bool:
        return self.expression is not None

    def passes(self, text: str) -> bool:
        return self.expression is None or (self.expression.search(text) is None) == self.inverted
