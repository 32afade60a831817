"""Items that are near to each other on a belt that stood between them."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from edge.core.verdict import RejectReason
from edge.flow import Frame
from edge.lanes.belt_travel import BeltTravel
from edge.sorting.sorter import Sorter
from edge.sorting.vote_deadlines import VoteDeadlines
from tests.edge.sorting.test_sorter import CAN, Script, gone, model_of, seen

SPEED, PULSES = 0.2, 1000


def reasons_of(
    script: Script, *, stands: tuple[float, float], closing: VoteDeadlines
) -> list[RejectReason | None]:
    """Why items are rejected that pass on a belt that stands for a while; a frame each tenth."""
    travel = BeltTravel(PULSES, metres_per_second=SPEED)
    closing = replace(closing, travel=travel)
    sorting = Sorter(script, model_of(script), closing=closing, clock=script.clock)
    way, before, found = 0.0, 0.0, []
    for number in range(len(script.observations)):
        script.now = number / 10
        while before < script.now:
            before += 0.001
            if not stands[0] <= before < stands[1]:
                way += 0.001 * SPEED * PULSES
                while way >= 1:
                    travel.pulse(before)
                    way -= 1
        found += sorting.look(Frame(np.zeros((8, 8, 3), np.uint8), script.now, number))
    return [outcome.verdict.reject for outcome in (*found, *sorting.end())]


@pytest.mark.parametrize(
    ("stands", "reasons"),
    [
        ((0.6, 2.6), [RejectReason.TOO_CLOSE] * 2),  # 0.2 s of the way, and 4 cm, between them
        ((0.6, 1.6), [None, None]),
        ((9.0, 9.0), [None, None]),
    ],
)
def test_the_time_in_which_the_belt_stood_does_not_count(
    stands: tuple[float, float], reasons: list[RejectReason | None]
) -> None:
    script = Script(scores=[CAN] * 40)
    script.observations = [
        *[[seen(1, passed=0.5)]] * 4, [gone(1, passed=0.5)], *[[]] * 19,
        *[[seen(2, passed=2.7)]] * 4, [gone(2, passed=2.7)], *[[]] * 20,
    ]  # fmt: skip
    closing = VoteDeadlines(min_gap_seconds=0.3)
    assert reasons_of(script, stands=stands, closing=closing) == reasons


def test_an_item_on_a_belt_that_stands_gets_its_verdict_at_its_deadline() -> None:
    script = Script(scores=[CAN] * 40)
    script.observations = [[seen(1, passed=0.5)]] * 40
    closing = VoteDeadlines(min_gap_seconds=0.3, deadline_seconds=2.0)
    assert reasons_of(script, stands=(0.6, 9.0), closing=closing) == [None]


def test_an_item_that_is_still_to_come_is_near_by_the_clock() -> None:
    """Nobody knows the way of a belt that stands, to an item that has not passed yet."""
    script = Script(scores=[CAN] * 80)
    script.observations = [[seen(1, passed=0.5), seen(2, passed=20.0)]] * 40
    closing = VoteDeadlines(min_gap_seconds=0.3, deadline_seconds=2.0)
    assert reasons_of(script, stands=(0.6, 9.0), closing=closing) == [None, None]


def test_the_time_until_the_nearest_lane_is_that_of_the_way_that_is_left() -> None:
    """Half of the way to a lane at 0.2 m is left where the belt stops, and a half from then on."""
    travel = BeltTravel(PULSES, metres_per_second=SPEED)
    for number in range(1, 201):
        travel.pulse(number / (SPEED * PULSES))
    closing = VoteDeadlines(travel=travel, shortest_metres=0.2, margin_seconds=0.1)

    def left(now: float, inference_seconds: float = 0.0) -> float:
        at = closing.at(0.0, 0.5, inference_seconds=inference_seconds, now=now)
        assert at is not None
        return at - now

    assert left(0.5) == pytest.approx(0.9, abs=0.02)
    assert left(1.0) == pytest.approx(0.4, abs=0.02)
    assert left(5.0) == pytest.approx(0.4, abs=0.02)  # it stands since 1.0
    assert left(5.0, inference_seconds=0.1) == pytest.approx(0.2, abs=0.02)
    for number in range(1, 80):
        travel.pulse(5 + number / (SPEED * PULSES))
    assert left(5.4) == 0
    assert left(9.0) == 0


def test_a_vote_ends_with_the_way_though_the_clock_goes_on_while_it_is_looked_at() -> None:
    script = Script(scores=[CAN] * 40)
    script.observations = [[seen(1, passed=0.1)]] * 40
    travel = BeltTravel(PULSES, metres_per_second=SPEED)
    closing = VoteDeadlines(min_gap_seconds=60, travel=travel, shortest_metres=0.2)
    ticks = itertools.count()
    sorting = Sorter(
        script, model_of(script), closing=closing, clock=lambda: script.now + next(ticks) * 1e-6
    )
    closed = []
    for number in range(40):
        script.now = number / 10
        for pulse in range(round(SPEED * PULSES / 10)):
            travel.pulse(script.now - 0.1 + pulse / (SPEED * PULSES))
        closed += [
            number for _ in sorting.look(Frame(np.zeros((8, 8, 3), np.uint8), script.now, number))
        ]
    assert closed == [11]


def test_without_any_pulse_the_clock_counts() -> None:
    """As where the encoder's cable is off: items that are far apart are not too close for that."""
    travel = BeltTravel(PULSES, metres_per_second=SPEED)
    closing = VoteDeadlines(travel=travel, shortest_metres=0.2, min_gap_seconds=0.3)
    assert not closing.are_close(1.0, 61.0, now=61.0)
    assert closing.are_close(1.0, 1.2, now=61.0)
    assert closing.at(0.0, 0.5, inference_seconds=0.0, now=0.5) == pytest.approx(1.5)
    assert closing.at(0.0, 0.5, inference_seconds=0.0, now=9.0) == 9.0


@pytest.mark.parametrize("margin", [0.02, 0.0213, 0.1, 1 / 3])
def test_a_vote_whose_way_is_over_is_due_at_any_moment(margin: float) -> None:
    travel = BeltTravel(PULSES, metres_per_second=SPEED)
    for number in range(1, 401):
        travel.pulse(number / (SPEED * PULSES))
    closing = VoteDeadlines(travel=travel, shortest_metres=0.2, margin_seconds=margin)
    for step in range(1000):
        now = 2.0 + step / 7
        closes = closing.at(0.0, 0.1, inference_seconds=0.0, now=now)
        assert closes is not None
        assert now >= closes


def test_what_is_nearly_due_is_due() -> None:
    travel = BeltTravel(PULSES, metres_per_second=SPEED)
    travel.pulse(0.0)
    closing = VoteDeadlines(travel=travel, shortest_metres=0.0018)
    assert closing.at(0.0, 0.0, inference_seconds=0.0, now=1.0) == 1.0
