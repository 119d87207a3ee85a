"""A log that scrolls: of the lines in its ring only those on screen are cleaned, coloured and drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from widgets.glyphs import BRAILLE, Glyphs
from widgets.lines import LineView
from widgets.log_painter import NOTE, LogLook, LogPainter
from widgets.log_ring import LogRing
from widgets.log_text import Finder, Pieces
from widgets.tones import Tone

__all__ = ["NOTE", "LogLook", "LogView"]

_WHEEL = 3
_SIDE = 16
_MANY_CHANGED = 6
"""So many rows that are others are drawn as one whole."""


class LogView(LineView, can_focus=True):
    """Follows the end until one scrolls up, and again from the end on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll_rows(1)", "Down", id="log.down", show=False),
        Binding("up,k", "scroll_rows(-1)", "Up", id="log.up", show=False),
        Binding("pagedown,space", "scroll_pages(1)", "Page down", id="log.page_down", show=False),
        Binding("pageup", "scroll_pages(-1)", "Page up", id="log.page_up", show=False),
        Binding("home,g", "first", "The oldest line", id="log.first", show=False),
        Binding("end,G", "last", "The newest line, and follow", id="log.last", show=False),
        Binding("left", "sideways(-1)", "Left", id="log.left", show=False),
        Binding("right", "sideways(1)", "Right", id="log.right", show=False),
        Binding("shift+down", "select(1)", "Select down", id="log.select_down", show=False),
        Binding("shift+up", "select(-1)", "Select up", id="log.select_up", show=False),
    ]

    DEFAULT_CSS = """
    LogView { height: 1fr; }
    """

    class TopReached(Message):
        """The oldest line is on screen and the user wants older ones."""

    class Moved(Message):
        """It follows now or no longer, or another line is selected."""

    def __init__(self, pieces: Pieces, *, id: str | None = None, glyphs: Glyphs = BRAILLE) -> None:  # noqa: A002
        super().__init__(id=id, glyphs=glyphs)
        self.ring = LogRing()
        self.following = True
        self.selected: tuple[int, int] | None = None
        """Numbers of the first and last selected line."""
        self._painter = LogPainter(self, pieces)
        self._message: tuple[str, Tone] = ("", "dim")
        self._top = (0, 0)
        """Number of the first line on screen, and which of its rows is the first."""
        self._anchor: int | None = None
        """Where the selection began."""
        self._drawn: dict[int, list[Strip]] = {}
        self._window: list[Strip] = []
        self._on_screen: list[int] = []
        self._dragging = False

    # -- what it shows ------------------------------------------------------------------------------------------

    def set_sources(self, names: Sequence[str]) -> None:
        """The names of the logs, by the number in the lines' tags; one alone is not named on its lines."""
        self._painter.sources = tuple(names)
        self._redraw_all()

    @property
    def look(self) -> LogLook:
        return self._painter.look

    def set_look(self, look: LogLook) -> None:
        self._painter.look, self._painter.left = look, 0
        self._redraw_all()

    def set_message(self, text: str, tone: Tone = "dim") -> None:
        """What is said while there are no lines."""
        self._message = (text, tone)
        self._redraw_all()

    def set_search(self, pattern: Finder | None) -> None:
        """What is highlighted."""
        self._painter.search = pattern
        self._redraw_all()

    def add(self, texts: Sequence[bytes], stamps: Sequence[int], tags: Sequence[int], *, older: bool = False) -> None:
        """Lines ordered by their times (Unix nanoseconds); tags are source * 2, plus 1 for stderr, or NOTE."""
        ring = self.ring
        kept = [self._identity(number) for number in (self._top[0], *(self.selected or ()))]
        (ring.add_older if older else ring.add)(texts, stamps, tags)
        moved = ring.renumbered
        if moved is not None:
            self._drawn = {number: drawn for number, drawn in self._drawn.items() if number < moved}
            found = [self._again(identity) for identity in kept]
            self._top = (found[0], self._top[1])
            if self.selected:
                self.selected = (found[1], found[2])
        self.redraw()

    def _identity(self, number: int) -> tuple[int, bytes, int]:
        at = number - self.ring.base
        if 0 <= at < len(self.ring):
            return number, self.ring.texts[at], self.ring.stamps[at]
        return number, b"", 0

    def _again(self, identity: tuple[int, bytes, int]) -> int:
        number, text, stamp = identity
        found = self.ring.find(text, stamp) if stamp else None
        return number if found is None else found

    def clear(self) -> None:
        self.ring.clear()
        self.selected = self._anchor = None
        self.following = True
        self._redraw_all()
        self.post_message(self.Moved())

    def refilter(self) -> None:
        """Other lines are let through by the ring's filter."""
        self.redraw()

    # -- moving -------------------------------------------------------------------------------------------------

    @property
    def page(self) -> int:
        return max(1, self.size.height)

    def follow(self, following: bool) -> None:
        if following != self.following:
            self.following = following
            self.redraw()
            self.post_message(self.Moved())

    def action_scroll_rows(self, count: int) -> None:
        ring = self.ring
        place = ring.place(self._top[0])
        if not ring.count:
            return
        was_following = self.following
        if was_following and count > 0:
            return
        self.following = False
        row = self._top[1] + count
        while row < 0 and place > 0:
            place -= 1
            row += len(self._rows_at(place))
        at_top = row < 0 or (place == 0 and row <= 0)
        row = max(0, row)
        while place < ring.count and row >= (height := len(self._rows_at(place))):
            row -= height
            place += 1
        if place >= ring.count:
            place, row = ring.count - 1, 0
        self._top = (ring.number(place), row)
        if count > 0 and self._ends(place, row):
            self.following = True
        self.redraw()
        if self.following != was_following:
            self.post_message(self.Moved())
        if count < 0 and at_top:
            self.post_message(self.TopReached())

    def _ends(self, place: int, row: int) -> bool:
        """Whether the window from there on holds the last line's last row."""
        room = self.page + row
        while place < self.ring.count and room >= 0:
            room -= len(self._rows_at(place))
            place += 1
        return place >= self.ring.count and room >= 0

    def action_scroll_pages(self, count: int) -> None:
        self.action_scroll_rows(count * max(1, self.page - 1))

    def action_first(self) -> None:
        self.following = False
        if self.ring.count:
            self._top = (self.ring.number(0), 0)
        self.redraw()
        self.post_message(self.Moved())
        self.post_message(self.TopReached())

    def action_last(self) -> None:
        self.follow(True)

    def action_sideways(self, count: int) -> None:
        if not self.look.wrap:
            self._painter.left = max(0, self._painter.left + count * _SIDE)
            self._redraw_all()

    def show_line(self, number: int, *, select: bool = True) -> None:
        """Have this line on screen, a third from the top where it was not."""
        self.following = False
        if select:
            self.selected = (number, number)
            self._anchor = number
        if number not in self._on_screen:
            place = self.ring.place(number)
            room = self.page // 3
            while place > 0 and (room := room - len(self._rows_at(place - 1))) >= 0:
                place -= 1
            self._top = (self.ring.number(place), 0)
        self._redraw_all()
        self.post_message(self.Moved())

    def action_select(self, count: int) -> None:
        """Select from the last line on screen, or have the selection grow or shrink."""
        if not self.ring.count:
            return
        if self.selected is None or self._anchor is None:
            self._select(*([self._on_screen[-1]] * 2))
            return
        first, last = self.selected
        moving = first if last == self._anchor and first != last else last if first != last else self._anchor
        place = max(0, min(self.ring.place(moving) + count, self.ring.count - 1))
        self._select(self._anchor, self.ring.number(place))
        if self.ring.number(place) not in self._on_screen:
            self.action_scroll_rows(count)

    def _select(self, anchor: int, end: int) -> None:
        self._anchor = anchor
        self.selected = (min(anchor, end), max(anchor, end))
        if self.following:
            self.following = False
        self._redraw_all()
        self.post_message(self.Moved())

    def unselect(self) -> bool:
        if self.selected is None:
            return False
        self.selected = self._anchor = None
        self._redraw_all()
        self.post_message(self.Moved())
        return True

    def chosen(self) -> list[int]:
        """Numbers of the selected lines, or of those on screen."""
        if self.selected is None:
            return list(dict.fromkeys(self._on_screen))
        first, last = (self.ring.place(number) for number in self.selected)
        return [self.ring.number(place) for place in range(first, min(last + 1, self.ring.count))]

    @property
    def first_on_screen(self) -> int | None:
        return self._on_screen[0] if self._on_screen else None

    # -- drawing ------------------------------------------------------------------------------------------------

    def redraw(self) -> None:
        """Draw what is on screen now; nothing is sent where nothing differs."""
        if not self.is_attached or not self.size:
            return
        before = self._window
        self._lay_out()
        changed = sum(old is not new for old, new in zip(before, self._window, strict=False))
        if changed > _MANY_CHANGED or len(before) != len(self._window):
            self.refresh()
        else:
            self.repaint()

    def _redraw_all(self) -> None:
        self._drawn.clear()
        self.redraw()

    def restyle(self) -> None:
        self._drawn.clear()
        self._lay_out()

    def on_resize(self) -> None:
        self._redraw_all()

    def on_focus(self) -> None:
        self._redraw_all()

    def on_blur(self) -> None:
        self._redraw_all()

    def _lay_out(self) -> None:
        ring, page = self.ring, self.page
        if len(self._drawn) > 8 * page:
            self._drawn = {number: drawn for number, drawn in self._drawn.items() if number in self._on_screen}
        found: list[tuple[int, Strip]] = []
        if not self.following:
            gone = self._top[0] < ring.base
            found = self._down(ring.place(self._top[0]), 0 if gone else self._top[1])
            if len(found) < page and found and (ring.place(found[0][0]) or self._top[1]):
                self.following, found = True, []
        if self.following:
            for place in range(ring.count - 1, -1, -1):
                number = ring.number(place)
                drawn = self._rows_of(number)
                found[:0] = [(number, strip) for strip in drawn[-(page - len(found)) :]]
                if len(found) >= page:
                    break
        if found:
            first, rest = found[0][0], len(self._rows_of(found[0][0]))
            row = rest - sum(number == first for number, _ in found) if self.following else self._top[1]
            self._top = (first, min(row, rest - 1) if first == self._top[0] or self.following else 0)
        self._on_screen = [number for number, _ in found]
        self._window = [strip for _, strip in found]

    def _down(self, place: int, row: int) -> list[tuple[int, Strip]]:
        found: list[tuple[int, Strip]] = []
        while place < self.ring.count and len(found) < self.page:
            number = self.ring.number(place)
            drawn = self._rows_of(number)
            found += [(number, strip) for strip in drawn[min(row, len(drawn) - 1) :]]
            place, row = place + 1, 0
        return found[: self.page]

    def _rows_at(self, place: int) -> list[Strip]:
        return self._rows_of(self.ring.number(place))

    def _rows_of(self, number: int) -> list[Strip]:
        drawn = self._drawn.get(number)
        if drawn is None:
            drawn = self._drawn[number] = self._line_rows(number)
        return drawn

    def _line_rows(self, number: int) -> list[Strip]:
        """The rows of one line."""
        at = number - self.ring.base
        picked = ""
        if self.selected is not None and self.selected[0] <= number <= self.selected[1]:
            picked = "one" if self.selected[0] == self.selected[1] else "many"
        width = max(1, self.size.width - 1)
        return self._painter.rows(self.ring.texts[at], self.ring.stamps[at], self.ring.tags[at], width, picked)

    def line(self, y: int) -> Strip:
        width = self.size.width
        if y < len(self._window):
            strip = self._window[y]
            if strip.cell_length != width - 1:
                strip = strip.adjust_cell_length(width - 1, self.ink())
        elif y == 0 and not self.ring.count:
            text, tone = self._message
            strip = Strip(self.segments([(f" {text}", tone)], width - 1), width - 1)
        else:
            strip = Strip(self.segments([], width - 1), width - 1)
        return Strip([*strip, Segment(self._bar(y), self.ink("", "bar"))], width)

    def _bar(self, y: int) -> str:
        count, shown = self.ring.count, len(set(self._on_screen))
        if shown >= count or not self._on_screen:
            return " "
        page = self.page
        length = max(1, page * shown // count)
        spare = max(1, count - shown)
        start = round(self.ring.place(self._on_screen[0]) / spare * (page - length))
        return self.glyphs.thumb if start <= y < start + length else self.glyphs.track

    # -- the mouse ----------------------------------------------------------------------------------------------

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_scroll_rows(_WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_scroll_rows(-_WHEEL)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and offset.y < len(self._on_screen) and offset.x < self.size.width - 1:
            self._dragging = True
            self.capture_mouse()
            self._select(self._on_screen[offset.y], self._on_screen[offset.y])

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging and self._anchor is not None and self._on_screen:
            y = max(0, min(event.get_content_offset_capture(self).y, len(self._on_screen) - 1))
            if self.selected is None or self._on_screen[y] not in self.selected:
                self._select(self._anchor, self._on_screen[y])

    def on_mouse_up(self) -> None:
        if self._dragging:
            self._dragging = False
            self.release_mouse()
