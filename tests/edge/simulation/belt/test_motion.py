"""A belt whose speed changes for a while: how far it has moved, and when it will have."""

from __future__ import annotations

import numpy as np
import pytest

from edge.simulation.belt.motion import BeltMotion
from edge.simulation.belt.wire import SpeedChanges


def motion(factor: float, *, every: float = 10.0) -> BeltMotion:
    return BeltMotion(100, SpeedChanges(factor=factor, every=every, seconds=4, seed=(1,)))


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
