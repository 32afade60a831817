"""A belt whose speed changes for a while: how far it has moved, and when it will have."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edge.simulation.belt.motion import BeltMotion
from edge.simulation.belt.wire import SpeedChanges


def motion(factor: float, *, every: float = 10.0) -> BeltMotion:
    return BeltMotion(100, [SpeedChanges(factor=factor, every=every, seconds=4, seed=(1,))])


def once(at: float, seconds: float, factor: float) -> SpeedChanges:
    return SpeedChanges(factor=factor, every=30, seconds=seconds, seed=(1,), at=at)


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.5])
def test_it_moves_at_the_one_speed_or_the_other(factor: float) -> None:
    belt = motion(factor)
    step = 0.01
    moved = [belt.moved(moment) for moment in np.arange(0, 50, step)]
    speeds = np.diff(moved) / step
    slow = np.isclose(speeds, 100 * factor)
    assert slow.sum() == pytest.approx(5 * 400, abs=15)
    assert (slow | np.isclose(speeds, 100)).sum() >= len(speeds) - 10
    assert belt.moved(50) == pytest.approx(100 * (30 + 20 * factor))


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0, 1.5])
def test_it_is_there_at_the_first_moment_at_which_it_has_moved_so_far(factor: float) -> None:
    belt = motion(factor)
    for pixels in np.arange(-50, 3000, 7.3):
        moment = belt.when(pixels)
        assert belt.moved(moment) == pytest.approx(pixels, abs=1e-6)
        if pixels > 0:
            assert belt.moved(moment - 1e-3) < pixels


def test_a_change_without_an_end_is_another_speed() -> None:
    belt = motion(0.5, every=0.0)
    assert (belt.moved(10), belt.when(500)) == (500, 10)
    assert BeltMotion(100).moved(10) == 1000


def test_a_change_at_a_known_time_is_the_only_one() -> None:
    belt = BeltMotion(100, [once(7, 10, 0.0)])
    assert [belt.moved(at) for at in (6, 7, 12, 17, 20, 100)] == [600, 700, 700, 700, 1000, 9000]
    assert [belt.when(pixels) for pixels in (700, 701, 9000)] == [7, pytest.approx(17.01), 100]
    began_before = BeltMotion(100, [once(-3, 5, 0.5)])
    assert [began_before.moved(at) for at in (1, 2, 3)] == [50, 100, 200]


def test_changes_that_overlap_multiply() -> None:
    belt = BeltMotion(100, [once(10, 10, 0.5), once(15, 10, 0.4), once(30, 1, 0.0)])
    assert [belt.moved(at) for at in (10, 15, 20, 25, 30, 31, 32)] == pytest.approx(
        [1000, 1250, 1350, 1550, 2050, 2050, 2150]
    )
    for pixels in np.arange(1, 3000, 7.3):
        assert belt.moved(belt.when(pixels)) == pytest.approx(pixels)


def test_a_belt_that_stands_for_ever_never_comes_so_far() -> None:
    belt = motion(0.0, every=0.0)
    assert (belt.moved(1e6), belt.when(1)) == (0, math.inf)
