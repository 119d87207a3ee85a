"""Charts over one another: their times agree, whatever their labels, and their headings fit."""

import pytest
from textual.app import App, ComposeResult

from widgets.chart_stack import ChartStack
from widgets.charts import Chart
from widgets.tabs import TabStrip


class StackApp(App[None]):
    def compose(self) -> ComposeResult:
        self.first = Chart("CPU", unit_format=lambda value: f"{value:.0f}%", top=1.0)
        self.second = Chart("Memory", unit_format=lambda value: f"{value:.0f} mebibytes")
        yield TabStrip()
        yield ChartStack(self.first, self.second)

    def lines(self, chart: Chart) -> list[str]:
        return [chart.line(y).text for y in range(chart.size.height)]


def filled(app: StackApp) -> None:
    app.first.set_data([0.5] * 300, 2.0, note="50% of limit")
    app.second.set_data([700.0] * 300, 2.0, second=[3.0] * 300, legend=("used", "cache"), note="7% of limit")
    app.query_one(ChartStack).align()


@pytest.mark.parametrize("size", [(100, 30), (63, 40), (80, 9), (40, 12)])
async def test_the_time_axes_agree(size):
    app = StackApp()
    async with app.run_test(size=size) as pilot:
        filled(app)
        await pilot.pause()
        first, second = app.lines(app.first), app.lines(app.second)
        ticks = [next(line for line in lines if "┤" in line).index("┤") for lines in (first, second)]
        assert ticks[0] == ticks[1]
        axes = [[line for line in lines if "└" in line] for lines in (first, second)]
        assert len(axes[1]) == 1
        if size[1] >= 20:
            assert axes[0] == axes[1]
        else:
            assert not axes[0]
        assert all(len(line) == size[0] for line in first + second)


async def test_headings_use_the_room_there_is():
    app = StackApp()
    async with app.run_test(size=(150, 30)) as pilot:
        filled(app)
        assert "used  now 700 mebibytes" in app.lines(app.second)[0]
        assert "cache  now 3 mebibytes" in app.lines(app.second)[0]
        assert app.lines(app.second)[0].rstrip().endswith("7% of limit")
        await pilot.resize_terminal(70, 30)
        await pilot.pause()
        heading = app.lines(app.second)[:2]
        assert "used  now 700 mebibytes" in heading[0] and "cache  now 3 mebibytes" in heading[1]
        await pilot.resize_terminal(70, 10)
        await pilot.pause()
        assert "used 700 mebibytes avg" in app.lines(app.second)[0]
        assert "now" not in app.lines(app.second)[0]


TABS = [
    ("o", "Overview", "Over"),
    ("l", "Logs", "Logs"),
    ("p", "Processes", "Proc"),
    ("e", "Environment", "Env"),
    ("i", "Inspect", "Insp"),
]


@pytest.mark.parametrize(
    ("width", "active", "shown"),
    [
        (60, "p", " Overview  Logs [Processes] Environment  Inspect"),
        (40, "p", " Over Logs[Processes]Env Insp"),
        (25, "p", " Over Logs[Proc]Env Insp"),
        (14, "i", "…Env[Insp]"),
        (14, "o", "[Over]Logs Pr…"),
    ],
)
async def test_tabs_are_abbreviated_and_then_scroll(width, active, shown):
    app = StackApp()
    async with app.run_test(size=(width, 30)):
        strip = app.query_one(TabStrip)
        strip.set_tabs(TABS, active)
        assert strip.line(0).text.rstrip() == shown
