"""A tab with one table of the engine's answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.widget import Widget

from backends.model import Item
from tui.tabs import TabSpec
from tui.tabs.asking import AskingTab
from widgets.line import Line
from widgets.table import Table

if TYPE_CHECKING:
    from tui.details import Details


class TableTab(AskingTab):
    """The table, below a line that sums it up where there is one."""

    DEFAULT_CSS = """
    TableTab > Line { background: $surface; }
    """

    def __init__(self, spec: TabSpec, frame: Details, table: Table, head: Line | None = None) -> None:
        self.table = table
        self._head = head
        super().__init__(spec, frame, *((head,) if head is not None else ()), table)

    def show_waiting(self) -> None:
        self.show_failure("asking the engine ...")

    def show_failure(self, reason: str) -> None:
        if self._head is not None:
            self._head.set_parts([])
        self.table.set_message([(reason, "dim")])
        self.table.set_rows([])

    def main_widget(self) -> Widget:
        return self.table


class MachineTab(TableTab):
    """Parts of a VM, to look at; Enter leads to the view in which they are acted on."""

    opens: ClassVar[str]
    """The command of that view."""

    def question(self, item: Item) -> object:
        return item.ref, getattr(item, "snapshots", 0), getattr(item, "state", None)

    @on(Table.Opened)
    async def _opened(self, event: Table.Opened) -> None:
        event.stop()
        if self._item is not None:
            await self.frame.boxtop.run_command(self.opens, [self._item])
