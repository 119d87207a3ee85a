"""The base of all widgets here: lines drawn as strips, compared with what is shown, only changes repainted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.scroll_view import ScrollView
from textual.strip import Strip

from widgets import tones
from widgets.glyphs import BRAILLE, Glyphs
from widgets.text import fit_runs, width_of
from widgets.tones import Ground, Palette, Tone

# Two changes nearer than this are written as one: moving the cursor costs about as many bytes.
_BRIDGE = 8


def changed_spans(old: Strip, new: Strip) -> list[tuple[int, int]]:
    """Where two strips of one width differ: (first cell, cell after the last) pairs, never half a wide character."""
    if old is new:
        return []
    before, after = list(old), list(new)
    start = 0
    while before and after and before[0] == after[0]:
        start += width_of(before[0].text)
        del before[0], after[0]
    while before and after and before[-1] == after[-1]:
        del before[-1], after[-1]
    left, right = _cells(before), _cells(after)
    if len(left) != len(right):
        return [(start, max(old.cell_length, new.cell_length))]
    spans: list[tuple[int, int]] = []
    for at, (one, other) in enumerate(zip(left, right, strict=True)):
        x = start + at
        if one == other or (spans and x < spans[-1][1]):
            continue
        first, last = _whole_characters(left, right, start, x, x + 1)
        if spans and first - spans[-1][1] < _BRIDGE:
            spans[-1] = (spans[-1][0], last)
        else:
            spans.append((first, last))
    return spans


def _cells(segments: Iterable[Segment]) -> list[tuple[str, Style | None]]:
    cells: list[tuple[str, Style | None]] = []
    for text, style, _ in segments:
        if text.isascii():
            cells.extend([(char, style) for char in text])
            continue
        sizes = [width_of(char) for char in text]
        if sum(sizes) != (size := width_of(text)):
            # Joined emoji and the like: one piece, compared as a whole.
            cells.extend([(text, style), *[("\0", style)] * (size - 1)])
            continue
        for char, size in zip(text, sizes, strict=True):
            if size == 0 and cells:
                cells[-1] = (cells[-1][0] + char, style)
            else:
                # The right half of a wide character is told apart from a blank by its NUL.
                cells.extend([(char, style), ("\0", style)][:size])
    return cells


def _whole_characters(
    left: list[tuple[str, Style | None]], right: list[tuple[str, Style | None]], start: int, first: int, last: int
) -> tuple[int, int]:
    def inside(at: int) -> bool:
        """Whether a cut before cell `at` of the compared part would split a character, or part it from its accent."""
        if not 0 < at < len(left):
            return False
        for cells in (left, right):
            if cells[at][0] == "\0":
                return True
            base = at - 1
            while cells[base][0] == "\0":
                base -= 1
            if len(cells[base][0]) > 1:
                return True
        return False

    while inside(first - start):
        first -= 1
    while inside(last - start):
        last += 1
    return first, last


class LineView(ScrollView):
    """Draws lines by `line`; `repaint` compares them with the screen and refreshes the cells that changed."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(tones.COMPONENT_CLASSES)
    ALLOW_SELECT = False
    DEFAULT_CSS = (
        """
LineView {
    overflow: hidden hidden;
"""
        + tones.CSS
        + "}"
    )

    def __init__(self, *, id: str | None = None, classes: str | None = None, glyphs: Glyphs = BRAILLE) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.auto_links = False
        self.glyphs = glyphs
        self._palette: Palette | None = None
        self._shown: dict[int, Strip] = {}

    def line(self, y: int) -> Strip:
        """What line `y` of the content shows now; exactly as wide as the content."""
        raise NotImplementedError

    def restyle(self) -> None:
        """Forget what was drawn in old styles; called when the theme or the widget's looks changed."""

    def ink(self, tone: Tone = "", ground: Ground = "") -> Style:
        """The style of a tone on a ground, in the current theme."""
        if self._palette is None:
            self._palette = Palette(self)
        return self._palette(tone, ground)

    def segments(
        self, runs: Iterable[tuple[str, Tone]], width: int, ground: Ground = "", ellipsis: str = ""
    ) -> list[Segment]:
        """Runs as segments in exactly `width` cells."""
        fitted = fit_runs(runs, width, "", ellipsis=ellipsis or self.glyphs.ellipsis)
        return join([(text, self.ink(tone, ground)) for text, tone in fitted])

    def repaint(self) -> None:
        """Refresh those cells that are no longer as on screen. Lines not yet drawn are due in full anyway."""
        regions: list[Region] = []
        height = self.size.height
        if any(y >= height for y in self._shown):
            # hidden or shrunk: when these lines come back, what Textual keeps of them must not be shown
            self._shown = {y: strip for y, strip in self._shown.items() if y < height}
            self.refresh()
        for y, old in list(self._shown.items()):
            new = self.line(y)
            if new is old:
                continue
            if spans := changed_spans(old, new):
                regions.extend(Region(start, y, end - start, 1) for start, end in spans)
            self._shown[y] = new
        if regions:
            self.refresh(*regions)

    def render_line(self, y: int) -> Strip:
        strip = self._shown[y] = self.line(y)
        return strip

    def notify_style_update(self) -> None:
        super().notify_style_update()
        old, self._palette = self._palette, None
        if old is None or not self.is_mounted:
            return
        new = Palette(self)
        if new.same_as(old):
            self._palette = old
            return
        self.restyle()
        self.refresh()


def join(runs: Iterable[tuple[str, Style]]) -> list[Segment]:
    """Segments of the runs, neighbours of one style as one: each segment costs an escape sequence."""
    joined: list[Segment] = []
    texts: list[str] = []
    current: Style | None = None
    for text, style in runs:
        if style is not current and texts:
            joined.append(Segment("".join(texts), current))
            texts = []
        current = style
        if text:
            texts.append(text)
    if texts:
        joined.append(Segment("".join(texts), current))
    return joined
