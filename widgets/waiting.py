"""Stands before the screen while something opens: keys typed ahead are kept for what opens, Esc gives up."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult

from widgets.dialog import Dialog
from widgets.glyphs import BRAILLE, Glyphs
from widgets.line import Line, Part
from widgets.text import width_of

_SHOWN_AFTER = 0.25
"""Seconds; what is quicker shows nothing."""


class Waiting(Dialog[None]):
    """Dismissed with None on Esc, else by whoever showed it."""

    DEFAULT_CSS = """
    Waiting { align: center middle; background: transparent; }
    Waiting > Line { width: auto; max-width: 98%; height: 3; border: round $border; background: $surface; }
    """

    def __init__(self, text: str, *, glyphs: Glyphs = BRAILLE) -> None:
        super().__init__()
        self._text = f" {text} "
        self._glyphs = glyphs
        self._due = False
        self._ended = False

    def compose(self) -> ComposeResult:
        line = Line(glyphs=self._glyphs)
        line.display = False
        line.styles.width = width_of(self._text) + 18
        yield line

    def on_mount(self) -> None:
        self.set_timer(_SHOWN_AFTER, self._show)

    def _show(self) -> None:
        line = self.query_one(Line)
        line.display = True
        line.set_parts([Part(self._text, "strong")], [Part("Esc gives up ", "dim")])

    @property
    def typed(self) -> Sequence[events.Key]:
        """The keys that came meanwhile."""
        return tuple(self._ahead or ())

    def hold(self, event: events.Key) -> bool:
        if event.key == "escape":
            self._end()
            return True
        return super().hold(event)

    async def _hand_over(self) -> None:
        """Nothing here takes keys, mounted or not."""

    def end(self) -> None:
        """Go away, if it is there still: at once, so that no key reaches what is below before the next screen does."""
        self._due = True
        if self.is_current:
            self._end()

    def on_screen_resume(self) -> None:
        # what lay above it, such as the question whether to quit, has gone
        if self._due:
            self._end()

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self.dismiss(None)
