"""A table known by its rows' keys: cached strips, and only the cells that changed are written to the terminal."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from widgets.columns import Cell, Column, Row, Slot, arrange
from widgets.glyphs import BRAILLE, Glyphs
from widgets.lines import join
from widgets.scrolling import CursorLines
from widgets.text import fit, fit_runs, width_of, wrap
from widgets.tones import Ground, Tone

__all__ = ["Cell", "Column", "Row", "Table"]

_GUTTER = 1
_CACHE_LIMIT = 1024


class Table(CursorLines, can_focus=True):
    """Rows in the order given, one selected (the cursor's), any number marked. Scrolls; its header does not."""

    fixed_lines = 1

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", id="table.down", show=False),
        Binding("up,k", "move(-1)", "Up", id="table.up", show=False),
        Binding("pagedown", "page(1)", "Page down", id="table.page_down", show=False),
        Binding("pageup", "page(-1)", "Page up", id="table.page_up", show=False),
        Binding("home,g", "first", "First row", id="table.first", show=False),
        Binding("end,G", "last", "Last row", id="table.last", show=False),
        Binding("enter", "open", "Open", id="table.open", show=False),
    ]

    class Selected(Message):
        """The cursor is on another key now, by the user or because the rows changed. None: no rows."""

        def __init__(self, table: Table, key: Hashable | None) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> Table:
            return self.table

    class Opened(Message):
        """Enter or a double click on a row."""

        def __init__(self, table: Table, key: Hashable) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> Table:
            return self.table

    class Scrolled(Message):
        """Other rows are on screen now, and the cursor has not moved."""

        def __init__(self, table: Table) -> None:
            super().__init__()
            self.table = table

        @property
        def control(self) -> Table:
            return self.table

    class SortRequested(Message):
        """A click on a column's title."""

        def __init__(self, table: Table, column_id: str) -> None:
            super().__init__()
            self.table = table
            self.column_id = column_id

        @property
        def control(self) -> Table:
            return self.table

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        id: str | None = None,  # noqa: A002
        classes: str | None = None,
        glyphs: Glyphs = BRAILLE,
    ) -> None:
        super().__init__(id=id, classes=classes, glyphs=glyphs)
        self._columns = tuple(columns)
        self._rows: list[Row] = []
        self._index: dict[Hashable, int] | None = None
        self._cursor = -1
        self._marks: frozenset[Hashable] = frozenset()
        self._sort: tuple[str | None, bool] = (None, False)
        self._message: tuple[tuple[str, Tone], ...] = ()
        self._message_lines: tuple[int, list[tuple[str, Tone]]] = (-1, [])
        self._slots: tuple[int, tuple[Slot, ...]] = (-1, ())
        self._strips: dict[tuple[Hashable, Ground, bool], tuple[Row, int, Strip]] = {}

    @property
    def rows(self) -> Sequence[Row]:
        """All rows in display order."""
        return tuple(self._rows)

    @property
    def row_count(self) -> int:
        return len(self._rows)

    @property
    def cursor_index(self) -> int:
        """The cursor's row, from 0; -1 when there are no rows."""
        return self._cursor

    @property
    def cursor_key(self) -> Hashable | None:
        return self._rows[self._cursor].key if self._rows else None

    @property
    def marks(self) -> frozenset[Hashable]:
        return self._marks

    @property
    def columns(self) -> Sequence[Column]:
        return self._columns

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Other columns; rows set before are drawn by them, so set rows of the new shape next."""
        if tuple(columns) == self._columns:
            return
        self._columns = tuple(columns)
        self._slots = (-1, ())
        self._strips.clear()
        self.repaint()

    def set_rows(self, rows: Sequence[Row]) -> None:
        """All rows, in display order.

        The cursor stays on its key wherever that is now, or at its index when the key is gone. Marks of keys that
        are gone are dropped.
        """
        old_key, old_cursor = self.cursor_key, self._cursor
        self._rows = list(rows)
        self._index = None
        if not self._rows:
            self._cursor = -1
        else:
            found = self._find(old_key) if old_cursor >= 0 else None
            self._cursor = max(0, min(old_cursor, len(self._rows) - 1)) if found is None else found
        if self._marks:
            self._marks = self._marks.intersection(self._indexed())
        self.settle()
        self.repaint()
        if self.cursor_key != old_key:
            self.post_message(self.Selected(self, self.cursor_key))

    def update_rows(self, rows: Iterable[Row]) -> None:
        """Other contents for rows that are there; the order stays, unknown keys are ignored."""
        index = self._indexed()
        changed = False
        for row in rows:
            at = index.get(row.key)
            if at is not None:
                self._rows[at] = row
                changed = changed or 0 <= at - self._top < self.page
        if changed:
            self.repaint()

    def select(self, key: Hashable) -> bool:
        """Move the cursor to the row of this key and show it; whether there is one."""
        at = self._find(key)
        if at is None:
            return False
        self._move_to(at)
        return True

    def set_marks(self, keys: Iterable[Hashable]) -> None:
        """Mark exactly the rows of these keys; keys without a row are left out."""
        self._marks = frozenset(keys)
        if self._marks:
            self._marks = self._marks.intersection(self._indexed())
        self.repaint()

    def keys_on_screen(self) -> tuple[Hashable, ...]:
        """Keys of the rows that are on screen now, from the top."""
        return tuple(row.key for row in self._rows[self._top : self._top + self.page])

    def set_sort(self, column_id: str | None, descending: bool = False) -> None:
        """The column whose title carries the arrow; the rows come sorted already."""
        if self._sort != (column_id, descending):
            self._sort = (column_id, descending)
            self.repaint()

    def set_message(self, lines: Sequence[tuple[str, Tone]]) -> None:
        """What is said in place of rows when there are none."""
        if tuple(lines) != self._message:
            self._message = tuple(lines)
            self._message_lines = (-1, [])
            self.repaint()

    def scroll_to_top(self, top: int) -> None:
        before = self._top
        super().scroll_to_top(top)
        if self._top != before:
            self.post_message(self.Scrolled(self))

    def cursor_line(self) -> int | None:
        return self._cursor if self._rows else None

    def total_lines(self) -> int:
        return len(self._rows)

    def head_line(self, y: int, width: int) -> Strip:
        del y
        sorted_by, descending = self._sort
        arrow = self.glyphs.sort_down if descending else self.glyphs.sort_up
        parts: list[str] = []
        at = 0
        for slot in self._arranged(width):
            column = self._columns[slot.index]
            title = column.title
            if column.id == sorted_by:
                title = fit(title, min(width_of(title), slot.width - 1), ellipsis=self.glyphs.ellipsis) + arrow
            parts.append(" " * (slot.x - at) + fit(title, slot.width, column.align, self.glyphs.ellipsis))
            at = slot.x + slot.width
        return Strip([Segment("".join(parts) + " " * (width - at), self.ink("", "header"))], width)

    def body_line(self, index: int, width: int) -> Strip:
        row = self._rows[index]
        ground: Ground = "faded" if row.faded else ""
        if index == self._cursor:
            ground = self.cursor_ground
        marked = row.key in self._marks
        key = (row.key, ground, marked)
        cached = self._strips.get(key)
        if cached is not None and cached[1] == width and (cached[0] is row or cached[0] == row):
            return cached[2]
        if len(self._strips) >= _CACHE_LIMIT:
            self._strips.clear()
        strip = self._row_strip(row, ground, marked, width)
        self._strips[key] = (row, width, strip)
        return strip

    def empty_line(self, y: int, width: int) -> Strip:
        if self._rows or not self._message:
            return super().empty_line(y, width)
        if self._message_lines[0] != width:
            lines = [(line, tone) for text, tone in self._message for line in wrap(text, width - 2, 200)]
            self._message_lines = (width, lines)
        lines = self._message_lines[1]
        if y >= len(lines):
            return super().empty_line(y, width)
        text, tone = lines[y]
        return Strip(self.segments([(" ", ""), (text, tone)], width), width)

    def restyle(self) -> None:
        self._strips.clear()

    def _row_strip(self, row: Row, ground: Ground, marked: bool, width: int) -> Strip:
        ink = self.ink
        base = ink("", ground)
        runs = [(self.glyphs.mark, ink("accent", ground)) if marked else (" ", base)]
        at = _GUTTER
        cells = row.cells
        for slot in self._arranged(width):
            if slot.x > at:
                runs.append((" " * (slot.x - at), base))
            at = slot.x + slot.width
            if slot.index >= len(cells):
                runs.append((" " * slot.width, base))
                continue
            cell, align = cells[slot.index], self._columns[slot.index].align
            room = slot.width
            if row.indent and slot.index == 0:
                indent = min(row.indent, room // 2)
                runs.append((" " * indent, base))
                room -= indent
            if cell.spans:
                styled = [(text, ink(tone, ground)) for text, tone in cell.spans]
                runs.extend(fit_runs(styled, room, base, align, self.glyphs.ellipsis))
            else:
                text = fit(cell.text, room, align, self.glyphs.ellipsis)
                runs.append((text, ink(cell.tone, ground) if cell.text else base))
        runs.append((" " * (width - at), base))
        return Strip(join(runs), width)

    def _arranged(self, width: int) -> tuple[Slot, ...]:
        if self._slots[0] != width:
            self._slots = (width, arrange(self._columns, width - _GUTTER, _GUTTER))
        return self._slots[1]

    def _indexed(self) -> dict[Hashable, int]:
        """Row indexes by key, made when first asked for: hashing 10,000 keys is the dearest part of an update."""
        if self._index is None:
            self._index = {row.key: at for at, row in enumerate(self._rows)}
        return self._index

    def _find(self, key: Hashable) -> int | None:
        if self._index is not None:
            return self._index.get(key)
        for at, row in enumerate(self._rows):
            if row.key is key:
                return at
        return self._indexed().get(key)

    def _move_to(self, index: int) -> None:
        if not self._rows:
            return
        index = max(0, min(index, len(self._rows) - 1))
        moved = index != self._cursor
        self._cursor = index
        self.follow_cursor()
        self.repaint()
        if moved:
            self.post_message(self.Selected(self, self.cursor_key))

    def action_open(self) -> None:
        if self._rows:
            self.post_message(self.Opened(self, self._rows[self._cursor].key))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or offset.x >= self.line_width:
            return
        if offset.y < self.fixed_lines:
            for slot in self._arranged(self.line_width):
                if slot.x <= offset.x < slot.x + slot.width + 1:
                    self.post_message(self.SortRequested(self, self._columns[slot.index].id))
                    return
            return
        index = self._top + offset.y - self.fixed_lines
        if index < len(self._rows):
            self._move_to(index)
            if event.chain == 2:
                self.action_open()
