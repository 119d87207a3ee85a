"""Stands before the screen while something opens: keys typed ahead are swallowed, Esc gives up."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen

from widgets.glyphs import BRAILLE, Glyphs
from widgets.line import Line, Part
from widgets.text import width_of

_SHOWN_AFTER = 0.25
"""Seconds; what is quicker shows nothing."""


class Waiting(ModalScreen[None]):
    """Dismissed with None on Esc, else by whoever showed it."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "give_up", "Give up")]

    DEFAULT_CSS = """
    Waiting { align: center middle; background: transparent; }
    Waiting > Line { width: auto; max-width: 98%; height: 3; border: round $border; background: $surface; }
    """

    def __init__(self, text: str, *, glyphs: Glyphs = BRAILLE) -> None:
        super().__init__()
        self._text = f" {text} "
        self._glyphs = glyphs
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

    def on_key(self, event: events.Key) -> None:
        if event.key != "escape":
            event.stop()
            event.prevent_default()

    def action_give_up(self) -> None:
        if not self._ended:
            self._ended = True
            self.dismiss(None)

    async def end(self) -> None:
        """Go away, if it is there still; not from a message of its own."""
        if not self._ended and self.is_current:
            self._ended = True
            await self.dismiss(None)
