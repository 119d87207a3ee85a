"""A VM's disks, media, network adapters and forwarded ports, to look at; u opens its settings, and so does Enter."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.widget import Widget

from backends.abilities.editing import Editing, Settings
from backends.model import Item
from tui.settings_view import hardware_rows
from tui.tabs import TabSpec
from tui.tabs.asking import AskingTab
from widgets.table import Column, Table

if TYPE_CHECKING:
    from tui.details import Details

_COLUMNS = (
    Column("section", "SECTION", 8),
    Column("what", "PART", 10, flex=1),
    Column("value", "WHAT", 20, flex=5),
)


class HardwareTab(AskingTab):
    every: ClassVar[float | None] = 20.0

    def __init__(self, spec: TabSpec, frame: Details) -> None:
        self.table = Table(_COLUMNS, id="tab-hardware-parts", glyphs=frame.look().glyphs)
        super().__init__(spec, frame, self.table)

    def question(self, item: Item) -> object:
        return item.ref, getattr(item, "snapshots", 0), getattr(item, "state", None)

    async def ask(self, item: Item) -> tuple[Settings, dict[str, str]]:
        able = self.frame.able(item.ref.engine, Editing)
        return await able.settings(item.ref), dict(await able.networks())

    def show_waiting(self) -> None:
        self.show_failure("asking the engine ...")

    def show_failure(self, reason: str) -> None:
        self.table.set_message([(reason, "dim")])
        self.table.set_rows([])

    def show_answer(self, item: Item, answer: tuple[Settings, dict[str, str]]) -> None:
        del item
        self.table.set_message([("It has no disks, no drives and no adapters.", "dim")])
        self.table.set_rows(hardware_rows(*answer))

    def main_widget(self) -> Widget:
        return self.table

    @on(Table.Opened)
    async def _opened(self, event: Table.Opened) -> None:
        event.stop()
        if self._item is not None:
            await self.frame.boxtop.run_command("settings.open", [self._item])
