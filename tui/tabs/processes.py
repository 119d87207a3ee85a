"""The processes of a container, as its engine lists them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.widget import Widget

from backends.abilities.inside import Processes, ProcessTable
from backends.base import ActionError
from backends.model import Container, Item, State
from tui.formats import size
from tui.tabs import TabSpec
from tui.tabs.filtered import FilteredTab
from widgets.line import Line, Part
from widgets.table import Cell, Column, Row, Table

if TYPE_CHECKING:
    from tui.details import Details

_LIVE = {State.RUNNING, State.PAUSED, State.STOPPING}
_NUMBERS = {"PID", "PPID", "C", "%CPU", "%MEM", "RSS", "VSZ", "TIME", "ELAPSED", "STIME", "START", "NI", "PRI"}
_COMMANDS = {"COMMAND", "CMD", "ARGS"}
# what goes first where the width lacks; what is not named goes before all of them
_PRIORITIES = {"PID": 0, "USER": 1, "UID": 1, "%CPU": 2, "C": 2, "RSS": 3, "TIME": 4, "ELAPSED": 5, "PPID": 6}
_WIDEST = 12


class ProcessesTab(FilteredTab):
    every: ClassVar[float | None] = 3.0

    DEFAULT_CSS = """
    ProcessesTab > Line { background: $surface; }
    """

    def __init__(self, spec: TabSpec, frame: Details) -> None:
        glyphs = frame.look().glyphs
        self.head = Line(glyphs=glyphs)
        self.table = Table((), glyphs=glyphs)
        self._found = ProcessTable((), ())
        self._widths: tuple[int, ...] = ()
        self.sort_id = ""
        """The title sorted by; empty: the engine's own order."""
        self.descending = False
        super().__init__(spec, frame, self.head, self.table)

    def question(self, item: Item) -> object:
        return item.ref, getattr(item, "state", None)

    async def ask(self, item: Item) -> ProcessTable:
        if isinstance(item, Container) and item.state not in _LIVE:
            raise ActionError(f"No processes: it is {item.state}.")
        return await self.frame.able(item.ref.engine, Processes).processes(item.ref)

    def show_waiting(self) -> None:
        self._show(ProcessTable((), ()), "asking the engine ...")

    def show_failure(self, reason: str) -> None:
        self._show(ProcessTable((), ()), reason)

    def show_answer(self, item: Item, answer: ProcessTable) -> None:
        del item
        self._show(answer, "")

    @property
    def titles(self) -> Sequence[str]:
        return self._found.titles

    def sort_by(self, title: str | None, *, descending: bool | None = None) -> None:
        """By a column; by the same one again: the other way round."""
        if title is None:
            return
        if descending is None:
            descending = not self.descending if title == self.sort_id else title in _NUMBERS and title not in {"PID"}
        self.sort_id, self.descending = title, descending
        self.refilter()

    def reverse(self) -> None:
        if not self.sort_id and self.titles:
            self.sort_id = "PID" if "PID" in self.titles else self.titles[0]
        self.sort_by(self.sort_id, descending=not self.descending)

    def refilter(self) -> None:
        titles, passes = self._found.titles, self.passes
        rows = [row for row in self._found.rows if passes is None or passes(" ".join(row))]
        if self.sort_id in titles:
            at = titles.index(self.sort_id)
            rows.sort(key=lambda row: sort_key(row[at]), reverse=self.descending)
        self.table.set_sort(self.sort_id or None, self.descending)
        pid = titles.index("PID") if "PID" in titles else -1
        seen: set[str] = set()
        made = []
        for number, row in enumerate(rows):
            key = row[pid] if pid >= 0 and row[pid] not in seen else f"#{number}"
            seen.add(key)
            made.append(Row(key, tuple(_cell(title, text) for title, text in zip(titles, row, strict=True))))
        if self.filter_text.strip() and self._found.rows:
            self.table.set_message([("No process matches the filter: Esc clears it.", "dim")])
        self.table.set_rows(made)
        self._draw_head(len(rows))

    def main_widget(self) -> Widget:
        return self.table

    def copied(self) -> tuple[str, str] | None:
        at = self.table.cursor_index
        if at < 0:
            return None
        cells = self.table.rows[at].cells
        texts = [cell.text for title, cell in zip(self.titles, cells, strict=False) if title in _COMMANDS]
        return ("".join(texts) or " ".join(cell.text for cell in cells)), "command"

    @on(Table.SortRequested)
    def _title_clicked(self, event: Table.SortRequested) -> None:
        event.stop()
        self.sort_by(event.column_id)

    def _show(self, found: ProcessTable, message: str) -> None:
        if found.titles != self._found.titles:
            self._widths = ()
        self._found = found
        self.table.set_message([(message, "dim")] if message else [])
        self.table.set_columns(self._columns(found))
        self.refilter()

    def _columns(self, found: ProcessTable) -> list[Column]:
        """As wide as their texts, and never narrower than before, so that nothing jumps from answer to answer."""
        widest = [
            max([len(title) + 1, *(len(_cell(title, row[at]).text) for row in found.rows)])
            for at, title in enumerate(found.titles)
        ]
        before = self._widths or (0,) * len(widest)
        self._widths = tuple(max(least, min(_WIDEST, width)) for least, width in zip(before, widest, strict=True))
        return [
            Column(title, title, 24, flex=1)
            if title in _COMMANDS
            else Column(
                title,
                title,
                width,
                align="right" if title in _NUMBERS else "left",
                priority=_PRIORITIES.get(title, 9),
            )
            for title, width in zip(found.titles, self._widths, strict=True)
        ]

    def _draw_head(self, shown: int) -> None:
        total = len(self._found.rows)
        if not self._found.titles:
            self.head.set_parts([])
            return
        count = f"{shown} of {total}" if shown != total else str(total)
        parts = [Part(f" {count} process{'' if total == 1 else 'es'}", "dim")]
        if self.filter_text.strip():
            parts.append(Part(f"  /{self.filter_text}", "info"))
        glyphs = self.table.glyphs
        arrow = glyphs.sort_down if self.descending else glyphs.sort_up
        order = f"by {self.sort_id} {arrow}" if self.sort_id in self.titles else "in the engine's order"
        self.head.set_parts(parts, [Part(f"{order} ", "dim", priority=1)])


def _cell(title: str, text: str) -> Cell:
    if title == "RSS" and text.isdigit():
        return Cell(size(int(text) * 1024))
    return Cell(text, "" if title in _COMMANDS or title in {"PID", "%CPU"} else "dim")


def sort_key(text: str) -> tuple[int, float, str]:
    """Numbers and times (`[[days-]hours:]minutes:seconds`) by what they mean, and before other texts."""
    days, dash, clock = text.rpartition("-")
    parts = clock.split(":")
    try:
        if len(parts) > 1 or dash:
            total = 0.0
            for part in parts:
                total = total * 60 + float(part)
            return 0, total + 86400 * float(days or 0), ""
        return 0, float(text), ""
    except ValueError:
        return 1, 0.0, text.casefold()
