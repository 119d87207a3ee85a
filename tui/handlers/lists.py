"""Commands of a list, of which one is on screen: marking, filtering, sorting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tui.commands import BY_ID, Command
from tui.handlers.area import Area
from tui.selection import Filter
from widgets.picker import Picker, PickItem


class Lists(Area):
    at_once = True

    def method_of(self, command: Command) -> Callable[..., Any]:
        """A list that nobody sees is neither marked nor ordered anew."""
        return super().method_of(command) if self.main.listing else self._say_none_is_shown

    def _say_none_is_shown(self) -> None:
        self.main.say("No list of boxes or images is shown here: 1 containers, 2 VMs, 3 images.")

    def mark(self) -> None:
        self.main.active.toggle_mark()
        self.main.draw_keys()

    def mark_all(self) -> None:
        self.main.active.toggle_all_marks()
        self.main.draw_keys()

    async def filter(self) -> None:
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

    def group(self) -> None:
        pane = self.main.active
        if not pane.groupable:
            self.main.say("Containers and VMs have groups: press 1, 2 or 0 first.")
            return
        pane.set_grouped(not pane.grouped)
        self.main.draw_keys()

    def fold(self) -> None:
        if self._grouped():
            self.main.active.step_out()

    def unfold(self) -> None:
        if self._grouped():
            self.main.active.step_in()

    def fold_all(self) -> None:
        if self._grouped():
            self.main.active.fold_all()
        elif self.main.active.groupable and not self.main.active.grouped:
            self.main.say(f"The list is not grouped: {self.app.keymap.first(BY_ID['list.group'])} groups it.")

    def _grouped(self) -> bool:
        """Whether a grouped list has the keyboard."""
        return self.main.active.grouped and self.main.active.table.has_focus
