"""Live load over time, in charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widget import Widget

from backends.model import VM, Item
from tui.formats import percent, size_long
from tui.tabs import TabSpec
from tui.tabs.tab import Tab
from widgets.charts import Chart

if TYPE_CHECKING:
    from tui.details import Details


class StatsTab(Tab, can_focus=True):
    DEFAULT_CSS = """
    StatsTab > Chart { height: 1fr; min-height: 4; }
    """

    def __init__(self, spec: TabSpec, frame: Details) -> None:
        glyphs = frame.look().glyphs
        self._charts = {
            "cpu": Chart("CPU", unit_format=percent, top=1.0, glyphs=glyphs),
            "memory": Chart("Memory", unit_format=size_long, top=None, glyphs=glyphs),
            "network": Chart("Network", unit_format=_rate, top=None, glyphs=glyphs),
            "disk": Chart("Disk", unit_format=_rate, top=None, glyphs=glyphs),
        }
        super().__init__(spec, frame, *self._charts.values())

    def main_widget(self) -> Widget:
        return self

    def draw(self, item: Item) -> None:
        store = self.frame.look().store
        history = store.histories.get(item.ref)
        usage = store.usage.get(item.ref)
        cores = (usage.cpu_limit if usage else None) or float(getattr(item, "cpus", 0) or 1)

        def last(field: str) -> list[float | None]:
            return history.last(field) if history else []

        cpu = last("cpu")
        peak = max((value for value in cpu if value is not None), default=0.0)
        limit = usage.memory_limit if usage else item.memory if isinstance(item, VM) else None
        each = self.frame.interval
        self._charts["cpu"].set_data(cpu, each, top=max(cores, peak))
        self._charts["memory"].set_data(last("memory"), each, top=limit)
        self._charts["network"].set_data(
            last("network_receive"), each, second=last("network_transmit"), legend=("in", "out")
        )
        self._charts["disk"].set_data(last("disk_read"), each, second=last("disk_write"), legend=("read", "write"))


def _rate(value: float) -> str:
    return f"{size_long(value)}/s"
