"""The keys that apply now, on one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.strip import Strip

from widgets.glyphs import BRAILLE, Glyphs
from widgets.lines import LineView
from widgets.text import plain, width_of
from widgets.tones import Tone

_GAP = 2


@dataclass(frozen=True, slots=True)
class Hint:
    """A key and what it does. One that is not `enabled` is shown in parentheses; `reason` says why on a click.

    One that `stays` has its place also where others before it are left off for want of room.
    """

    key: str
    label: str
    id: str
    enabled: bool = True
    reason: str = ""
    stays: bool = False


class KeyBar(LineView):
    """Hints from the left; what does not fit is left off, of those that do not stay the last ones first."""

    DEFAULT_CSS = """
    KeyBar { height: 1; width: 1fr; }
    """

    class Pressed(Message):
        """A click on a hint, enabled or not: the receiver has the reason to show."""

        def __init__(self, key_bar: KeyBar, hint: Hint) -> None:
            super().__init__()
            self.key_bar = key_bar
            self.hint = hint
            self.id = hint.id

        @property
        def control(self) -> KeyBar:
            return self.key_bar

    def __init__(self, *, id: str | None = None, classes: str | None = None, glyphs: Glyphs = BRAILLE) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes, glyphs=glyphs)
        self._hints: tuple[Hint, ...] = ()

    @property
    def hints(self) -> tuple[Hint, ...]:
        return self._hints

    def set_keys(self, hints: Sequence[Hint]) -> None:
        """The hints anew, in the order of their worth; only what differs is written."""
        if tuple(hints) != self._hints:
            self._hints = tuple(hints)
            self.repaint()

    def line(self, y: int) -> Strip:
        width = self.size.width
        runs: list[tuple[str, Tone]] = []
        at = 0
        if not y:
            for x, _, hint in self._placed(width):
                runs.append((" " * (x - at), ""))
                pieces = _pieces(hint)
                runs.extend(pieces)
                at = x + sum(width_of(text) for text, _ in pieces)
        return Strip(self.segments(runs, width), width)

    def _placed(self, width: int) -> list[tuple[int, int, Hint]]:
        """First cell, last cell + 1 and hint, for those that fit."""
        placed: list[tuple[int, int, Hint]] = []
        kept = sum(_width(hint) + _GAP for hint in self._hints if hint.stays)
        x, full = 1, False
        for hint in self._hints:
            end = x + _width(hint)
            if hint.stays:
                kept -= _width(hint) + _GAP
                if end > width:
                    break
            elif full or end + kept > width:
                full = True
                continue
            placed.append((x, end, hint))
            x = end + _GAP
        return placed

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        for start, end, hint in self._placed(self.size.width):
            if start <= offset.x < end:
                self.post_message(self.Pressed(self, hint))


def _width(hint: Hint) -> int:
    return sum(width_of(text) for text, _ in _pieces(hint))


def _pieces(hint: Hint) -> list[tuple[str, Tone]]:
    key, label = plain(hint.key), plain(hint.label)
    if not hint.enabled:
        return [(f"({key} {label})", "dim")]
    return [(key, "accent"), (f" {label}", "")]
