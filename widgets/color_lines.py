"""Lines of characters in colours of their own, such as a machine's screen has: a window on them, moved by keys."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from widgets.glyphs import BRAILLE, Glyphs
from widgets.half_blocks import Inked
from widgets.lines import LineView
from widgets.text import width_of
from widgets.tones import Tone

_WHEEL = 3


class ColorLines(LineView, can_focus=True):
    """Shows what it is given from its top left corner on; moving about in it is its owner's, who is told."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "pan(0, 1)", "Down", id="picture.down", show=False),
        Binding("up,k", "pan(0, -1)", "Up", id="picture.up", show=False),
        Binding("right,l", "pan(1, 0)", "Right", id="picture.right", show=False),
        Binding("left,h", "pan(-1, 0)", "Left", id="picture.left", show=False),
        Binding("pagedown,space", "pan(0, 8)", "Page down", id="picture.page_down", show=False),
        Binding("pageup", "pan(0, -8)", "Page up", id="picture.page_up", show=False),
        Binding("home,g", "corner(-1)", "Top left", id="picture.first", show=False),
        Binding("end,G", "corner(1)", "Bottom", id="picture.last", show=False),
    ]

    DEFAULT_CSS = """
    ColorLines { height: 1fr; }
    """

    class Panned(Message):
        """The user wants to see what lies further in a direction; by steps, or the ends of it all for `far`."""

        def __init__(self, across: int, down: int, *, far: bool = False) -> None:
            super().__init__()
            self.across = across
            self.down = down
            self.far = far

    class Resized(Message):
        """It has another size."""

    def __init__(self, *, id: str | None = None, glyphs: Glyphs = BRAILLE) -> None:  # noqa: A002
        super().__init__(id=id, glyphs=glyphs)
        self._lines: Sequence[Sequence[Inked]] = ()
        self._strips: dict[int, tuple[Sequence[Inked], int, Strip]] = {}
        self._message: Sequence[tuple[str, Tone]] = ()

    def set_lines(self, lines: Sequence[Sequence[Inked]]) -> None:
        """Show these; only cells that are others are written."""
        self._lines, self._message = lines, ()
        self.repaint()

    def set_message(self, message: Sequence[tuple[str, Tone]]) -> None:
        """Show these lines of text instead."""
        self._lines, self._message = (), message
        self.repaint()

    def line(self, y: int) -> Strip:
        width = self.size.width
        if self._message:
            said = self._message[y - 1 : y] if y else ()
            return Strip(self.segments([(f"  {text}", tone) for text, tone in said], width), width)
        inked: Sequence[Inked] = self._lines[y] if y < len(self._lines) else ()
        known = self._strips.get(y)
        if known is not None and known[1] == width and (known[0] is inked or known[0] == inked):
            return known[2]
        strip = Strip(self._segments(inked, width), width)
        self._strips[y] = (inked, width, strip)
        return strip

    def _segments(self, inked: Sequence[Inked], width: int) -> list[Segment]:
        base, plain = self.ink(), self.app.no_color
        found, left = [], width
        for run in inked:
            text = run.text if len(run.text) <= left else run.text[:left]
            if text:
                style = base if plain else base + _style(run.color, run.ground)
                found.append(Segment(text, self.ink("", run.mark) if run.mark else style))
                left -= width_of(text)
        if left > 0:
            found.append(Segment(" " * left, base))
        return found

    def restyle(self) -> None:
        self._strips.clear()

    def action_pan(self, across: int, down: int) -> None:
        self.post_message(self.Panned(across, down))

    def action_corner(self, end: int) -> None:
        self.post_message(self.Panned(min(0, end), end, far=True))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.post_message(self.Panned(0, _WHEEL))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.post_message(self.Panned(0, -_WHEEL))

    def on_resize(self) -> None:
        self._strips.clear()
        self.post_message(self.Resized())


@lru_cache(16384)
def _style(color: int | None, ground: int | None) -> Style:
    return Style(color=_color(color), bgcolor=_color(ground))


@lru_cache(4096)
def _color(number: int | None) -> Color | None:
    return None if number is None else Color.from_rgb(number >> 16, number >> 8 & 255, number & 255)
