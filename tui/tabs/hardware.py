"""A VM's disks, media, network adapters and forwarded ports, to look at; u opens its settings, and so does Enter."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from backends.abilities.editing import Editing, Settings
from backends.model import Item
from tui.settings_view import hardware_rows
from tui.tabs import TabSpec
from tui.tabs.table_tab import MachineTab
from widgets.table import Column, Table

if TYPE_CHECKING:
    from tui.details import Details

_COLUMNS = (
    Column("section", "SECTION", 8),
    Column("what", "PART", 10, flex=1),
    Column("value", "WHAT", 20, flex=5),
)


class HardwareTab(MachineTab):
    opens = "settings.open"
    every: ClassVar[float | None] = 20.0

    def __init__(self, spec: TabSpec, frame: Details) -> None:
        super().__init__(spec, frame, Table(_COLUMNS, id="tab-hardware-parts", glyphs=frame.look().glyphs))

    async def ask(self, item: Item) -> tuple[Settings, dict[str, str]]:
        able = self.frame.able(item.ref.engine, Editing)
        return await able.settings(item.ref), dict(await able.networks())

    def show_answer(self, item: Item, answer: tuple[Settings, dict[str, str]]) -> None:
        del item
        self.table.set_message([("It has no disks, no drives and no adapters.", "dim")])
        self.table.set_rows(hardware_rows(*answer))
