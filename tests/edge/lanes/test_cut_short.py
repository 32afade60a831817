"""A move for an item is one once the item has come by; what ends before that was cut short."""

from __future__ import annotations

import pytest

from edge.flow import Actuated, ItemKey, Missed
from edge.lanes.lanes import Lanes
from edge.lanes.schedule import Schedule, Timing
from tests.clocks import ToldClock
from tests.edge.lanes.test_lanes import RecordingActuator


@pytest.mark.parametrize(
    ("stands", "missed", "done"), [(1.2, Missed.CUT_SHORT, 1.2), (1.25, None, 1.0), (1.4, None, 1)]
)
def test_an_item_comes_by_in_the_middle_of_the_time_for_which_its_actuator_is_out(
    stands: float, missed: Missed | None, done: float
) -> None:
    schedule = Schedule({"a": Timing(0.5)})
    schedule.add("a", 1.0, ItemKey(1, 0.0, ""))
    schedule.take_due(1.0)
    assert (schedule.take_begun(), schedule.take_ended()) == (["a"], [])
    schedule.hold(stands)
    schedule.hold(stands)
    (ended,) = schedule.take_ended()
    assert (ended.at, ended.missed, ended.done) == (1.0, missed, done)
    assert schedule.missed == ({} if missed is None else {missed: 1})


def test_of_items_that_share_a_move_the_one_that_has_come_by_was_moved() -> None:
    schedule = Schedule({"a": Timing(0.5)})
    for item, at in enumerate((1.0, 1.3)):
        schedule.add("a", at, ItemKey(item, 0.0, ""))
        schedule.take_due(at)
    schedule.hold(1.4)
    assert [(one.key and one.key.item, one.missed) for one in schedule.take_ended()] == [
        (0, None), (1, Missed.CUT_SHORT),
    ]  # fmt: skip


def test_a_move_that_the_end_of_the_program_cuts_short_is_told_so_and_each_begin_is_told() -> None:
    log, told, begun, now = list[str](), list[Actuated](), list[str](), [1.0]
    lanes = Lanes(
        {name: RecordingActuator(name, log) for name in "ab"},
        {"a": Timing(1.0), "b": Timing(5.0)},
        clock=ToldClock(lambda: now[0]),
        report=told.append,
    )
    lanes.moves = begun.append
    lanes.actuate("a", 1.0, ItemKey(1, 1.0, "1"))
    lanes.actuate("b", 1.0, ItemKey(2, 1.0, "2"))
    lanes.actuate("b", 1.0)  # for no item
    lanes.step()
    assert (begun, [one.key for one in told]) == (["a", "b"], [None])
    now[0] = 1.6
    lanes.stop()
    lanes.run()
    assert [(one.key and one.key.item, one.missed) for one in told[1:]] == [
        (1, None), (2, Missed.CUT_SHORT),
    ]  # fmt: skip
    assert lanes.missed == {Missed.CUT_SHORT: 1}
