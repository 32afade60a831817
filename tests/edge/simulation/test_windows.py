"""The times of planted faults: one in each period, wherever one looks first."""

from __future__ import annotations

import numpy as np
import pytest

from edge.simulation.windows import Windows


def windows(**changed: float) -> Windows:
    return Windows(seed=(3,), **({"every": 10.0, "seconds": 2.0} | changed))


def test_each_period_has_one_window_of_the_given_length() -> None:
    found = windows()
    moments = np.arange(0, 100, 0.01)
    holds = np.array([found.holds(moment) for moment in moments])
    for period in range(10):
        assert holds[period * 1000 : (period + 1) * 1000].sum() == pytest.approx(200, abs=1)
    starts = {round(found.start(period), 3) for period in range(10)}
    assert len(starts) == 10
    assert max(starts) <= 8


def test_the_order_in_which_one_asks_changes_nothing() -> None:
    moments = np.arange(0, 1000, 0.7)
    forwards, backwards = windows(), windows()
    there = [forwards.holds(moment) for moment in moments]
    assert there == [backwards.holds(moment) for moment in moments[::-1]][::-1]
    other = Windows(every=10, seconds=2, seed=(4,))
    assert there != [other.holds(moment) for moment in moments]


def test_without_a_period_it_lasts_for_ever() -> None:
    found = windows(every=0.0)
    assert [found.strength(moment) for moment in (-1, 0, 1e6)] == [0, 1, 1]


def test_it_fades_in_and_out() -> None:
    found = windows()
    start = found.start(0)
    strengths = [found.strength(start + at, fade=0.5) for at in (0.25, 0.5, 1.0, 1.75, 2.1)]
    assert strengths == pytest.approx([0.5, 1, 1, 0.5, 0])
