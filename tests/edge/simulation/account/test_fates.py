"""What became of an item: the lane that it fell into, and how exactly the lane moved."""

from __future__ import annotations

import pytest

from edge.events import ItemSorted
from edge.flow import Actuated, ItemKey, Missed
from edge.simulation.account.fates import (
    END,
    Judgement,
    LaneMoves,
    LanePlace,
    Pending,
    fell_into,
    landing,
    moved_at,
)
from edge.simulation.world import TrueItem

FIRST = LanePlace("first", ("can",), hold_seconds=0.4, delay_seconds=1.0)
SECOND = LanePlace("second", ("cup",), hold_seconds=0.4, delay_seconds=2.0)
AT_ONCE = LanePlace("at once", ("ball",), hold_seconds=0.4, delay_seconds=None)
THROUGH = LanePlace("through", ("fruit",), hold_seconds=None, delay_seconds=None)
REST = LanePlace("rest", (), hold_seconds=None, delay_seconds=None)
PLACES = {place.name: place for place in (FIRST, SECOND, AT_ONCE, THROUGH, REST)}


def row(lane: str, *, missed: str | None = None, actuation: str = "planned") -> ItemSorted:
    return ItemSorted(
        id="7", time="", station="", item=1, source="", label="can", confidence=1.0, scores=None,
        accepted=True, reject=None, lane=lane, bundle="", bundle_digest="", latency_ms=0.0,
        frames=3, missed=missed, actuation=actuation,
    )  # fmt: skip


def sent_at(at: float, *, done: float | None = None, lane: str = "first") -> Actuated:
    """What became of the move for the item's row, which was planned for `at`."""
    return Actuated(lane, ItemKey(1, 0.0, "7"), at, at if done is None else done)


def item(sent: ItemSorted | None = None, *, passes: float | None = 10.0) -> Pending:
    pending = Pending(TrueItem(1, "can", "", entered=9.5, passes=passes))
    if sent is not None:
        pending.judgements.append(Judgement(1, "can", captured=9.9, decided=9.9, row=sent))
    return pending


def moves(**out: tuple[float, float]) -> LaneMoves:
    found = LaneMoves(list(PLACES.values()))
    for lane, (start, stop) in out.items():
        found.moved(lane, start, active=True)
        found.moved(lane, stop, active=False)
    return found


@pytest.mark.parametrize(
    ("pending", "out", "fell"),
    [
        # The actuator is out for 0.4 s from the moment of its delay: the item comes in the middle.
        (item(row("first")), {"first": (11.0, 11.4)}, "first"),
        (item(row("first")), {"first": (10.81, 11.21)}, "first"),
        (item(row("first")), {"first": (10.79, 11.19)}, "rest"),
        (item(row("first")), {"first": (11.21, 11.61)}, "rest"),
        # Out for another item: it takes this one, wherever it was sent.
        (item(row("second")), {"first": (11.0, 11.4), "second": (12.0, 12.4)}, "first"),
        (item(), {"second": (12.0, 12.4)}, "second"),
        # A lane without an actuator gets what was sent to it, and is passed on the way to none.
        (item(row("through")), {}, "through"),
        (item(row("through")), {"first": (11.0, 11.4)}, "first"),
        (item(row("rest")), {}, "rest"),
        # A lane that moves at once has no place to be passed at.
        (item(row("at once")), {}, "at once"),
        (item(row("at once", missed="late")), {}, "rest"),
        (item(), {}, "rest"),
        # Nothing travels in a bin.
        (item(row("at once"), passes=None), {"first": (11.0, 11.4)}, "at once"),
    ],
)
def test_an_item_falls_into_the_first_lane_that_is_out_as_it_comes_by(
    pending: Pending, out: dict[str, tuple[float, float]], fell: str
) -> None:
    assert fell_into(pending, PLACES, "rest", moves(**out), moved=True) == fell


def test_an_item_whose_planned_move_was_missed_is_not_in_its_lane() -> None:
    assert fell_into(item(row("at once")), PLACES, "rest", moves(), moved=False) == "rest"


def test_where_every_lane_has_an_actuator_the_rest_falls_off_the_end() -> None:
    places = {"first": FIRST, "second": SECOND}
    assert fell_into(item(), places, "first", moves(), moved=True) == END


def test_the_landing_error_is_against_the_item_and_not_against_the_plan() -> None:
    moved = sent_at(11.02, done=11.03)
    found = landing(item(row("first")), PLACES, moves(first=(11.03, 11.43)), moved)
    assert found is not None
    assert found.error_seconds == pytest.approx(0.03)
    assert found.after_plan_seconds == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("actuated", "out"),
    [
        (None, {"first": (11.0, 11.4)}),  # no verdict, or it moved for none
        (sent_at(11.03), {}),  # no move
        (sent_at(11.03), {"first": (10.9, 11.5)}),  # out already for the one before
        (sent_at(11.03, lane="at once"), {"first": (11.03, 11.4)}),
        (sent_at(11.03)._replace(missed=Missed.HELD), {"first": (11.03, 11.4)}),
    ],
)
def test_a_move_that_is_not_for_the_item_has_no_landing_error(
    actuated: Actuated | None, out: dict[str, tuple[float, float]]
) -> None:
    assert landing(item(row("first")), PLACES, moves(**out), actuated) is None


def test_moves_of_the_past_are_forgotten_and_the_present_one_is_kept() -> None:
    found = moves(first=(1.0, 2.0))
    found.moved("first", 5.0, active=True)
    found.moved("first", 5.1, active=True)
    found.forget_before(3.0)
    assert found.out("first") == [(5.0, float("inf"))]
    found.moved("first", 5.4, active=False)
    found.moved("first", 5.5, active=False)
    assert found.out("first") == [(5.0, 5.4)]


@pytest.mark.parametrize(
    ("sent", "out", "moment"),
    [
        ("at once", (9.9, 10.3), 9.9),
        ("at once", (9.0, 10.3), None),  # for the item before
        ("first", (9.9, 10.3), None),
        ("through", (9.9, 10.3), None),
    ],
)
def test_a_lane_that_moves_at_once_moves_after_the_verdict(
    sent: str, out: tuple[float, float], moment: float | None
) -> None:
    assert moved_at(item(row(sent)), PLACES, moves(**{sent: out})) == moment
