"""Commands of the log an engine writes of a VM."""

from __future__ import annotations

from collections.abc import Sequence

from backends.model import Item
from tui.engine_log_view import EngineLogView
from tui.handlers.log_area import LogArea


class EngineLogArea(LogArea):
    at_once = True

    @property
    def view(self) -> EngineLogView:
        found = self.main.views["engine-log"]
        assert isinstance(found, EngineLogView)  # noqa: S101
        return found

    async def open(self, items: Sequence[Item]) -> None:
        await self.main.show_view("engine-log")
        self.view.show(items[0])
