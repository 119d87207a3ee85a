"""Charts over one another whose times agree: one width for all labels, and one time axis where height lacks."""

from __future__ import annotations

from textual import events
from textual.containers import Vertical

from widgets.charts import Chart

_TALL = 6
"""Lines from which on each chart has a time axis of its own."""


class ChartStack(Vertical):
    """Shares its height among the charts shown; call `align` after data was set."""

    DEFAULT_CSS = """
    ChartStack > Chart { height: 1fr; min-height: 3; }
    """

    def __init__(self, *charts: Chart, id: str | None = None) -> None:  # noqa: A002
        super().__init__(*charts, id=id)
        self._charts = charts

    def align(self) -> None:
        shown = [chart for chart in self._charts if chart.display and chart.size.width]
        if not shown:
            return
        axis = max(chart.label_width() for chart in shown)
        tight = any(chart.size.height < _TALL for chart in shown)
        for chart in shown:
            chart.set_shape(axis, time_axis=not tight or chart is shown[-1])

    def on_resize(self, event: events.Resize) -> None:
        del event
        self.call_after_refresh(self.align)
