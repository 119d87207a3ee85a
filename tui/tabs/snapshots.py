"""The snapshots of a VM, to look at; S opens the view in which they are acted on, and so does Enter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backends.abilities.snapshots import Snapshots, SnapshotTree
from backends.model import VM, Item
from tui.snapshot_rows import COLUMNS, rows_of
from tui.tabs import TabSpec
from tui.tabs.table_tab import MachineTab
from widgets.line import Line, Part
from widgets.table import Table

if TYPE_CHECKING:
    from tui.details import Details


class SnapshotsTab(MachineTab):
    opens = "snapshots.open"

    def __init__(self, spec: TabSpec, frame: Details) -> None:
        glyphs = frame.look().glyphs
        self._sum = Line(glyphs=glyphs)
        super().__init__(spec, frame, Table(COLUMNS, id="tab-snapshots-tree", glyphs=glyphs), self._sum)

    async def ask(self, item: Item) -> SnapshotTree:
        return await self.frame.able(item.ref.engine, Snapshots).tree(item.ref)

    def show_answer(self, item: Item, answer: SnapshotTree) -> None:
        assert isinstance(item, VM)  # noqa: S101
        count = len(answer.snapshots)
        told = f" {count} snapshot{'' if count == 1 else 's'}" if count else " none yet"
        self._sum.set_parts([Part(told, "strong")], [Part("Enter: take, restore, delete ", "dim", priority=1)])
        look = self.frame.look()
        self.table.set_rows(rows_of(answer, item, look.now, look.glyphs))
