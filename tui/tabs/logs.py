"""The end of a container's log, followed while the tab is in view."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import on
from textual.widget import Widget

from backends.log_text import pieces
from backends.model import Container, Item
from tui.log_sources import TAIL, LogSources
from tui.tabs import TabSpec
from tui.tabs.asking import CALM
from tui.tabs.tab import Tab
from widgets.log_view import LogView

if TYPE_CHECKING:
    from tui.details import Details


class LogsTab(Tab):
    """Its stream is open only while the tab is in view, and only once the selection rests."""

    def __init__(self, spec: TabSpec, frame: Details) -> None:
        self.log_view = LogView(pieces, glyphs=frame.look().glyphs)
        super().__init__(spec, frame, self.log_view)
        store = frame.look().store
        self._sources = LogSources(store, frame.able, self.log_view.add, lambda: None, lambda: frame.look().now)
        self._item: Container | None = None
        self._opening: asyncio.Task[None] | None = None

    def draw(self, item: Item) -> None:
        if not isinstance(item, Container):
            return
        if self._item is not None and self._item.ref == item.ref:
            self._sources.wake()
            return
        self._end()
        self._item = item
        self.log_view.clear()
        self.log_view.set_message("waiting for lines ...")
        self._opening = asyncio.create_task(self._open(item), name=self.place)

    async def _open(self, item: Container) -> None:
        await asyncio.sleep(CALM)
        self._sources.open([item])

    def left(self) -> None:
        if self._item is not None:
            self._end()
            self.log_view.clear()

    def on_unmount(self) -> None:
        self._end()

    def _end(self) -> None:
        self._item = None
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        self._sources.close()

    @on(LogView.TopReached)
    def _older_wanted(self) -> None:
        ring = self.log_view.ring
        if ring.stamps and ring.has_room(TAIL):
            self._sources.reach_back(ring.stamps[0])

    def main_widget(self) -> Widget:
        return self.log_view
