"""When a lane is jammed, and when it is not: against exits that are seen, late, early, missing."""

from __future__ import annotations

import random

import pytest

from edge.state.incidents.jam import Jams
from edge.state.incidents.notice import Notice

TRAVEL = {"warm": 2.0, "cold": 1.0}


def test_two_in_a_row_that_do_not_come_out_are_a_jam_and_it_is_found_once() -> None:
    jams = Jams(TRAVEL)
    for at in (10, 11, 12, 13):
        jams.moved("warm", at)
    assert jams.next_at == 12.5
    assert list(jams.notices(13.4)) == []
    assert list(jams.notices(13.5)) == [Notice("jam", True, 13, "warm")]
    assert list(jams.notices(20)) == []


def test_one_that_does_not_come_out_is_none() -> None:
    jams = Jams(TRAVEL)
    jams.moved("warm", 10)
    jams.moved("warm", 11)
    jams.moved("warm", 12)
    jams.seen("warm", 13.1)
    jams.seen("warm", 14.1)
    assert list(jams.notices(30)) == []
    assert jams.next_at is None


def test_one_that_comes_a_little_early_is_not_taken_for_one_before_it_that_fell() -> None:
    jams = Jams({"cold": 1.0})
    for at in (10.0, 10.635, 10.982):  # the first one falls
        jams.moved("cold", at)
    jams.seen("cold", 11.491)
    jams.seen("cold", 11.883)
    jams.moved("cold", 13.779)  # this one, too: but the two before it came out
    assert list(jams.notices(20)) == []


def test_the_lanes_are_apart() -> None:
    jams = Jams(TRAVEL)
    jams.moved("warm", 10)
    jams.moved("cold", 10)
    assert list(jams.notices(30)) == []
    jams.moved("cold", 30)
    assert list(jams.notices(40)) == [Notice("jam", True, 31, "cold")]


def test_a_lane_without_a_sensor_has_no_jams() -> None:
    jams = Jams(TRAVEL)
    for at in range(5):
        jams.moved("rest", at)
    jams.seen("rest", 9)
    assert list(jams.notices(30)) == []


def test_after_it_was_cleared_what_lay_there_is_not_waited_for() -> None:
    jams = Jams(TRAVEL)
    for at in (10, 11, 12):
        jams.moved("warm", at)
    assert len(list(jams.notices(13.6))) == 1
    jams.forget("warm")
    jams.moved("warm", 100)
    assert list(jams.notices(101)) == []
    assert jams.next_at == 102.5


@pytest.mark.parametrize(
    "count", [5_000, pytest.param(100_000, marks=pytest.mark.slow)], ids=["short", "long"]
)
def test_no_jam_is_found_where_all_come_out_some_askew_and_the_belt_stops_at_times(
    count: int,
) -> None:
    """The clock of the belt stands while the belt does."""
    chance, jams, now = random.Random(3), Jams(TRAVEL), 0.0
    ahead: list[tuple[float, str]] = []
    fell = {"warm": False, "cold": False}
    for _ in range(count):
        now += chance.uniform(0.3, 3)
        for at, lane in sorted(ahead):
            if at <= now:
                jams.seen(lane, at)
                ahead.remove((at, lane))
        lane = chance.choice(["warm", "cold"])
        jams.moved(lane, now)
        fell[lane] = not fell[lane] and chance.random() < 0.02
        if not fell[lane]:
            ahead.append((now + TRAVEL[lane] + chance.gauss(0, 0.1), lane))
        assert list(jams.notices(now)) == []


@pytest.mark.parametrize("spacing", [0.4, 1.0, 5.0])
def test_a_jam_is_named_within_an_item_s_spacing_and_half_a_second(spacing: float) -> None:
    jams, now, named = Jams({"warm": 2.0}), 0.0, None
    stuck = 50 * spacing
    moves = [index * spacing for index in range(200)]
    exits = [at + 2.0 for at in moves if at + 2.0 < stuck]
    events = sorted([(at, "moved") for at in moves] + [(at, "seen") for at in exits])
    first_missing = min(at + 2.0 for at in moves if at + 2.0 >= stuck)
    for at, what in events:
        while (due := jams.next_at) is not None and due <= at and named is None:
            now = due
            named = next((now for _ in jams.notices(now)), None)
        getattr(jams, what)("warm", at)
    assert named is not None
    assert named <= first_missing + spacing + 0.5 + 1e-9
