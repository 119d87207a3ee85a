"""The details of the selected object: Overview, Stats and Inspect."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical

from backends.model import VM, Image, Item, Network, Ref, Volume
from backends.secrets import walk
from tui.facts import facts_of
from tui.formats import percent, size_long
from tui.rows.fields import Look
from tui.selection import name_of
from tui.store import Delta
from widgets.charts import Chart
from widgets.facts import Fact, Facts
from widgets.line import Line, Part
from widgets.table import Cell
from widgets.tabs import TabStrip
from widgets.tree import DataTree, Masked

TABS = (("overview", "Overview"), ("stats", "Stats"), ("inspect", "Inspect"))

_CALM = 0.15
"""Seconds the selection must rest before the engine is asked to inspect it."""


class Details(Vertical):
    """Only the tab in view does any work; Inspect asks the engine, the others draw from the store."""

    DEFAULT_CSS = """
    Details { width: 1fr; }
    Details > Line { height: 1; }
    Details > .title { background: $surface; }
    Details > Facts, Details > DataTree, Details > #stats { height: 1fr; }
    Details > #stats > Chart { height: 1fr; min-height: 4; }
    """

    def __init__(self, look: Callable[[], Look], inspect: Callable[[Ref], Awaitable[Any]], interval: float) -> None:
        super().__init__(id="details")
        self._look = look
        self._inspect = inspect
        self._interval = interval
        self.item: Item | None = None
        self._inspected: Item | None = None
        self._asking: asyncio.Task[None] | None = None
        glyphs = look().glyphs
        self._title = Line(classes="title", glyphs=glyphs)
        self.tabs = TabStrip(glyphs=glyphs)
        self.facts = Facts(glyphs=glyphs)
        self.data_tree = DataTree(glyphs=glyphs)
        self._charts = {
            "cpu": Chart("CPU", unit_format=percent, top=1.0, glyphs=glyphs),
            "memory": Chart("Memory", unit_format=size_long, top=None, glyphs=glyphs),
            "network": Chart("Network", unit_format=_rate, top=None, glyphs=glyphs),
            "disk": Chart("Disk", unit_format=_rate, top=None, glyphs=glyphs),
        }
        self._stats = Vertical(*self._charts.values(), id="stats")
        self.tab = "overview"

    def compose(self) -> ComposeResult:
        yield self._title
        yield self.tabs
        yield self.facts

    def on_mount(self) -> None:
        self.pick("overview")

    def pick(self, tab: str) -> None:
        """Show a tab; one the object does not have falls back to Overview."""
        names = [name for name, _ in self._tabs()]
        self.tab = tab if tab in names else "overview"
        contents = {"overview": self.facts, "stats": self._stats, "inspect": self.data_tree}
        for name, content in contents.items():
            content.display = name == self.tab
            # what is never looked at is never made: styling unused widgets is a good part of a start
            if name == self.tab and self.is_attached and not content.is_attached:
                self.mount(content)
        self.tabs.set_tabs(self._tabs(), self.tab)
        self.draw()

    def step(self, by: int) -> None:
        names = [name for name, _ in self._tabs()]
        self.pick(names[(names.index(self.tab) + by) % len(names)])

    def show(self, item: Item | None) -> None:
        """Turn to another object, or the same one in a newer state."""
        other = (item and item.ref) != (self.item and self.item.ref)
        self.item = item
        if other:
            self.pick(self.tab)
        else:
            self.draw()

    def apply(self, delta: Delta) -> None:
        if self.item is None:
            return
        if self.item.ref in delta.refs or delta.host or delta.engines:
            self.item = self._look().store.get(self.item.ref) or self.item
            self.draw()

    def draw(self) -> None:
        """Draw the tab in view; the widgets send only what differs."""
        if not self.is_on_screen:
            return
        item = self.item
        self._draw_title(item)
        if item is None:
            self.facts.set_facts([Fact("", Cell("Nothing is selected.", "dim"))])
            self.data_tree.set_data({"": "Nothing is selected."}, keep_folds=False)
            self._inspected = None
            return
        match self.tab:
            case "overview":
                self.facts.set_facts(facts_of(item, self._look()))
            case "stats":
                self._draw_charts(item)
            case "inspect":
                self._ask(item)

    @property
    def is_on_screen(self) -> bool:
        return self.is_mounted and self.display and all(node.display for node in self.ancestors_with_self)

    def focus_content(self) -> None:
        """Give the keyboard to the tab in view."""
        {"overview": self.facts, "inspect": self.data_tree}.get(self.tab, self.facts).focus()

    @on(TabStrip.Picked)
    def _picked(self, event: TabStrip.Picked) -> None:
        event.stop()
        self.pick(event.id)

    def _tabs(self) -> tuple[tuple[str, str], ...]:
        stateless = isinstance(self.item, (Image, Volume, Network))
        return tuple(tab for tab in TABS if tab[0] != "stats") if stateless else TABS

    def _draw_title(self, item: Item | None) -> None:
        parts = [Part(f" {name_of(item)}", "strong"), Part(f"  {item.ref.kind}", "dim")] if item else []
        self._title.set_parts(parts)

    def _draw_charts(self, item: Item) -> None:
        store = self._look().store
        history = store.histories.get(item.ref)
        usage = store.usage.get(item.ref)
        cores = (usage.cpu_limit if usage else None) or float(getattr(item, "cpus", 0) or 1)

        def last(field: str) -> list[float | None]:
            return history.last(field) if history else []

        cpu = last("cpu")
        peak = max((value for value in cpu if value is not None), default=0.0)
        limit = usage.memory_limit if usage else item.memory if isinstance(item, VM) else None
        each = self._interval
        self._charts["cpu"].set_data(cpu, each, top=max(cores, peak))
        self._charts["memory"].set_data(last("memory"), each, top=limit)
        self._charts["network"].set_data(
            last("network_receive"), each, second=last("network_transmit"), legend=("in", "out")
        )
        self._charts["disk"].set_data(last("disk_read"), each, second=last("disk_write"), legend=("read", "write"))

    def _ask(self, item: Item) -> None:
        """Inspect the object once for each state it is seen in."""
        if self._inspected == item:
            return
        if self._inspected is None or self._inspected.ref != item.ref:
            self.data_tree.set_data({"": "asking the engine ..."}, keep_folds=False)
        self._inspected = item
        if self._asking:
            self._asking.cancel()
        self._asking = asyncio.create_task(self._fill(item), name="inspect")

    async def _fill(self, item: Item) -> None:
        await asyncio.sleep(_CALM)
        data = await self._inspect(item.ref)
        if self.item and self.item.ref == item.ref:
            self.data_tree.set_data(walk(data, lambda secret: Masked(secret, secret.masked)))

    def refresh_inspect(self) -> None:
        """Ask again, as the user wants it fresh."""
        self._inspected = None
        self.draw()

    def on_unmount(self) -> None:
        if self._asking:
            self._asking.cancel()


def _rate(value: float) -> str:
    return f"{size_long(value)}/s"
