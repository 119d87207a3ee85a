"""One line of text parts, left and right; what lacks room is dropped by priority."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip

from widgets.glyphs import BRAILLE, Glyphs
from widgets.lines import LineView
from widgets.text import plain, width_of
from widgets.tones import Tone

_GAP = 1


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a line, drawn as it is: blanks between parts are the parts' own.

    Where the width lacks, parts of the highest `priority` number go first. A part with an id can be clicked.
    """

    text: str
    tone: Tone = ""
    priority: int = 0
    id: str = ""


class Line(LineView):
    """One line of parts."""

    DEFAULT_CSS = """
    Line { height: 1; width: 1fr; }
    """

    class Clicked(Message):
        """A click on a part that has an id."""

        def __init__(self, line: Line, part_id: str) -> None:
            super().__init__()
            self.line = line
            self.id = part_id

        @property
        def control(self) -> Line:
            return self.line

    def __init__(self, *, id: str | None = None, classes: str | None = None, glyphs: Glyphs = BRAILLE) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes, glyphs=glyphs)
        self._left: tuple[Part, ...] = ()
        self._right: tuple[Part, ...] = ()

    def set_parts(self, left: Sequence[Part], right: Sequence[Part] = ()) -> None:
        """The whole line anew; only what differs from the screen is written."""
        self._left, self._right = tuple(left), tuple(right)
        self.repaint()

    def line(self, y: int) -> Strip:
        width = self.size.width
        if y:
            return Strip(self.segments([], width), width)
        left, right = self._placed(width)
        after = sum(width_of(plain(part.text)) for part in right)
        segments: list[Segment] = self.segments([(part.text, part.tone) for part in left], max(0, width - after))
        if after:
            segments.extend(self.segments([(part.text, part.tone) for part in right], min(width, after)))
        return Strip(segments, width)

    def _placed(self, width: int) -> tuple[Sequence[Part], Sequence[Part]]:
        """The parts that are kept in `width` cells."""
        left, right = list(self._left), list(self._right)
        sizes = {id(part): width_of(plain(part.text)) for part in (*left, *right)}
        while sum(sizes[id(part)] for part in (*left, *right)) + (_GAP if left and right else 0) > width:
            worst = max((part.priority for part in (*left, *right)), default=0)
            if worst == 0:
                break
            for parts in (right, left):
                found = next((at for at in reversed(range(len(parts))) if parts[at].priority == worst), None)
                if found is not None:
                    del parts[found]
                    break
        return left, right

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        width = self.size.width
        left, right = self._placed(width)
        x = 0
        starts: list[tuple[int, Part]] = []
        for part in left:
            starts.append((x, part))
            x += width_of(plain(part.text))
        x = width - sum(width_of(plain(part.text)) for part in right)
        for part in right:
            starts.append((x, part))
            x += width_of(plain(part.text))
        for start, part in reversed(starts):
            if start <= offset.x < start + width_of(plain(part.text)):
                if part.id:
                    self.post_message(self.Clicked(self, part.id))
                return
