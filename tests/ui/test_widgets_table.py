"""The table as its user sees it: identity, marks, scrolling, what is drawn and what is left alone."""

import random
import time

from textual.app import App, ComposeResult
from textual.geometry import Region

from widgets.glyphs import BRAILLE
from widgets.table import Cell, Column, Row, Table

COLUMNS = [
    Column("name", "Name", 8, flex=1),
    Column("image", "Image", 12, priority=2),
    Column("cpu", "CPU", 6, align="right", priority=1),
]


def row(key: object, cpu: str = "1.0", name: str = "", faded: bool = False) -> Row:
    return Row(key, (Cell(name or f"box-{key}", "ok"), Cell("nginx"), Cell(cpu)), faded)


class TableApp(App[None]):
    CSS = "Table { height: 100%; }"

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, object]] = []
        self.painted: list[Region] = []

    def compose(self) -> ComposeResult:
        app = self

        class Watched(Table):
            def refresh(self, *regions: Region, **options: bool) -> "Table":
                app.painted.extend(regions or [Region(0, 0, 999, 999)])
                return super().refresh(*regions, **options)

        yield Watched(COLUMNS)

    def on_mount(self) -> None:
        self.table.focus()

    @property
    def table(self) -> Table:
        return self.query_one(Table)

    def on_table_selected(self, event: Table.Selected) -> None:
        self.seen.append(("selected", event.key))

    def on_table_opened(self, event: Table.Opened) -> None:
        self.seen.append(("opened", event.key))

    def on_table_sort_requested(self, event: Table.SortRequested) -> None:
        self.seen.append(("sort", event.column_id))


def screen_text(app: App[None]) -> list[str]:
    return [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]


async def test_selection_stays_on_its_row_when_rows_move_and_on_its_place_when_the_row_goes():
    app = TableApp()
    async with app.run_test(size=(40, 12)) as pilot:
        table = app.table
        table.set_rows([row(key) for key in "abcde"])
        await pilot.press("j", "down")
        assert table.cursor_key == "c"
        table.set_rows([row(key) for key in "edcba"])
        assert (table.cursor_key, table.cursor_index) == ("c", 2)
        table.set_rows([row(key) for key in "yzc"])
        assert table.cursor_key == "c"
        table.set_rows([row(key) for key in "edba"])
        assert (table.cursor_key, table.cursor_index) == ("b", 2)
        table.set_rows([row("e")])
        assert table.cursor_key == "e"
        table.set_rows([])
        assert (table.cursor_key, table.cursor_index) == (None, -1)
        table.set_rows([row("n"), row("m")])
        await pilot.pause()
        assert table.cursor_key == "n"
        assert [key for what, key in app.seen if what == "selected"] == ["a", "b", "c", "b", "e", None, "n"]


async def test_rows_growing_above_do_not_scroll_the_selected_row_away():
    app = TableApp()
    async with app.run_test(size=(40, 12)) as pilot:
        table = app.table
        table.set_rows([row(n) for n in range(100)])
        table.select(50)
        table.set_rows([row(n) for n in range(-60, 100)])
        await pilot.pause()
        assert 50 in table.keys_on_screen()
        assert any("box-50" in line for line in screen_text(app))


async def test_a_view_the_user_scrolled_elsewhere_is_not_pulled_back_by_news():
    app = TableApp()
    async with app.run_test(size=(40, 12)) as pilot:
        table = app.table
        table.set_rows([row(n) for n in range(100)])
        table.scroll_to_top(60)
        table.set_rows([row(n, "2.0") for n in range(100)])
        await pilot.pause()
        assert table.keys_on_screen()[0] == 60
        await pilot.press("j")
        assert table.cursor_key in table.keys_on_screen()


async def test_keys_reach_both_ends_and_enter_opens():
    app = TableApp()
    async with app.run_test(size=(40, 12)) as pilot:
        table = app.table
        table.set_rows([row(n) for n in range(50)])
        await pilot.press("G")
        assert table.cursor_key == 49
        await pilot.press("pageup", "k")
        assert table.cursor_key == 49 - (table.page - 1) - 1
        await pilot.press("g", "up", "enter")
        await pilot.pause()
        assert app.seen[-1] == ("opened", 0)
        await pilot.press("end", "pagedown")
        assert (table.cursor_key, table.keys_on_screen()[-1]) == (49, 49)


async def test_marks_show_follow_their_rows_and_end_with_them():
    app = TableApp()
    async with app.run_test(size=(40, 12)) as pilot:
        table = app.table
        table.set_rows([row(key) for key in "abc"])
        table.set_marks(["b", "nobody"])
        assert table.marks == {"b"}
        table.set_rows([row(key) for key in "cba"])
        await pilot.pause()
        marked = [line for line in screen_text(app) if line.startswith(BRAILLE.mark)]
        assert len(marked) == 1
        assert "box-b" in marked[0]
        table.set_rows([row(key) for key in "ca"])
        table.set_rows([row(key) for key in "cba"])
        assert table.marks == frozenset()


async def test_markup_controls_and_wide_text_are_drawn_as_text_in_their_cells():
    app = TableApp()
    async with app.run_test(size=(40, 12)) as pilot:
        names = ["[red]not markup[/red] x", "中文容器名字很长很长很长", "cafe\u0301", "evil\x1b[2Jname", "two\nlines"]
        app.table.set_rows([row(n, name=name) for n, name in enumerate(names)])
        await pilot.pause()
        lines = app.screen._compositor.render_strips()
        assert all(strip.cell_length == 40 for strip in lines)
        text = "\n".join(strip.text for strip in lines)
        assert "[red]not markup[/r…" in text
        assert "…" in text.splitlines()[2]
        assert "cafe\u0301" in text
        assert "\x1b" not in text
        assert "two lines" in text


async def test_columns_drop_when_the_window_shrinks_and_come_back():
    app = TableApp()
    async with app.run_test(size=(60, 12)) as pilot:
        app.table.set_rows([row("a", "7.5")])
        app.table.set_sort("cpu", True)
        await pilot.pause()
        assert "Image" in screen_text(app)[0]
        assert f"CPU{BRAILLE.sort_down}" in screen_text(app)[0]
        await pilot.resize_terminal(24, 12)
        await pilot.pause()
        assert "Image" not in screen_text(app)[0]
        assert "7.5" in screen_text(app)[1]
        await pilot.resize_terminal(60, 12)
        await pilot.pause()
        assert "nginx" in screen_text(app)[1]


async def test_the_message_stands_where_rows_lack():
    app = TableApp()
    async with app.run_test(size=(40, 12)) as pilot:
        app.table.set_message([("[b]Permission denied[/b] on the socket", "error"), ("Add yourself " * 8, "dim")])
        await pilot.pause()
        text = screen_text(app)
        assert "[b]Permission denied[/b]" in text[1]
        assert sum("Add yourself" in line for line in text) > 1
        app.table.set_rows([row("a")])
        await pilot.pause()
        assert "Permission" not in "".join(screen_text(app))
        assert "box-a" in screen_text(app)[1]


async def test_mouse_selects_opens_sorts_and_scrolls():
    app = TableApp()
    async with app.run_test(size=(60, 12)) as pilot:
        table = app.table
        table.set_rows([row(n) for n in range(100)])
        await pilot.click(Table, offset=(5, 4))
        assert table.cursor_key == 3
        await pilot.click(Table, offset=(5, 2), times=2)
        await pilot.click(Table, offset=(table._arranged(table.line_width)[2].x + 4, 0))
        await pilot.pause()
        assert ("opened", 1) in app.seen
        assert ("sort", "cpu") in app.seen
        await pilot.click(Table, offset=(59, 11))
        assert table.keys_on_screen()[-1] == 99


async def test_only_what_changed_is_painted():
    app = TableApp()
    async with app.run_test(size=(60, 12)) as pilot:
        table = app.table
        table.set_rows([row(n) for n in range(100)])
        await pilot.pause()
        app.painted.clear()

        table.update_rows([row(3, "1.7"), row("unknown")])
        assert [(region.y, region.size) for region in app.painted] == [(4, (1, 1))]
        app.painted.clear()

        table.update_rows([row(90, "9.9")])
        table.update_rows([row(n, "1.7" if n == 3 else "1.0") for n in range(12)])
        table.set_rows([row(n, "1.7" if n == 3 else "1.0") for n in range(100)])
        await pilot.hover(Table, offset=(5, 5))
        await pilot.hover(Table, offset=(9, 7))
        assert app.painted == []

        await pilot.press("j")
        assert {region.y for region in app.painted} == {1, 2}


async def test_what_is_on_screen_is_right_after_any_mixture_of_changes():
    app = TableApp()
    chance = random.Random(3)
    async with app.run_test(size=(50, 14)) as pilot:
        table = app.table
        rows = [row(n) for n in range(40)]
        for _ in range(60):
            match chance.randrange(7):
                case 0:
                    chance.shuffle(rows)
                    table.set_rows(rows)
                case 1:
                    rows = [
                        row(key, faded=chance.random() < 0.2) for key in chance.sample(range(60), chance.randint(0, 45))
                    ]
                    table.set_rows(rows)
                case 2:
                    new = {
                        old.key: row(old.key, f"{chance.random():.2f}", chance.choice(["", "中文字"])) for old in rows
                    }
                    rows = [new[old.key] for old in rows]
                    table.update_rows(rows)
                case 3:
                    table.set_marks(chance.sample(range(60), 10))
                case 4:
                    table.scroll_to_top(chance.randrange(40))
                case 5:
                    await pilot.press(chance.choice(["j", "k", "g", "G", "pagedown"]))
                case 6:
                    await pilot.resize_terminal(chance.randint(20, 60), chance.randint(6, 20))
            await pilot.pause()
            drawn = [strip.text for strip in table.render_lines(Region(0, 0, *table.size))]
            assert drawn == [table.line(y).text for y in range(table.size.height)]
            assert table.rows == tuple(rows)


async def test_ten_thousand_rows_stay_quick():
    app = TableApp()
    async with app.run_test(size=(80, 40)) as pilot:
        table = app.table
        rows = [row(n) for n in range(10_000)]
        table.set_rows(rows)
        await pilot.pause()
        took: list[float] = []
        for _ in range(5):
            shuffled = random.sample(rows, len(rows))
            start = time.perf_counter()
            table.set_rows(shuffled)
            table.update_rows(shuffled[:200])
            took.append(time.perf_counter() - start)
            await pilot.pause()
        assert min(took) < 0.1
        assert table.cursor_key == 0


async def test_another_theme_recolours_what_is_on_screen():
    app = TableApp()
    async with app.run_test(size=(40, 12)) as pilot:
        app.table.set_rows([row("a"), row("b", faded=True)])
        await pilot.pause()
        before = [list(strip) for strip in app.screen._compositor.render_strips()]
        app.theme = "textual-light"
        await pilot.pause()
        await pilot.pause()
        after = [list(strip) for strip in app.screen._compositor.render_strips()]
        assert ["".join(part.text for part in line) for line in before] == [
            "".join(part.text for part in line) for line in after
        ]
        for old, new in zip(before[:3], after[:3], strict=True):
            assert old != new
