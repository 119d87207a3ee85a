"""A container's ports: published or only exposed, and where they are reached from here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.widget import Widget

from backends.model import Item
from backends.particulars import PortEntry, port_entries
from tui.addresses import Address, address_of
from tui.tabs import TabSpec
from tui.tabs.asking import AskingTab
from widgets.table import Cell, Column, Row, Table

if TYPE_CHECKING:
    from tui.details import Details

_COLUMNS = (
    Column("port", "PORT", 9),
    Column("published", "PUBLISHED AT", 15, flex=1, priority=1),
    Column("address", "FROM HERE", 20, flex=2),
)


class PortsTab(AskingTab):
    def __init__(self, spec: TabSpec, frame: Details) -> None:
        self.table = Table(_COLUMNS, glyphs=frame.look().glyphs)
        self._ports: tuple[PortEntry, ...] = ()
        self._engine = ""
        super().__init__(spec, frame, self.table)

    async def ask(self, item: Item) -> Any:
        return await self.frame.inspected(item)

    def show_waiting(self) -> None:
        self._show((), "asking the engine ...")

    def show_failure(self, reason: str) -> None:
        self._show((), reason)

    def show_answer(self, item: Item, answer: Any) -> None:
        engine = self.frame.look().store.engines.get(item.ref.engine)
        self._engine = engine.info.url if engine and engine.info else ""
        self._show(port_entries(answer), "It has no ports.")

    def main_widget(self) -> Widget:
        return self.table

    @property
    def address(self) -> Address | None:
        """Of the port under the cursor."""
        key = self.table.cursor_key
        return address_of(self._ports[key], self._engine) if isinstance(key, int) else None

    def copied(self) -> tuple[str, str] | None:
        address = self.address
        return (address.url or address.text, "address") if address else None

    def _show(self, ports: tuple[PortEntry, ...], message: str) -> None:
        self._ports = ports
        self.table.set_message([(message, "dim")])
        self.table.set_rows([self._row(number, port) for number, port in enumerate(ports)])

    def _row(self, number: int, port: PortEntry) -> Row:
        address = address_of(port, self._engine)
        if port.host_port is None:
            published = Cell("exposed only", "dim")
        else:
            ip = f"[{port.host_ip}]" if ":" in port.host_ip else port.host_ip or "0.0.0.0"  # noqa: S104
            published = Cell(f"{ip}:{port.host_port or 'any'}", "" if port.live else "dim")
        if address is None:
            reach = Cell("" if port.host_port is None else "when it runs", "dim")
        elif address.reason:
            reach = Cell(f"{address.text}  {address.reason}", "dim")
        else:
            reach = Cell(address.url, "info")
        return Row(number, (Cell(f"{port.port}/{port.protocol}"), published, reach))
