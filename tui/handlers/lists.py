"""Commands of a list: marking, filtering, sorting."""

from __future__ import annotations

from tui.handlers.area import Area
from tui.selection import Filter
from widgets.picker import Picker, PickItem


class Lists(Area):
    at_once = True

    def mark(self) -> None:
        self.main.active.toggle_mark()
        self.main.draw_keys()

    def mark_all(self) -> None:
        self.main.active.toggle_all_marks()
        self.main.draw_keys()

    async def filter(self) -> None:
        if self.main.listing:
            await self.main.ask_filter()

    def running(self) -> None:
        pane = self.main.active
        pane.set_filter(Filter(pane.filter.text, not pane.filter.only_running))

    def sort(self) -> None:
        pane = self.main.active
        entries = [
            PickItem(field.column.id, field.label, "current" if field.column.id == pane.sort_id else "")
            for field in pane.fields
            if field.column.id != "cpu_history"
        ]

        def sort(chosen: str | None) -> None:
            if chosen:
                pane.sort_by(chosen)

        self.app.push_screen(Picker(f"Sort {pane.noun} by", entries, glyphs=self.glyphs), sort)

    def reverse(self) -> None:
        pane = self.main.active
        pane.sort_by(pane.sort_id, descending=not pane.descending)
