"""Commands of the details' tabs."""

from __future__ import annotations

from collections.abc import Sequence

from backends.model import Item
from tui.handlers.area import Area
from tui.tabs.environment import EnvironmentTab
from tui.tabs.processes import ProcessesTab
from widgets.picker import Picker, PickItem


class Show(Area):
    """Each brings one tab to the front."""

    at_once = True

    def stats(self, items: Sequence[Item]) -> None:
        self._show("stats", items)

    def processes(self, items: Sequence[Item]) -> None:
        self._show("processes", items)

    def changes(self, items: Sequence[Item]) -> None:
        self._show("changes", items)

    def environment(self, items: Sequence[Item]) -> None:
        self._show("environment", items)

    def mounts(self, items: Sequence[Item]) -> None:
        self._show("mounts", items)

    def networks(self, items: Sequence[Item]) -> None:
        self._show("networks", items)

    def ports(self, items: Sequence[Item]) -> None:
        self._show("ports", items)

    def health(self, items: Sequence[Item]) -> None:
        self._show("health", items)

    def _show(self, tab: str, items: Sequence[Item]) -> None:
        self.main.active.table.select(items[0].ref)
        self.main.open_details(tab)


class EnvironmentArea(Area):
    at_once = True

    def reveal(self) -> None:
        tab = self.main.details.current
        if isinstance(tab, EnvironmentTab) and (said := tab.reveal()):
            self.main.say(said)


class ProcessesArea(Area):
    at_once = True

    def sort(self) -> None:
        tab = self.main.details.current
        if isinstance(tab, ProcessesTab):
            entries = [PickItem(title, title, "current" if title == tab.sort_id else "") for title in tab.titles]
            self.app.push_screen(Picker("Sort processes by", entries, glyphs=self.glyphs), tab.sort_by)

    def reverse(self) -> None:
        tab = self.main.details.current
        if isinstance(tab, ProcessesTab):
            tab.reverse()
