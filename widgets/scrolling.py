"""Lines that scroll within their widget, with fixed lines on top and a scroll bar, and no layout pass for either.

Textual's own virtual size lays the whole screen out anew, and repaints the whole widget, when a row comes or goes.
"""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.strip import Strip

from widgets.lines import LineView
from widgets.tones import Ground

_WHEEL_LINES = 3


class ScrollingLines(LineView):
    """A `LineView` whose lines are `fixed_lines` heads and a window on `total_lines()` body lines."""

    fixed_lines: ClassVar[int] = 0

    DEFAULT_CSS = """
    ScrollingLines { height: 1fr; }
    """

    _top = 0
    _dragging = False
    _following = True

    def cursor_line(self) -> int | None:
        """The body line to keep on screen when lines or size change, unless the user scrolled away from it."""
        return None

    def total_lines(self) -> int:
        """How many body lines there are, on screen or not."""
        raise NotImplementedError

    def body_line(self, index: int, width: int) -> Strip:
        """Body line `index` (from 0) in exactly `width` cells."""
        raise NotImplementedError

    def head_line(self, y: int, width: int) -> Strip:
        """Fixed line `y` in exactly `width` cells."""
        raise NotImplementedError

    def empty_line(self, y: int, width: int) -> Strip:
        """What a window line below the last body line shows; `y` counts from the first line under the heads."""
        del y
        return Strip([Segment(" " * width, self.ink())], width)

    @property
    def top(self) -> int:
        """Index of the first body line on screen."""
        return self._top

    @property
    def page(self) -> int:
        """Body lines that fit on screen; one at least."""
        return max(1, self.size.height - self.fixed_lines)

    @property
    def line_width(self) -> int:
        """Cells a line has for its content, the scroll bar's column taken off when there is one."""
        return max(0, self.size.width - int(self.overflowing))

    @property
    def overflowing(self) -> bool:
        """Whether there are more lines than fit, so that a scroll bar is drawn."""
        return self.total_lines() > self.page

    def scroll_to_top(self, top: int) -> None:
        """Make body line `top` the first on screen, as far as there are enough lines."""
        top = max(0, min(top, self.total_lines() - self.page))
        cursor = self.cursor_line()
        self._following = cursor is not None and top <= cursor < top + self.page
        if top != self._top:
            self._top = top
            self.repaint()

    def follow_cursor(self) -> None:
        """The cursor moved by the user's will: have it on screen, from now on too. Repaints nothing by itself."""
        self._following = True
        self.settle()

    def settle(self) -> None:
        """After the lines or the size changed: keep the window within the lines, and the cursor in the window."""
        page = self.page
        top = self._top
        cursor = self.cursor_line()
        if cursor is not None and self._following:
            top = min(max(top, cursor - page + 1), cursor)
        self._top = max(0, min(top, self.total_lines() - page))

    def line(self, y: int) -> Strip:
        size = self.size
        width = self.line_width
        if y < self.fixed_lines:
            strip = self.head_line(y, width)
        else:
            index = self._top + y - self.fixed_lines
            if index < self.total_lines():
                strip = self.body_line(index, width)
            else:
                strip = self.empty_line(y - self.fixed_lines, width)
        if width == size.width:
            return strip
        return self._with_bar(strip, y, size)

    def _with_bar(self, strip: Strip, y: int, size: Size) -> Strip:
        glyph = " "
        if y >= self.fixed_lines:
            start, end = self._thumb()
            glyph = self.glyphs.thumb if start <= y - self.fixed_lines < end else self.glyphs.track
        return Strip([*strip, Segment(glyph, self.ink("", "bar"))], size.width)

    def _thumb(self) -> tuple[int, int]:
        """First and last + 1 line of the scroll bar's thumb, from the first line under the heads."""
        page, total = self.page, self.total_lines()
        length = max(1, page * page // total)
        spare = total - page
        start = (self._top * (page - length) + spare // 2) // spare
        return start, start + length

    def on_resize(self) -> None:
        # The new size may be painted already, with the window where it was.
        self.settle()
        self.repaint()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_to_top(self._top + _WHEEL_LINES)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_to_top(self._top - _WHEEL_LINES)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        offset = event.get_content_offset(self)
        if offset is not None and self.overflowing and offset.x >= self.line_width and offset.y >= self.fixed_lines:
            self._dragging = True
            self.capture_mouse()
            self._drag_to(offset.y - self.fixed_lines)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging:
            offset = event.get_content_offset_capture(self)
            self._drag_to(offset.y - self.fixed_lines)

    def on_mouse_up(self) -> None:
        if self._dragging:
            self._dragging = False
            self.release_mouse()

    def _drag_to(self, y: int) -> None:
        """Have the thumb's middle at line `y` of the bar."""
        page, total = self.page, self.total_lines()
        start, end = self._thumb()
        length = end - start
        if page > length:
            self.scroll_to_top(round((y - length // 2) * (total - page) / (page - length)))


class CursorLines(ScrollingLines):
    """Lines with a cursor on one of them, moved by keys."""

    _cursor: int
    _focused = False

    def _move_to(self, line: int) -> None:
        """Put the cursor on this line, or the nearest there is, and show it."""
        raise NotImplementedError

    def action_move(self, lines: int) -> None:
        self._move_to(self._cursor + lines)

    def action_page(self, pages: int) -> None:
        self._move_to(self._cursor + pages * max(1, self.page - 1))

    def action_first(self) -> None:
        self._move_to(0)

    def action_last(self) -> None:
        self._move_to(self.total_lines() - 1)

    def on_focus(self) -> None:
        self._focused = True
        self.repaint()

    def on_blur(self) -> None:
        self._focused = False
        self.repaint()

    @property
    def cursor_ground(self) -> Ground:
        """What the cursor's line stands on: a mark that is fainter while the keys go elsewhere."""
        return "cursor" if self._focused else "cursor-blurred"
