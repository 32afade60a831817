from __future__ import annotations

from edge.flow import ItemKey, Missed
from edge.lanes.schedule import LaneAction, Schedule, Timing

ON, OFF, LOOSE = LaneAction.ACTIVATE, LaneAction.REST, LaneAction.RELEASE


def changes(schedule: Schedule, until: float) -> list[tuple[float, str, LaneAction]]:
    """All that happens until a time, on a clock that is looked at exactly when it is time."""
    found = []
    while (now := schedule.next_at) is not None and now <= until:
        found += [(round(now, 6), lane, change) for lane, change in schedule.take_due(now)]
    return found


def test_an_actuation_is_on_at_its_time_for_its_hold_time() -> None:
    schedule = Schedule({"a": Timing(0.3)})
    schedule.add("a", 5.0)
    assert schedule.take_due(4.999) == []
    assert changes(schedule, 10) == [(5.0, "a", ON), (5.3, "a", OFF)]
    assert schedule.next_at is None


def test_actuations_come_in_order_of_their_time_not_of_their_planning() -> None:
    schedule = Schedule({"a": Timing(0.1), "b": Timing(0.5)})
    schedule.add("a", 2.0)
    schedule.add("b", 1.0)
    assert changes(schedule, 10) == [
        (1.0, "b", ON),
        (1.5, "b", OFF),
        (2.0, "a", ON),
        (2.1, "a", OFF),
    ]


def test_an_actuation_is_planned_anew_as_long_as_it_has_not_begun() -> None:
    schedule, key, other = Schedule({"a": Timing(0.1)}), ItemKey(1, 0.0, "x"), ItemKey(2, 0.0, "y")
    schedule.add("a", 1.0, other)
    schedule.add("a", 2.0, key)
    assert schedule.replan(key, 0.5)
    assert changes(schedule, 0.7) == [(0.5, "a", ON), (0.6, "a", OFF)]
    assert not schedule.replan(key, 0.9), "it has moved"
    assert changes(schedule, 10) == [(1.0, "a", ON), (1.1, "a", OFF)]
    assert [(ended.key, ended.at) for ended in schedule.take_ended()] == [(key, 0.5), (other, 1.0)]


def test_a_place_of_the_belt_is_planned_anew_too() -> None:
    schedule, key = Schedule({"a": Timing(0.1)}), ItemKey(1, 0.0, "x")
    schedule.add("a", 2.0, key, metres=3.0)
    assert schedule.replan(key, 2.1, metres=3.2)
    assert (schedule.on_belt, schedule.next_at) == (1, None)
    schedule.cancel_all(0.0)
    assert [ended.at for ended in schedule.take_ended()] == [2.1]


def test_an_item_that_follows_closely_prolongs_the_hold() -> None:
    schedule = Schedule({"a": Timing(0.3)})
    schedule.add("a", 1.0)
    schedule.add("a", 1.2)
    assert changes(schedule, 10) == [(1.0, "a", ON), (1.5, "a", OFF)]


def test_a_stream_of_items_is_cut_at_the_longest_on_time() -> None:
    schedule = Schedule({"a": Timing(0.3, max_on_seconds=0.5)})
    for tenth in range(10, 18):
        schedule.add("a", tenth / 10)
    found = changes(schedule, 10)
    assert found == [
        (1.0, "a", ON),
        (1.5, "a", OFF),
        (1.5, "a", ON),  # the item due at that moment begins anew
        (2.0, "a", OFF),
    ]


def test_an_item_for_which_too_little_on_time_is_left_did_not_move_its_actuator() -> None:
    schedule = Schedule({"a": Timing(0.3, max_on_seconds=0.5)})
    for item, at in enumerate((1.0, 1.2, 1.4), 1):
        schedule.add("a", at, ItemKey(item, 0.0, ""))
    assert changes(schedule, 10) == [(1.0, "a", ON), (1.5, "a", OFF)]
    assert [(one.key.item, one.missed) for one in schedule.take_ended() if one.key] == [
        (1, None), (2, None), (3, Missed.COOLING),
    ]  # fmt: skip


def test_the_longest_on_time_holds_where_the_clock_was_not_looked_at_for_a_while() -> None:
    schedule = Schedule({"a": Timing(0.3, max_on_seconds=0.5)})
    schedule.add("a", 1.0)
    schedule.add("a", 1.6)
    assert schedule.take_due(1.0) == [("a", ON)]
    assert schedule.take_due(1.7) == [("a", OFF), ("a", ON)]


def test_a_lane_seen_a_little_late_still_holds_its_full_time() -> None:
    schedule = Schedule({"a": Timing(0.3)})
    schedule.add("a", 1.0)
    assert schedule.take_due(1.2) == [("a", ON)]
    assert schedule.next_at == 1.5


def test_an_item_that_has_passed_is_not_pushed() -> None:
    schedule = Schedule({"a": Timing(0.3)})
    schedule.add("a", 1.0)
    assert schedule.take_due(1.4) == []
    assert (schedule.missed, schedule.next_at) == ({Missed.OVERDUE: 1}, None)


def test_lanes_do_not_disturb_each_other() -> None:
    schedule = Schedule({"a": Timing(1.0), "b": Timing(0.2)})
    schedule.add("a", 1.0)
    schedule.add("b", 1.1)
    assert changes(schedule, 10) == [
        (1.0, "a", ON),
        (1.1, "b", ON),
        (1.3, "b", OFF),
        (2.0, "a", OFF),
    ]


def test_everything_goes_to_rest_before_the_first_actuation() -> None:
    schedule = Schedule({"a": Timing(1.0), "b": Timing(1.0, release_seconds=0.5)})
    assert schedule.begin(7.0) == [("a", OFF), ("b", OFF)]
    assert schedule.idle
    assert changes(schedule, 10) == [(7.5, "b", LOOSE)]
    assert schedule.next_at is None


def test_an_arm_is_released_after_each_of_its_turns_but_not_in_the_middle_of_one() -> None:
    schedule = Schedule({"a": Timing(0.3, release_seconds=0.5)})
    schedule.add("a", 1.0)
    assert changes(schedule, 10) == [(1.0, "a", ON), (1.3, "a", OFF), (1.8, "a", LOOSE)]
    schedule = Schedule({"a": Timing(0.9, release_seconds=0.5)})
    schedule.add("a", 1.0)
    found = changes(schedule, 10)
    assert found == [(1.0, "a", ON), (1.5, "a", LOOSE), (1.9, "a", OFF), (2.4, "a", LOOSE)]


def test_an_arm_that_holds_a_push_while_it_diverts_is_released_at_rest_only() -> None:
    schedule = Schedule({"a": Timing(0.9, release_seconds=0.5, held_active=True)})
    schedule.add("a", 1.0)
    schedule.add("a", 2.0)
    assert changes(schedule, 10) == [
        (1.0, "a", ON), (1.9, "a", OFF), (2.0, "a", ON), (2.9, "a", OFF), (3.4, "a", LOOSE),
    ]  # fmt: skip
    assert schedule.begin(20.0) == [("a", OFF)]
    assert changes(schedule, 30) == [(20.5, "a", LOOSE)]


def test_a_coil_in_a_stream_of_items_is_on_for_half_of_the_time() -> None:
    schedule = Schedule({"a": Timing(0.3, max_on_seconds=0.5, cool_seconds=0.5)})
    for tenth in range(10, 40):
        schedule.add("a", tenth / 10)
    found = changes(schedule, 10)
    # on for 0.5 seconds, then off until it can hold for 0.3 again
    assert [(at, change) for at, _, change in found] == [
        (1.0, ON),
        (1.5, OFF),
        (1.8, ON),
        (2.1, OFF),
        (2.4, ON),
        (2.7, OFF),
        (3.0, ON),
        (3.3, OFF),
        (3.6, ON),
        (3.9, OFF),
    ]
    # Three were given their full time at first, and then one each time that it went on.
    assert schedule.missed[Missed.COOLING] == 30 - 3 - 4


def test_items_that_come_now_and_then_find_a_cool_coil() -> None:
    schedule = Schedule({"a": Timing(0.3, max_on_seconds=0.5, cool_seconds=1.0)})
    for second in range(1, 20):
        schedule.add("a", float(second))
    assert len(changes(schedule, 30)) == 38
    assert not schedule.missed


def test_a_coil_that_was_on_for_a_short_time_needs_a_short_pause() -> None:
    schedule = Schedule({"a": Timing(0.3, max_on_seconds=0.5, cool_seconds=1.0)})
    for at in (1.0, 1.4, 1.6):  # it has 0.2 left, 0.25, and at last 0.35
        schedule.add("a", at)
    assert changes(schedule, 10) == [
        (1.0, "a", ON),
        (1.3, "a", OFF),
        (1.6, "a", ON),
        (1.9, "a", OFF),
    ]
    assert schedule.missed == {Missed.COOLING: 1}


def test_a_hold_as_long_as_the_longest_on_time_is_possible() -> None:
    schedule = Schedule({"a": Timing(0.1, max_on_seconds=0.1, cool_seconds=0.1)})
    for tenth in (1, 3, 5, 7, 9):
        schedule.add("a", tenth / 10)
    assert len(changes(schedule, 10)) == 10
    assert not schedule.missed


def test_what_is_given_up_counts_as_missed() -> None:
    schedule = Schedule({"flap": Timing(hold_seconds=1)})
    schedule.add("flap", 5.0)
    schedule.add("flap", 6.0)
    schedule.cancel_all(0.0)
    assert (schedule.missed, schedule.idle) == ({Missed.STOPPED: 2}, True)


def test_what_is_moved_by_hand_is_active_for_as_long_as_is_asked_and_survives_a_hold() -> None:
    schedule = Schedule({"a": Timing(0.3), "b": Timing(0.3)})
    schedule.add("b", 1.0)
    schedule.add_by_hand("a", 1.0, 0.8)
    schedule.hold(1.0, by_hand=True)
    assert schedule.take_due(1.0) == [("a", ON)]
    schedule.hold(1.5, by_hand=True)
    assert schedule.take_due(1.5) == []
    assert schedule.take_due(1.8) == [("a", OFF)]
    assert [(one.lane, one.missed) for one in schedule.take_ended()] == [
        ("b", Missed.HELD), ("a", None),
    ]  # fmt: skip
    assert schedule.missed == {Missed.HELD: 1}


def test_a_hold_that_spares_nothing_ends_what_is_moved_by_hand() -> None:
    schedule = Schedule({"a": Timing(0.3), "b": Timing(0.3)})
    schedule.add_by_hand("a", 1.0, 0.8)
    schedule.take_due(1.0)
    schedule.add_by_hand("b", 1.1, 0.8)
    schedule.hold(1.1)
    assert schedule.take_due(1.1) == [("a", OFF)]
    assert schedule.idle


def test_what_is_on_for_an_item_is_not_spared_as_moved_by_hand() -> None:
    schedule = Schedule({"a": Timing(0.3)})
    schedule.add("a", 1.0)
    assert schedule.take_due(1.0) == [("a", ON)]
    schedule.hold(1.1, by_hand=True)
    assert schedule.take_due(1.1) == [("a", OFF)]


def test_by_hand_a_coil_is_on_no_longer_than_it_may_be_and_cools_as_ever() -> None:
    schedule = Schedule({"a": Timing(0.3, 1.0, cool_seconds=1.0)})
    assert schedule.stands("a", 0.0, 1.0)
    assert not schedule.stands("a", 0.0, 1.1)
    schedule.add_by_hand("a", 0.0, 0.9)
    schedule.take_due(0.0)
    assert not schedule.stands("a", 0.5, 0.6)
    schedule.add_by_hand("a", 0.5, 0.9)  # prolonged up to the limit
    schedule.take_due(0.5)
    assert schedule.take_due(1.0) == [("a", OFF)]
    assert not schedule.stands("a", 1.2, 0.3)
    assert schedule.stands("a", 1.31, 0.3)


def test_a_lane_that_shares_its_mover_waits_for_it_when_it_is_moved_by_hand() -> None:
    timing = Timing(0.3, group="bin")
    schedule = Schedule({"a": timing, "b": timing})
    schedule.add_by_hand("a", 0.0, 0.5)
    schedule.add_by_hand("b", 0.0, 0.7)
    assert schedule.take_due(0.0) == [("a", ON)]
    assert schedule.take_due(0.5) == [("a", OFF), ("b", ON)]
    assert schedule.take_due(1.2) == [("b", OFF)]


def test_a_move_by_hand_begins_when_it_is_taken_however_late_that_is() -> None:
    schedule = Schedule({"a": Timing(0.3)})
    schedule.add_by_hand("a", 1.0, 0.02)
    assert schedule.take_due(1.5) == [("a", ON)]
    assert schedule.take_due(1.52) == [("a", OFF)]


def test_by_hand_nothing_is_prolonged_for_ever() -> None:
    schedule = Schedule({"a": Timing(0.3)})
    for second in range(0, 60, 20):
        schedule.add_by_hand("a", second, 40.0)
        schedule.take_due(float(second))
    assert schedule.take_due(60.0) == [("a", OFF)]


def test_what_is_missed_by_hand_is_no_item_that_was_missed() -> None:
    schedule = Schedule({"a": Timing(0.3)})
    schedule.add_by_hand("a", 1.0, 0.5)
    schedule.hold(1.0)
    assert not schedule.missed
    assert schedule.take_ended() == []
