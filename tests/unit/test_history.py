from __future__ import annotations

from backends.model import Usage
from tui.history import SAMPLES, History, Ring


def test_a_ring_keeps_the_newest_samples_and_no_more():
    ring = Ring(10)
    for number in range(200):
        ring.push(float(number))
    assert ring.last() == [float(number) for number in range(190, 200)]
    assert ring.last(3) == [197.0, 198.0, 199.0]
    assert len(ring) == 10


def test_unknown_samples_stay_unknown_and_out_of_the_mean():
    ring = Ring()
    for value in (1.0, None, 3.0):
        ring.push(value)
    assert ring.last() == [1.0, None, 3.0]
    assert ring.mean() == 2.0


def test_figures_an_engine_never_gives_cost_nothing():
    history = History()
    for second in range(SAMPLES + 50):
        history.push(Usage(float(second), cpu=0.5))
    assert len(history) == SAMPLES
    assert history.last("cpu", 2) == [0.5, 0.5]
    assert history.last("disk_read") == []
