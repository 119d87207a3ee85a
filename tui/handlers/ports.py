"""Opening published ports in a browser."""

from __future__ import annotations

from collections.abc import Sequence

from backends.model import Container, Item
from backends.particulars import PortEntry
from tui.addresses import Address, address_of
from tui.browser import open_url
from tui.handlers.area import Area
from tui.tabs.ports import PortsTab
from widgets.picker import Picker, PickItem


class PortsArea(Area):
    async def open(self, items: Sequence[Item]) -> None:
        item = items[0]
        if not isinstance(item, Container):
            return
        address = self._under_cursor(item) or await self._chosen(item)
        if address is None:
            return
        if address.url and await open_url(address.url):
            self.main.say(f"Opened {address.url}.")
            return
        self.app.copy_to_clipboard(address.url or address.text)
        why = f"{address.reason}: copied" if address.reason else "No browser can be opened from here: copied"
        self.main.say(f"{why} {address.url or address.text} (if the terminal takes OSC 52).")

    def _under_cursor(self, item: Container) -> Address | None:
        """In the Ports tab it is the port there."""
        tab = self.main.details.tab_with_keyboard
        if isinstance(tab, PortsTab) and self.main.details.item == item:
            return tab.address
        return None

    async def _chosen(self, item: Container) -> Address | None:
        info = self.app.store.engines[item.ref.engine].info
        found: dict[str, tuple[PortEntry, Address]] = {}
        for port in item.ports:
            entry = PortEntry(port.port, port.protocol, port.host_ip, port.host_port)
            address = address_of(entry, info.url if info else "")
            if address is not None:
                # IPv4 and IPv6 of one port are one address
                found.setdefault(address.url or f"{address.text}/{port.protocol}", (entry, address))
        if len(found) == 1:
            return next(iter(found.values()))[1]
        entries = [
            PickItem(key, address.url or address.text, address.reason or f"port {entry.port}/{entry.protocol}")
            for key, (entry, address) in found.items()
        ]
        chosen = await self.ask(Picker(f"Open which port of {item.name}?", entries, glyphs=self.glyphs))
        return found[chosen][1] if chosen else None
