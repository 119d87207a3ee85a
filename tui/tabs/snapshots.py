"""The snapshots of a VM, to look at; S opens the view in which they are acted on, and so does Enter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.widget import Widget

from backends.abilities.snapshots import Snapshots, SnapshotTree
from backends.model import VM, Item
from tui.snapshot_rows import COLUMNS, rows_of
from tui.tabs import TabSpec
from tui.tabs.asking import AskingTab
from widgets.line import Line, Part
from widgets.table import Table

if TYPE_CHECKING:
    from tui.details import Details


class SnapshotsTab(AskingTab):
    DEFAULT_CSS = """
    SnapshotsTab > Line { background: $surface; }
    """

    def __init__(self, spec: TabSpec, frame: Details) -> None:
        glyphs = frame.look().glyphs
        self._head = Line(glyphs=glyphs)
        self.table = Table(COLUMNS, id="tab-snapshots-tree", glyphs=glyphs)
        super().__init__(spec, frame, self._head, self.table)

    def question(self, item: Item) -> object:
        return item.ref, getattr(item, "snapshots", 0), getattr(item, "state", None)

    async def ask(self, item: Item) -> SnapshotTree:
        return await self.frame.able(item.ref.engine, Snapshots).tree(item.ref)

    def show_waiting(self) -> None:
        self.show_failure("asking the engine ...")

    def show_failure(self, reason: str) -> None:
        self._head.set_parts([])
        self.table.set_message([(reason, "dim")])
        self.table.set_rows([])

    def show_answer(self, item: Item, answer: SnapshotTree) -> None:
        assert isinstance(item, VM)  # noqa: S101
        count = len(answer.snapshots)
        told = f" {count} snapshot{'' if count == 1 else 's'}" if count else " none yet"
        self._head.set_parts([Part(told, "strong")], [Part("Enter: take, restore, delete ", "dim", priority=1)])
        look = self.frame.look()
        self.table.set_rows(rows_of(answer, item, look.now, look.glyphs))

    def main_widget(self) -> Widget:
        return self.table

    @on(Table.Opened)
    async def _opened(self, event: Table.Opened) -> None:
        event.stop()
        if self._item is not None:
            await self.frame.boxtop.run_command("snapshots.open", [self._item])
