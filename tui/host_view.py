"""The host at length: history charts, cores, file systems, engines."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult

from tui.facts import host_facts
from tui.formats import percent, rate, size_long
from tui.rows.fields import Look
from tui.store import Delta
from tui.view import View
from widgets.chart_stack import ChartStack
from widgets.charts import Chart, meter
from widgets.facts import Fact, Facts, Heading
from widgets.table import Cell


class HostView(View):
    place = "host"

    DEFAULT_CSS = """
    HostView { layout: horizontal; }
    HostView > #host-charts { width: 1fr; }
    HostView > Facts { width: 1fr; height: 1fr; }
    """

    def __init__(self, look: Callable[[], Look], interval: float) -> None:
        super().__init__(id="host-view")
        self._look = look
        self._interval = interval
        glyphs = look().glyphs
        self.cpu = Chart("CPU, all cores", unit_format=_share, top=1.0, glyphs=glyphs)
        self.memory = Chart("Memory", unit_format=size_long, top=None, glyphs=glyphs)
        self.network = Chart("Network", unit_format=_rate, top=None, short_format=rate, binary=True, glyphs=glyphs)
        self.disk = Chart("Disk", unit_format=_rate, top=None, short_format=rate, binary=True, glyphs=glyphs)
        self.charts = ChartStack(self.cpu, self.memory, self.network, self.disk, id="host-charts")
        self.facts = Facts(id="host-facts", glyphs=glyphs)

    def compose(self) -> ComposeResult:
        yield self.charts
        yield self.facts

    def focus_content(self) -> None:
        self.facts.focus()

    def apply(self, delta: Delta) -> None:
        if delta.host or delta.engines:
            self.draw()

    def draw(self) -> None:
        look = self._look()
        host = look.store.host
        if not self.display or host is None:
            return
        last = look.store.host_history.last
        each = self._interval
        self.cpu.set_data(last("cpu"), each)
        self.memory.set_data(last("memory_used"), each, top=float(host.memory_total))
        self.network.set_data(last("network_receive"), each, second=last("network_transmit"), legend=("in", "out"))
        self.disk.set_data(last("disk_read"), each, second=last("disk_write"), legend=("read", "write"))
        self.charts.align()
        facts = host_facts(host, look)
        cores = [
            Fact(f"core {number}", Cell(f"{meter(load, 20, look.glyphs)} {percent(load, cores=False):>4}", "accent"))
            for number, load in enumerate(host.cores)
        ]
        self.facts.set_facts([*facts, Heading("Cores"), *cores])


def _share(value: float) -> str:
    return percent(value, cores=False)


def _rate(value: float) -> str:
    return f"{size_long(value)}/s"
