"""VMs started in windows of the desktop boxtop runs on."""

from __future__ import annotations

from collections.abc import Sequence

from backends.abilities.windows import Windows
from backends.model import Item
from tui.handlers.area import Area


class WindowsArea(Area):
    async def start(self, items: Sequence[Item]) -> None:
        await self.each(items, lambda item: self.able(item.ref.engine, Windows).start(item.ref), "start in a window")
