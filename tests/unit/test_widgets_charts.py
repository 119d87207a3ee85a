"""Charts as pure functions: what a reader takes from them."""

import pytest

from widgets.charts import chart, meter, nice_top, overlay, spark
from widgets.glyphs import ASCII, BLOCK, BRAILLE

ALL = [BRAILLE, BLOCK, ASCII]


@pytest.mark.parametrize("glyphs", ALL)
def test_spark_is_exactly_as_wide_as_asked_whatever_the_data(glyphs):
    for values in ([], [0.5], [0.5] * 3, [0.5] * 500, [None] * 9, [float("nan"), -1.0, 99.0]):
        assert len(spark(values, 7, 1.0, glyphs)) == 7
    assert spark([0.5], 0, 1.0, glyphs) == ""


def test_newest_sample_is_at_the_right_and_missing_ones_are_blank():
    assert spark([1.0], 3) == "  ⢸"
    assert spark([1.0, None], 3) == "  ⡇"
    assert spark([1.0], 3, 1.0, BLOCK) == "  █"


def test_scale_is_fixed_so_that_noise_stays_low_and_any_value_shows():
    assert spark([0.01, 0.02] * 2, 2) == "⣀⣀"
    assert spark([0.0, 0.0], 1) == " "
    assert spark([0.0001], 1, 1.0, BLOCK) == "▁"
    assert spark([5.0, 5.0], 1) == "⣿"


def test_chart_fills_from_the_bottom():
    assert chart([0.5, 0.5, 1.0, 1.0], 2, 2, 1.0) == [" ⣿", "⣿⣿"]
    assert chart([0.5, 1.0], 2, 2, 1.0, ASCII) == [" %", "%%"]


@pytest.mark.parametrize("glyphs", ALL)
def test_overlaid_series_are_told_apart_without_colours(glyphs):
    area = chart([0.9] * 8, 4, 2, 1.0, glyphs)
    lines = overlay([0.9] * 8, [0.3] * 8, 4, 2, 1.0, glyphs=glyphs)
    assert ["".join(text for text, _ in runs) for runs in lines] != area
    assert all(sum(len(text) for text, _ in runs) == 4 for runs in lines)


def test_meter_shows_any_use_and_never_overflows():
    assert meter(0.0, 4, ASCII) == "...."
    assert meter(0.001, 4, ASCII) == "#..."
    assert meter(7.0, 4, ASCII) == "####"
    assert meter(float("nan"), 4, ASCII) == "...."


@pytest.mark.parametrize(("peak", "top"), [(0, 1), (0.34, 0.5), (1, 1), (1.1, 2), (47, 50), (51, 100), (3e9, 5e9)])
def test_free_scale_is_a_round_number_above_the_peak(peak, top):
    assert nice_top([None, peak]) == pytest.approx(top)


@pytest.mark.parametrize(("peak", "top"), [(700, 1000), (1500, 2048), (300 * 1024, 500 * 1024), (6 << 30, 10 << 30)])
def test_free_scale_of_bytes_is_a_round_number_of_a_binary_unit(peak, top):
    assert nice_top([peak], 1024) == pytest.approx(top)


def test_a_line_on_the_edge_of_the_area_is_seen():
    both = overlay([0.25] * 4, [0.25] * 4, 2, 1, 1.0)
    assert "".join(text for text, _ in both[0]) == "⣀⣀"
    within = overlay([1.0] * 4, [0.5] * 4, 2, 1, 1.0)
    assert "".join(text for text, _ in within[0]) == "⣛⣛"
