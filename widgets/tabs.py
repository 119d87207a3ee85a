"""Tabs on one line: `[Overview] Logs  Stats`."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.message import Message
from textual.strip import Strip

from widgets.glyphs import BRAILLE, Glyphs
from widgets.lines import LineView
from widgets.text import plain, width_of
from widgets.tones import Tone


class TabStrip(LineView):
    """The names of tabs, the active one in brackets.

    Where the width lacks the others are abbreviated; where that is not enough they scroll off, never the active one.
    """

    DEFAULT_CSS = """
    TabStrip { height: 1; width: 1fr; }
    """

    class Picked(Message):
        """A click on a tab; the strip itself changes nothing."""

        def __init__(self, strip: TabStrip, tab_id: str) -> None:
            super().__init__()
            self.strip = strip
            self.id = tab_id

        @property
        def control(self) -> TabStrip:
            return self.strip

    def __init__(self, *, id: str | None = None, classes: str | None = None, glyphs: Glyphs = BRAILLE) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes, glyphs=glyphs)
        self._tabs: tuple[tuple[str, str, str], ...] = ()
        self._active = ""

    @property
    def active(self) -> str:
        return self._active

    def set_tabs(self, tabs: Sequence[tuple[str, str] | tuple[str, str, str]], active: str) -> None:
        """Tabs as (id, title) or (id, title, shorter title), and the active one's id."""
        self._tabs = tuple((tab[0], plain(tab[1]), plain(tab[-1])) for tab in tabs)
        self._active = active
        self.repaint()

    def line(self, y: int) -> Strip:
        width = self.size.width
        runs: list[tuple[str, Tone]] = []
        if not y:
            for _, _, tab_id, text in self._placed(width):
                runs.append((text, "strong" if tab_id == self._active else ""))
        return Strip(self.segments(runs, width), width)

    def _placed(self, width: int) -> list[tuple[int, int, str, str]]:
        """First cell, last cell + 1, id and text of the tabs shown."""
        whole = [(tab_id, f"[{title}]" if tab_id == self._active else f" {title} ") for tab_id, title, _ in self._tabs]
        if sum(width_of(text) for _, text in whole) <= width:
            return _in_row(whole)
        placed = self._abbreviated(0, full=True)
        if placed and placed[-1][1] > width:
            placed = self._abbreviated(0, full=False)
        at = next((at for at, tab in enumerate(self._tabs) if tab[0] == self._active), 0)
        for first in range(1, at + 1):
            if placed[at - first + 1][1] <= width:
                break
            placed = self._abbreviated(first, full=False)
        return placed

    def _abbreviated(self, first: int, *, full: bool) -> list[tuple[int, int, str, str]]:
        """From tab `first` on, one cell apart; `full`: the active one has its whole title."""
        texts = []
        tabs = self._tabs[first:]
        for at, (tab_id, title, short) in enumerate(tabs):
            active = tab_id == self._active
            start = ("[" if active else self.glyphs.ellipsis if first else " ") if not at else ""
            after = at + 1 < len(tabs) and tabs[at + 1][0] == self._active
            texts.append(
                (tab_id, f"{start}{title if active and full else short}{']' if active else '[' if after else ' '}")
            )
        return _in_row(texts)

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        for start, end, tab_id, _ in self._placed(self.size.width):
            if start <= offset.x < end:
                self.post_message(self.Picked(self, tab_id))


def _in_row(texts: Sequence[tuple[str, str]]) -> list[tuple[int, int, str, str]]:
    placed: list[tuple[int, int, str, str]] = []
    x = 0
    for tab_id, text in texts:
        placed.append((x, x + width_of(text), tab_id, text))
        x += width_of(text)
    return placed
