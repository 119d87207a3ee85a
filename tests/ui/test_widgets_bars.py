"""The one-line widgets and the chart: what stays when room lacks, and what a click says."""

from textual.app import App, ComposeResult
from textual.geometry import Region

from widgets.charts import Chart
from widgets.glyphs import ASCII, BLOCK, BRAILLE
from widgets.keybar import Hint, KeyBar
from widgets.line import Line, Part
from widgets.notices import Notices
from widgets.tabs import TabStrip


class BarsApp(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str]] = []

    def compose(self) -> ComposeResult:
        yield Line()
        yield TabStrip()
        yield Notices()
        for glyphs in (BRAILLE, BLOCK, ASCII):
            yield Chart("CPU", unit_format=lambda value: f"{value:.0f} %", top=100, glyphs=glyphs)
        yield KeyBar()

    def on_line_clicked(self, event: Line.Clicked) -> None:
        self.seen.append(("line", event.id))

    def on_key_bar_pressed(self, event: KeyBar.Pressed) -> None:
        self.seen.append(("key", event.id))

    def on_tab_strip_picked(self, event: TabStrip.Picked) -> None:
        self.seen.append(("tab", event.id))


async def test_a_line_drops_parts_by_priority_and_keeps_its_right_end():
    app = BarsApp()
    async with app.run_test(size=(40, 30)) as pilot:
        line = app.query_one(Line)
        left = [Part("boxtop "), Part("web-01 ", priority=2), Part("docker ", priority=1, id="docker")]
        line.set_parts(left, [Part("14:02")])
        assert line.line(0).text == "boxtop web-01 docker               14:02"
        await pilot.click(Line, offset=(16, 0))
        await pilot.click(Line, offset=(8, 0))
        await pilot.resize_terminal(22, 30)
        assert line.line(0).text == "boxtop docker    14:02"
        await pilot.resize_terminal(12, 30)
        assert line.line(0).text == "boxtop 14:02"
        await pilot.pause()
        assert app.seen == [("line", "docker")]


async def test_a_changed_figure_refreshes_its_cells_only():
    app = BarsApp()
    async with app.run_test(size=(60, 30)) as pilot:
        line = app.query_one(Line)
        line.set_parts([Part("cpu "), Part(" 34%", "warn"), Part("  load 0.41")])
        await pilot.pause()
        painted: list[Region] = []
        refresh = line.refresh
        line.refresh = lambda *regions, **options: (painted.extend(regions), refresh(*regions, **options))[1]  # type: ignore[method-assign]
        line.set_parts([Part("cpu "), Part(" 35%", "warn"), Part("  load 0.41")])
        assert painted == [Region(6, 0, 1, 1)]


async def test_key_bar_drops_from_the_right_and_marks_what_is_disabled():
    app = BarsApp()
    async with app.run_test(size=(40, 30)) as pilot:
        bar = app.query_one(KeyBar)
        bar.set_keys(
            [Hint("s", "start", "start", enabled=False), Hint("t", "stop", "stop"), Hint("?", "x" * 40, "help")]
        )
        assert bar.line(0).text.rstrip() == " (s start)  t stop"
        await pilot.click(KeyBar, offset=(13, 0))
        await pilot.pause()
        assert app.seen == [("key", "stop")]


async def test_hints_that_stay_keep_their_place_in_a_narrow_footer():
    app = BarsApp()
    async with app.run_test(size=(40, 30)) as pilot:
        bar = app.query_one(KeyBar)
        bar.set_keys(
            [
                Hint("i", "type into it", "i"),
                Hint("Esc", "back", "back", stays=True),
                Hint("r", "once more", "r"),
                Hint("5", "log", "5"),
                Hint("?", "help", "help", stays=True),
            ]
        )
        for width, text in (
            (46, " i type into it  Esc back  r once more  ? help"),
            (40, " i type into it  Esc back  ? help"),
            (32, " Esc back  ? help"),
            (12, " Esc back"),
        ):
            await pilot.resize_terminal(width, 30)
            assert bar.line(0).text.rstrip() == text
        await pilot.resize_terminal(32, 30)
        await pilot.click(KeyBar, offset=(12, 0))
        await pilot.pause()
        assert app.seen == [("key", "help")]


async def test_the_active_tab_is_in_brackets_and_always_in_sight():
    app = BarsApp()
    async with app.run_test(size=(40, 30)) as pilot:
        tabs = app.query_one(TabStrip)
        titles = [("o", "Overview"), ("l", "Logs"), ("s", "Stats"), ("i", "Inspect")]
        tabs.set_tabs(titles, "o")
        assert tabs.line(0).text.rstrip() == "[Overview] Logs  Stats  Inspect"
        await pilot.click(TabStrip, offset=(12, 0))
        await pilot.pause()
        assert app.seen == [("tab", "l")]
        await pilot.resize_terminal(12, 30)
        tabs.set_tabs(titles, "i")
        assert "[Inspect]" in tabs.line(0).text


async def test_the_reason_of_a_refusal_is_not_cut_off():
    app = BarsApp()
    async with app.run_test(size=(80, 30)) as pilot:
        notices = app.query_one(Notices)
        text = "rename build-debian: VirtualBox changes its name only while the VM is off."
        notices.add("info", text, "warn")
        await pilot.pause()
        assert notices.size.height == 2
        assert [notices.line(y).text.strip() for y in range(2)] == [text, "(x to dismiss)"]
        notices.add("info", "word " * 30, "info")
        await pilot.pause()
        assert notices.size.height == 1


async def test_notices_stay_until_dismissed_and_then_take_no_line():
    app = BarsApp()
    async with app.run_test(size=(60, 30)) as pilot:
        notices = app.query_one(Notices)
        assert not notices.display
        for number in range(3):
            notices.add(f"n{number}", f"failure {number}", "error")
        notices.add("n1", "failure 1 again", "error")
        await pilot.pause()
        text = notices.line(0).text
        assert "failure 1 again" in text
        assert "(+2 more, x to dismiss)" in text
        assert notices.dismiss() == "n1"
        assert notices.dismiss("n0") == "n0"
        assert "failure 2" in notices.line(0).text
        assert notices.dismiss() == "n2"
        assert notices.dismiss() is None
        await pilot.pause()
        assert notices.size.height == 0 or not notices.display


async def test_a_long_failure_is_told_on_more_lines():
    app = BarsApp()
    async with app.run_test(size=(60, 30)) as pilot:
        notices = app.query_one(Notices)
        text = "step 4/5 failed, RUN make: " + "the compiler was not found where it was looked for " * 2 + "at the end"
        notices.add("n", text, "error")
        await pilot.pause()
        assert notices.size.height == 3
        lines = [notices.line(y).text for y in range(3)]
        assert " ".join(" ".join(lines).split()) == f"{text} (x to dismiss)"
        notices.add("m", "short", "error")
        await pilot.pause()
        assert notices.size.height == 1
        notices.add("i", text, "info")
        await pilot.pause()
        assert notices.size.height == 1


async def test_charts_say_figures_scale_and_time():
    app = BarsApp()
    async with app.run_test(size=(60, 40)) as pilot:
        for chart in app.query(Chart):
            lines = lambda: [chart.line(y).text for y in range(chart.size.height)]  # noqa: B023, E731
            assert "no data yet" in lines()[0]
            chart.set_data([8.0, 40.0, 12.0], 2.0)
            text = lines()
            assert text[0].rstrip() == "CPU  now 12 %  avg 20 %  peak 40 %"
            assert text[1].startswith("100 %")
            assert text[-1].rstrip().endswith("now")
            assert all(len(line) == 60 for line in text)
            chart.set_data([8.0], 2.0, second=[50.0], legend=("read", "write"))
            assert "read  now 8 %" in lines()[0]
            assert "write  now 50 %" in lines()[1]
        for width, height in ((5, 4), (1, 1), (60, 30)):
            await pilot.resize_terminal(width, height)
            await pilot.pause()
