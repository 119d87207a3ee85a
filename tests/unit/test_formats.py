"""Figures as text: short enough for their cells, never rounded into nonsense."""

from __future__ import annotations

import random

import pytest

from tui import formats

K, M, G = 1024, 1024**2, 1024**3


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "–"),
        (0, "0"),
        (512, "512B"),
        (1023, "1023B"),
        (K, "1.0K"),
        (84 * M, "84M"),
        (412 * M, "412M"),
        (int(1.2 * G), "1.2G"),
        (int(9.7 * G), "9.7G"),
        (int(9.96 * G), "10G"),
        (1023 * M, "1023M"),
        (1024 * M - 1, "1.0G"),
        (5 * 1024**5, "5.0P"),
    ],
)
def test_size(number: int | None, text: str) -> None:
    assert formats.size(number) == text


def test_size_and_rate_always_fit_five_cells() -> None:
    chance = random.Random(1)
    for _ in range(20_000):
        number = chance.random() * 2 ** chance.randint(0, 62)
        assert len(formats.size(number)) <= 5, number
        assert len(formats.rate(number)) <= 5, number


def test_long_size_names_its_unit() -> None:
    assert formats.size_long(438 * M) == "438 MiB"
    assert formats.size_long(12) == "12 B"
    assert formats.size_long(None) == "–"


@pytest.mark.parametrize(
    ("fraction", "text"), [(0.021, "2.1%"), (0, "0.0%"), (0.9999, "100%"), (1.34, "134%"), (None, "–")]
)
def test_percent_of_one_core(fraction: float | None, text: str) -> None:
    assert formats.percent(fraction) == text


def test_percent_of_a_whole() -> None:
    assert formats.percent(0.341, cores=False) == "34%"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (-3, "0s"),
        (12.9, "12s"),
        (60, "1m"),
        (5 * 60, "5m"),
        (2 * 3600, "2h"),
        (3 * 86400, "3d"),
        (21 * 86400, "3w"),
        (65 * 86400, "2mo"),
        (364 * 86400, "11mo"),
        (400 * 86400, "1y"),
        (3000 * 86400, "8y"),
    ],
)
def test_age(seconds: float | None, text: str) -> None:
    assert formats.age(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (12, "12s"), (303, "5m 3s"), (8040, "2h 14m"), (3 * 86400 + 4 * 3600 + 59, "3d 4h")],
)
def test_duration(seconds: float | None, text: str) -> None:
    assert formats.duration(seconds) == text


def test_times() -> None:
    assert formats.timestamp(1_700_000_000.9) == "2023-11-14T22:13:20Z"
    assert formats.timestamp(None) == formats.local_time(None) == "–"
    assert len(formats.local_time(1_700_000_000)) == len("2023-11-14 22:13:20")


def test_a_time_out_of_any_calendar_is_unknown() -> None:
    year_1 = -62135596800
    assert formats.timestamp(year_1) == formats.local_time(year_1) == "–"
    assert formats.timestamp(-1e17) == formats.local_time(1e17) == "–"
