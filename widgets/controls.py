"""Small focusable controls of one line: a push button, a toggle, and a scrolling text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from widgets.glyphs import BRAILLE, Glyphs
from widgets.lines import LineView
from widgets.scrolling import ScrollingLines
from widgets.text import plain, width_of, wrap
from widgets.tones import Ground, Tone


class Control(LineView, can_focus=True):
    """Drawn on one line by `face`; Enter, Space or a click activates it. The focus shows in its shape, too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "activate", "Activate", id="control.activate", show=False)
    ]

    DEFAULT_CSS = """
    Control { height: 1; }
    """

    def face(self) -> tuple[str, Tone]:
        raise NotImplementedError

    def action_activate(self) -> None:
        raise NotImplementedError

    def line(self, y: int) -> Strip:
        width = self.size.width
        if y:
            return Strip(self.segments([], width), width)
        text, tone = self.face()
        ground: Ground = "faded" if self.is_disabled else "cursor" if self.has_focus else ""
        own = min(width_of(text), width)
        return Strip([*self.segments([(text, tone)], own, ground), *self.segments([], width - own)], width)

    def on_focus(self) -> None:
        self.repaint()

    def on_blur(self) -> None:
        self.repaint()

    def watch_disabled(self, disabled: bool) -> None:
        super().watch_disabled(disabled)
        self.repaint()

    def on_click(self, event: events.Click) -> None:
        event.stop()
        if not self.is_disabled:
            self.action_activate()


class Push(Control):
    """A button."""

    class Pressed(Message):
        def __init__(self, push: Push) -> None:
            super().__init__()
            self.push = push

    def __init__(self, label: str, tone: Tone = "", *, id: str | None = None, glyphs: Glyphs = BRAILLE) -> None:  # noqa: A002
        super().__init__(id=id, glyphs=glyphs)
        self.label = plain(label)
        self._tone: Tone = tone
        self.styles.width = width_of(self.label) + 4

    def face(self) -> tuple[str, Tone]:
        if self.is_disabled:
            return f"( {self.label} )", "dim"
        return (f"[>{self.label}<]" if self.has_focus else f"[ {self.label} ]"), self._tone

    def action_activate(self) -> None:
        self.post_message(self.Pressed(self))


class Toggle(Control):
    """A box to check."""

    def __init__(self, label: str, value: bool, *, id: str | None = None, glyphs: Glyphs = BRAILLE) -> None:  # noqa: A002
        super().__init__(id=id, glyphs=glyphs)
        self.label = plain(label)
        self.value = value

    def face(self) -> tuple[str, Tone]:
        box = self.glyphs.checked if self.value else self.glyphs.unchecked
        return f"{'>' if self.has_focus else ' '}{box} {self.label} ", ""

    def action_activate(self) -> None:
        self.value = not self.value
        self.repaint()


class ScrollingText(ScrollingLines):
    """Wrapped lines of text in tones."""

    class Scrolled(Message):
        """Another part of the text is on screen."""

    def __init__(self, lines: Sequence[tuple[str, Tone]], *, id: str | None = None, glyphs: Glyphs = BRAILLE) -> None:  # noqa: A002
        super().__init__(id=id, glyphs=glyphs)
        self._texts = tuple(lines)
        self._wrapped: tuple[int, list[tuple[str, Tone]]] = (-1, [])

    def wrapped(self, width: int) -> list[tuple[str, Tone]]:
        """The lines as they are in this width, the scroll bar's column left free."""
        if self._wrapped[0] != width:
            lines = [(piece, tone) for text, tone in self._texts for piece in wrap(text, max(1, width - 1))]
            self._wrapped = (width, lines)
        return self._wrapped[1]

    def scroll_to_top(self, top: int) -> None:
        super().scroll_to_top(top)
        self.post_message(self.Scrolled())

    def total_lines(self) -> int:
        return len(self.wrapped(self.size.width))

    def body_line(self, index: int, width: int) -> Strip:
        return Strip(self.segments([self.wrapped(self.size.width)[index]], width), width)
