from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from edge.lanes.motion.profile import Profile

SPEEDS = some.floats(20, 2000)
ACCELERATIONS = some.floats(50, 50_000)


def run(profile: Profile, *, most: int = 100_000) -> list[float]:
    """The seconds of each step until the motor stands at its target."""
    taken = []
    while (step := profile.next_step()) is not None:
        taken.append(step.seconds)
        assert len(taken) < most
    return taken


@given(SPEEDS, ACCELERATIONS, some.integers(-600, 600))
def test_a_move_ends_where_it_should_in_the_time_that_was_said(
    speed: float, acceleration: float, target: int
) -> None:
    profile = Profile(speed, acceleration, target=target)
    taken = run(profile)
    assert (profile.position, profile.speed, len(taken)) == (target, 0, abs(target))
    # a step of it may lie across the end of the ramp
    slack = 2 / speed + 2 / math.sqrt(acceleration)
    assert sum(taken) == pytest.approx(profile.travel_seconds(abs(target)), abs=slack)


@given(
    SPEEDS, ACCELERATIONS, some.lists(some.tuples(some.integers(-200, 200), some.integers(0, 150)))
)
def test_a_target_that_changes_on_the_way_is_reached_without_a_jerk(
    speed: float, acceleration: float, changes: list[tuple[int, int]]
) -> None:
    profile, before, direction = Profile(speed, acceleration), 0.0, 1
    for target, steps in [*changes, (17, 100_000)]:
        profile.target = target
        for _ in range(steps):
            step = profile.next_step()
            if step is None:
                break
            assert step.direction == direction or before == 0  # it turns round standing
            assert profile.speed <= speed
            assert abs(profile.speed**2 - before**2) <= 2 * acceleration * (1 + 1e-6)
            assert step.seconds >= 1 / speed * (1 - 1e-9)
            before, direction = profile.speed, step.direction
    assert (profile.position, profile.speed) == (17, 0)


def test_a_motor_gets_faster_to_its_highest_speed_and_slower_again() -> None:
    seconds = run(Profile(100, 500, target=60))
    assert seconds == pytest.approx(seconds[::-1])
    assert seconds[0] == pytest.approx(math.sqrt(2 / 500))
    assert seconds[25:35] == pytest.approx([0.01] * 10)


def test_a_single_step_is_half_sped_up_and_half_slowed_down() -> None:
    assert run(Profile(100, 400, target=1)) == pytest.approx([0.1])
    assert run(Profile(10, 400, target=-1)) == pytest.approx([0.1 + 10 / 400])


def test_a_motor_that_stands_takes_no_step() -> None:
    profile = Profile(100, 400)
    assert profile.next_step() is None
    assert profile.travel_seconds(0) == 0
    profile.target = 50
    profile.next_step()
    profile.halt(0)
    assert profile.next_step() is None
