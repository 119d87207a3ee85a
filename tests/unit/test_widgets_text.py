"""Measuring and cutting text, sharing a width among columns, finding by typing, and the diff of two strips."""

import random

import pytest
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from widgets.columns import Column, arrange
from widgets.lines import changed_spans
from widgets.matching import rank
from widgets.text import fit, fit_runs, plain, wrap

AWKWARD = [
    "",
    "plain",
    "中文容器名字",
    "cafe\u0301",
    "a中b文c",
    "👩‍🚀 x",
    "tab\tnew\nline",
    "x" * 90_000,
    "文" * 90_000,
    "\x1b[31mred",
]


@pytest.mark.parametrize("text", AWKWARD)
@pytest.mark.parametrize("width", [0, 1, 2, 5, 12])
def test_fitted_text_takes_exactly_its_cells(text, width):
    for align in ("left", "right"):
        fitted = fit(text, width, align)
        assert cell_len(fitted) == width
        assert not set(fitted) & set("\x1b\t\n")
    runs = fit_runs([(text, "a"), (text, "b")], width, "pad")
    assert sum(cell_len(piece) for piece, _ in runs) == width


def test_what_is_cut_ends_in_an_ellipsis():
    assert fit("abcdef", 4) == "abc…"
    assert fit("中文字", 4) == "中 …"
    assert fit("abcd", 4) == "abcd"
    assert fit_runs([("ab", 1), ("cd", 2)], 3, 0) == [("ab", 1), ("…", 2)]
    assert fit_runs([("ab", 1), ("cd", 2)], 2, 0) == [("a…", 1)] or cell_len("a…") == 2


@pytest.mark.parametrize("text", AWKWARD)
def test_wrapping_keeps_every_character_but_blanks(text):
    lines = wrap(text, 5, 100_000)
    assert all(cell_len(line) <= 5 for line in lines)
    assert "".join(lines).replace(" ", "") == plain(text.replace("\n", " ")).replace(" ", "")


def test_wrapping_breaks_at_spaces():
    assert wrap("the quick brown fox", 10) == ["the quick", "brown fox"]
    assert wrap("one\ntwo", 10) == ["one", "two"]


COLUMNS = [
    Column("state", "", 1),
    Column("name", "Name", 10, flex=2),
    Column("image", "Image", 10, flex=1, priority=2),
    Column("cpu", "CPU", 6, align="right", priority=1),
]


def test_columns_drop_by_priority_and_the_rest_share_the_spare_width():
    ids = lambda width: [COLUMNS[slot.index].id for slot in arrange(COLUMNS, width)]  # noqa: E731
    assert ids(30) == ["state", "name", "image", "cpu"]
    assert ids(29) == ["state", "name", "cpu"]
    assert ids(18) == ["state", "name"]
    assert ids(5) == ["state", "name"]
    assert [slot.width for slot in arrange(COLUMNS, 60)] == [1, 30, 20, 6]
    for width in range(1, 80):
        slots = arrange(COLUMNS, width, 3)
        assert all(slot.width > 0 for slot in slots)
        assert slots[-1].x + slots[-1].width <= width + 3


def test_a_sum_gives_way_to_its_parts_where_all_of_them_fit():
    columns = [
        Column("name", "Name", 10),
        Column("both", "Both", 5, priority=1, sum_of=("in", "out")),
        Column("in", "In", 5, priority=2),
        Column("out", "Out", 5, priority=3),
    ]
    ids = lambda width: [columns[slot.index].id for slot in arrange(columns, width)]  # noqa: E731
    assert ids(28) == ["name", "in", "out"]
    assert ids(27) == ids(22) == ids(16) == ["name", "both"]
    assert ids(15) == ["name"]


def test_best_match_comes_first():
    labels = ["restart", "start", "stop", "show stats", "start all"]
    find = lambda typed: rank(typed, labels, str)  # noqa: E731
    assert find("") == labels
    assert find("start") == ["start", "start all", "restart"]
    assert find("sta")[-1] == "restart"
    assert find("all start") == ["start all"]
    assert find("ss")[0] == "show stats"
    assert find("zzz") == []


RED, BLUE = Style(color="red"), Style(color="blue")


def test_changed_spans_name_the_changed_cells_only():
    old = Strip([Segment("name  ", RED), Segment("12.3%", BLUE)])
    new = Strip([Segment("name  ", RED), Segment("12.4%", BLUE)])
    assert changed_spans(old, new) == [(9, 10)]
    assert changed_spans(old, old) == changed_spans(old, Strip(list(old))) == []
    assert changed_spans(old, Strip([Segment("name  ", RED), Segment("12.3%", RED)])) == [(6, 11)]


def test_changed_spans_never_split_a_wide_character():
    old, new = Strip([Segment("a中b", RED)]), Strip([Segment("axyb", RED)])
    assert changed_spans(old, new) == [(1, 3)]
    assert changed_spans(Strip([Segment("中x中", RED)]), Strip([Segment("中x文", RED)])) == [(3, 5)]


def test_applying_changed_spans_always_gives_the_new_line():
    chance = random.Random(7)
    letters = ["a", "b", " ", "中", "文", "e\u0301", "👩‍🚀"]

    def line() -> Strip:
        runs = [
            ("".join(chance.choices(letters, k=chance.randint(0, 6))), chance.choice([RED, BLUE])) for _ in range(4)
        ]
        return Strip([Segment(text, style) for text, style in fit_runs(runs, 24, RED)], 24)

    for _ in range(500):
        old, new = line(), line()
        patched, at = [], 0
        for start, end in [*changed_spans(old, new), (24, 24)]:
            patched += [old.crop(at, start), new.crop(start, end)]
            at = end
        assert "".join(strip.text for strip in patched) == new.text
