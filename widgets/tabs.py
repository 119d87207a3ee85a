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
    """The names of tabs, the active one in brackets. Where the width lacks, the start scrolls off, never it."""

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
        self._tabs: tuple[tuple[str, str], ...] = ()
        self._active = ""

    @property
    def active(self) -> str:
        return self._active

    def set_tabs(self, tabs: Sequence[tuple[str, str]], active: str) -> None:
        """Tabs as (id, title), and the active one's id."""
        self._tabs, self._active = tuple(tabs), active
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
        texts = [
            (tab_id, f"[{plain(title)}]" if tab_id == self._active else f" {plain(title)} ")
            for tab_id, title in self._tabs
        ]
        first = 0
        active = next((at for at, (tab_id, _) in enumerate(texts) if tab_id == self._active), 0)
        while first < active and sum(width_of(text) for _, text in texts[first : active + 1]) > width:
            first += 1
        placed: list[tuple[int, int, str, str]] = []
        x = 0
        for tab_id, text in texts[first:]:
            placed.append((x, x + width_of(text), tab_id, text))
            x += width_of(text)
        return placed

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        for start, end, tab_id, _ in self._placed(self.size.width):
            if start <= offset.x < end:
                self.post_message(self.Picked(self, tab_id))
