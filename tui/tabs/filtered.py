"""A tab whose lines are filtered by words."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from tui.tabs.asking import AskingTab
from tui.words import matcher


class FilteredTab(AskingTab):
    finds: ClassVar[str] = "filter: words that must occur, -word must not"

    filter_text = ""

    def refilter(self) -> None:
        """Draw what passes `filter_text`."""
        raise NotImplementedError

    @property
    def passes(self) -> Callable[[str], bool] | None:
        return matcher(self.filter_text)

    @property
    def finding(self) -> str:
        return self.filter_text

    def find(self, text: str, *, done: bool) -> str:
        del done
        if text != self.filter_text:
            self.filter_text = text
            self.refilter()
        return ""

    def stop_finding(self) -> None:
        self.find("", done=True)

    def back(self) -> bool:
        if not self.filter_text.strip():
            return False
        self.stop_finding()
        return True
