"""Live load over time, in charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widget import Widget

from backends.model import VM, Item, Usage
from tui.formats import percent, rate, size, size_long
from tui.tabs import TabSpec
from tui.tabs.tab import Tab
from widgets.chart_stack import ChartStack
from widgets.charts import Chart

if TYPE_CHECKING:
    from tui.details import Details


class StatsTab(Tab, can_focus=True):
    def __init__(self, spec: TabSpec, frame: Details) -> None:
        glyphs = frame.look().glyphs
        self.cpu = Chart("CPU", unit_format=percent, top=1.0, glyphs=glyphs)
        self.memory = Chart("Memory", unit_format=size_long, short_format=size, binary=True, glyphs=glyphs)
        self.network = Chart("Network", unit_format=_rate, short_format=rate, binary=True, glyphs=glyphs)
        self.disk = Chart("Block I/O", unit_format=_rate, short_format=rate, binary=True, glyphs=glyphs)
        self.pids = Chart("PIDs", unit_format=_count, glyphs=glyphs)
        self.charts = ChartStack(self.cpu, self.memory, self.network, self.disk, self.pids)
        super().__init__(spec, frame, self.charts)

    def main_widget(self) -> Widget:
        return self

    def draw(self, item: Item) -> None:
        store = self.frame.look().store
        history = store.histories.get(item.ref)
        usage = store.usage.get(item.ref)
        each = self.frame.interval

        def last(field: str) -> list[float | None]:
            return history.last(field) if history else []

        cpu, cache, pids = last("cpu"), last("memory_cache"), last("pids")
        cores = (usage.cpu_limit if usage else None) or float(getattr(item, "cpus", 0) or 1)
        peak = max((value for value in cpu if value is not None), default=0.0)
        limit = usage.memory_limit if usage else item.memory if isinstance(item, VM) else None
        self.cpu.set_data(cpu, each, top=max(cores, peak), note=_cpu_note(usage))
        self.memory.set_data(
            last("memory"),
            each,
            top=limit,
            second=cache or None,
            legend=("used", "file cache"),
            note=_memory_note(usage),
        )
        self.network.set_data(
            last("network_receive"),
            each,
            second=last("network_transmit"),
            legend=("in", "out"),
            note=usage.network_missing if usage else "",
        )
        self.disk.set_data(last("disk_read"), each, second=last("disk_write"), legend=("read", "write"))
        self.pids.display = not isinstance(item, VM)
        if self.pids.display:
            self.pids.set_data(pids, each)
        self.charts.align()


def _cpu_note(usage: Usage | None) -> str:
    """CPU against the limit, where there is one."""
    if usage is None or not usage.cpu_limit:
        return ""
    share = "" if usage.cpu is None else f"{percent(usage.cpu / usage.cpu_limit, cores=False)} of "
    return f"{share}limit {percent(usage.cpu_limit)}"


def _memory_note(usage: Usage | None) -> str:
    if usage is None or not usage.memory_limit:
        return ""
    share = "" if usage.memory is None else f"{percent(usage.memory / usage.memory_limit, cores=False)} of "
    return f"{share}limit {size(usage.memory_limit)}"


def _rate(value: float) -> str:
    return f"{size_long(value)}/s"


def _count(value: float) -> str:
    return f"{value:.0f}"
