"""Which part of a VM's screen is in view: of its picture, and of its text."""

from __future__ import annotations

from textual.geometry import Size

from backends.screen_text import ScreenText
from tui.screen_text_lines import Match
from widgets.half_blocks import Scaler, Window

_SCALES = (0.125, 0.25, 0.5, 1.0, 2.0)
"""Dots for a pixel, a dot being half a cell."""
_STEP = 4
"""Cells that a step goes in a picture."""
_FAR = 10_000


class ScreenWindow:
    """`size`: the cells that there are for it."""

    def __init__(self) -> None:
        self.size = Size(1, 1)
        self.reset()

    def reset(self) -> None:
        """All of the picture; of the text the start of each line, and the last one that holds something."""
        self.text_left = 0
        self._text_top: int | None = None
        self.fit()

    def fit(self) -> None:
        self._scale, self._left, self._top = 0.0, 0, 0

    @property
    def of_picture(self) -> Window:
        size = self.size
        return Window(max(1, size.width), max(1, size.height), self._scale, self._left, self._top)

    def zoom(self, scaler: Scaler, by: int) -> None:
        """One step larger or smaller, about the middle; smaller than all of it is all of it."""
        window = self.of_picture
        now, whole = scaler.scale_of(window), scaler.scale_of(Window(window.columns, window.rows))
        if by > 0:
            scale = next((scale for scale in _SCALES if scale > now * 1.01), _SCALES[-1])
        else:
            scale = next((scale for scale in reversed(_SCALES) if scale < now * 0.99), 0.0)
        scale = 0.0 if scale <= whole else scale
        grown = 1 / now - 1 / (scale or whole)
        self._scale = scale
        self._left += int(window.columns * grown / 2)
        self._top += int(window.rows * grown)
        self.bound(scaler)

    def pan(self, scaler: Scaler, across: int, down: int, *, far: bool) -> None:
        step = (_FAR if far else _STEP) / scaler.scale_of(self.of_picture)
        self._left += int(across * step)
        self._top += int(down * step)
        self.bound(scaler)

    def bound(self, scaler: Scaler) -> None:
        """Keep within the picture."""
        most_left, most_top = scaler.bounds(self.of_picture)
        self._left, self._top = max(0, min(self._left, most_left)), max(0, min(self._top, most_top))

    def text_top(self, text: ScreenText) -> int:
        """The first line in view."""
        room = max(1, self.size.height)
        most = max(0, text.rows - room)
        if self._text_top is not None:
            return min(self._text_top, most)
        used = next((row + 1 for row in reversed(range(text.rows)) if text.lines[row].strip()), 0)
        return min(most, max(0, used - room))

    def pan_text(self, text: ScreenText, across: int, down: int, *, far: bool) -> None:
        step = _FAR if far else 1
        self._text_top = max(0, min(self.text_top(text) + down * step, text.rows - self.size.height))
        self.text_left = max(0, min(self.text_left + across * step, text.columns - self.size.width))

    def reveal(self, text: ScreenText, match: Match) -> None:
        """Have it in view."""
        if not 0 <= match.row - self.text_top(text) < self.size.height:
            self._text_top = max(0, match.row - self.size.height // 2)
        if not 0 <= match.start - self.text_left < self.size.width:
            self.text_left = max(0, match.start - self.size.width // 2)
