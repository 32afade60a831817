from __future__ import annotations

import threading
from pathlib import Path

import pytest

from edge.core.errors import ControlRefusedError
from edge.flow import Actuated, ItemKey, Missed
from edge.lanes.keep_alive import KeepAlive
from edge.lanes.lanes import Lanes
from edge.lanes.schedule import Timing
from edge.pins.pins import open_pins
from tests.clocks import ToldClock


class RecordingActuator:
    """Writes down what it is told; raises where it is asked to."""

    def __init__(self, name: str, log: list[str], *, fails: bool = False) -> None:
        self.name, self.log, self.fails = name, log, fails
        self.moved = threading.Event()

    def activate(self) -> None:
        if self.fails:
            raise OSError("wire broken")
        self.log.append(f"{self.name} on")
        self.moved.set()

    def rest(self) -> None:
        self.log.append(f"{self.name} off")

    def release(self) -> None:
        self.log.append(f"{self.name} loose")

    def safe(self) -> None:
        self.log.append(f"{self.name} safe")

    def close(self) -> None:
        self.log.append(f"{self.name} closed")


def test_a_step_moves_what_is_due_on_the_clock_it_is_given() -> None:
    log: list[str] = []
    times = iter((0.9, 1.0, 1.2, 1.3))
    lanes = Lanes(
        {"a": RecordingActuator("a", log)}, {"a": Timing(0.3)}, clock=ToldClock(lambda: next(times))
    )
    lanes.actuate("a", 1.0)
    for expected in ([], ["a on"], ["a on"], ["a on", "a off"]):
        lanes.step()
        assert log == expected


def test_the_thread_finishes_what_is_planned() -> None:
    log: list[str] = []
    now = 5.0

    def clock() -> float:
        nonlocal now
        now += 0.001  # time goes on with each look
        return now

    lanes = Lanes({"a": RecordingActuator("a", log)}, {"a": Timing(0.01)}, clock=ToldClock(clock))
    lanes.actuate("a", 5.0)
    lanes.finish()
    lanes.run()
    assert log == ["a off", "a on", "a off", "a safe"]


def test_an_arm_that_needs_no_holding_is_released_when_it_had_time_to_turn() -> None:
    log: list[str] = []
    now = iter((1.0, 1.2, 1.3, 1.5))
    lanes = Lanes(
        {"a": RecordingActuator("a", log)},
        {"a": Timing(0.3, release_seconds=0.2)},
        clock=ToldClock(lambda: next(now)),
    )
    lanes.actuate("a", 1.0)
    for expected in ("on", "loose", "off", "loose"):
        lanes.step()
        assert log[-1] == f"a {expected}"


def test_a_release_that_is_due_does_not_keep_the_thread_from_its_end() -> None:
    log: list[str] = []
    lanes = Lanes(
        {"a": RecordingActuator("a", log)},
        {"a": Timing(1, release_seconds=5)},
        clock=ToldClock(lambda: 1.0),
    )
    lanes.finish()
    lanes.run()
    assert log == ["a off", "a safe"]


def test_a_hold_time_can_be_changed_between_two_actuations() -> None:
    log: list[str] = []
    now = iter((1.0, 1.3, 2.0, 2.3, 2.6))
    lanes = Lanes(
        {"a": RecordingActuator("a", log)}, {"a": Timing(0.3)}, clock=ToldClock(lambda: next(now))
    )
    lanes.actuate("a", 1.0)
    lanes.actuate("a", 2.0)
    lanes.step()
    lanes.step()
    lanes.retime("a", Timing(0.6))
    lanes.step()
    lanes.step()
    assert log == ["a on", "a off", "a on"]
    lanes.step()
    assert log == ["a on", "a off", "a on", "a off"]


def test_it_has_begun_once_everything_is_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[bool] = []
    actuator = RecordingActuator("a", [])
    lanes = Lanes({"a": actuator}, {"a": Timing(1)}, clock=ToldClock(lambda: 1.0))
    monkeypatch.setattr(actuator, "rest", lambda: begun.append(lanes.begun.is_set()))
    monkeypatch.setattr(actuator, "safe", lambda: begun.append(lanes.begun.is_set()))
    lanes.finish()
    lanes.run()
    assert begun == [False, True]


def test_a_stop_leaves_everything_safe_and_the_rest_of_the_plan_undone() -> None:
    log: list[str] = []
    actuator = RecordingActuator("a", log)
    lanes = Lanes({"a": actuator}, {"a": Timing(60)}, clock=ToldClock(lambda: 1.0))
    thread = threading.Thread(target=lanes.run)
    thread.start()
    lanes.actuate("a", 1.0)
    assert actuator.moved.wait(60)
    lanes.actuate("a", 1e9)
    lanes.stop()
    thread.join(60)
    assert not thread.is_alive()
    assert log == ["a off", "a on", "a safe"]


def test_one_broken_actuator_does_not_keep_the_others_from_safety() -> None:
    log: list[str] = []
    actuators = {"a": RecordingActuator("a", log), "b": RecordingActuator("b", log, fails=True)}
    lanes = Lanes(actuators, {"a": Timing(60), "b": Timing(60)}, clock=ToldClock(lambda: 1.0))
    lanes.actuate("a", 1.0)
    lanes.actuate("b", 1.0)
    with pytest.raises(OSError, match="wire broken"):
        lanes.run()
    assert log[:3] == ["a off", "b off", "a on"]
    assert sorted(log[3:]) == ["a safe", "b safe"]


def test_what_became_of_each_actuation_is_told_after_the_pins_were_written() -> None:
    log: list[str] = []
    told: list[tuple[int, Missed | None, bool]] = []

    def report(actuated: Actuated) -> None:
        assert actuated.key is not None
        told.append((actuated.key.item, actuated.missed, "a on" in log))

    now = [0.0]
    lanes = Lanes(
        {"a": RecordingActuator("a", log)},
        {"a": Timing(0.3, max_on_seconds=0.3, cool_seconds=1)},
        clock=ToldClock(lambda: now[0]),
        report=report,
    )
    for item, at in enumerate((1.0, 1.5, 2.5, 9.0), 1):
        lanes.actuate("a", at, ItemKey(item, 0.0, f"id {item}"))
    for now[0] in (1.0, 1.3, 1.5, 3.0):  # the last: while it cools, after the item has passed
        lanes.step()
    lanes.stop()
    lanes.run()
    lanes.actuate(
        "a", 9.5, ItemKey(5, 0.0, "id 5")
    )  # a verdict that comes when nobody moves anything
    assert told == [
        (1, None, True),
        (2, Missed.COOLING, True),
        (3, Missed.OVERDUE, True),
        (4, Missed.STOPPED, True),
        (5, Missed.STOPPED, True),
    ]


def test_an_actuator_that_fails_did_not_move() -> None:
    log: list[str] = []
    told: list[tuple[str, Missed | None]] = []
    lanes = Lanes(
        {"a": RecordingActuator("a", log), "b": RecordingActuator("b", log, fails=True)},
        {"a": Timing(0.3), "b": Timing(0.3)},
        clock=ToldClock(lambda: 1.0),
        report=lambda actuated: told.append((actuated.lane, actuated.missed)),
    )
    for lane, at in (("a", 0.9), ("b", 0.95), ("a", 2.0)):
        lanes.actuate(lane, at)
    with pytest.raises(OSError, match="wire broken"):
        lanes.run()
    assert told == [("a", None), ("b", Missed.FAULT), ("a", Missed.STOPPED)]


def test_whoever_ends_a_station_does_not_wait_for_lanes_that_hang() -> None:
    lanes = Lanes({}, {}, clock=ToldClock(lambda: 0.0))
    hung, go_on = threading.Event(), threading.Event()

    def hang() -> None:
        if lanes.begun.is_set():  # it holds the lock now
            hung.set()
            go_on.wait(60)

    lanes.heartbeat.beat = hang  # type: ignore[method-assign]
    thread = threading.Thread(target=lanes.run, daemon=True)
    thread.start()
    assert hung.wait(60)
    ending = threading.Thread(target=lambda: (lanes.stop(), lanes.missed), daemon=True)
    ending.start()
    ending.join(60)
    assert not ending.is_alive()
    go_on.set()
    thread.join(60)
    assert not thread.is_alive()


def test_what_is_held_goes_to_rest_and_misses_what_is_planned_until_it_goes_on() -> None:
    log: list[str] = []
    told: list[Actuated] = []
    now = [1.0]
    lanes = Lanes(
        {"a": RecordingActuator("a", log)},
        {"a": Timing(5.0)},
        clock=ToldClock(lambda: now[0]),
        report=told.append,
    )
    lanes.actuate("a", 1.0, ItemKey(1, 1.0, "1"))
    lanes.actuate("a", 9.0, ItemKey(2, 1.0, "2"))
    lanes.step()
    now[0] = 2.0
    lanes.hold()
    lanes.actuate("a", 2.0, ItemKey(3, 2.0, "3"))  # planned by who did not know of it yet
    lanes.step()
    assert log == ["a on", "a off"]
    assert lanes.idle
    now[0] = 9.0
    lanes.go_on()
    lanes.step()
    lanes.actuate("a", 9.0, ItemKey(4, 9.0, "4"))
    lanes.step()
    assert log == ["a on", "a off", "a on"]
    assert [(one.key and one.key.item, one.missed) for one in told] == [
        (1, Missed.CUT_SHORT), (2, Missed.HELD), (3, Missed.HELD),
    ]  # fmt: skip


def by_hand(now: list[float], log: list[str], timing: Timing) -> Lanes:
    """A held lane that may be moved by hand."""
    lanes = Lanes(
        {"a": RecordingActuator("a", log)}, {"a": timing}, clock=ToldClock(lambda: now[0])
    )
    lanes.hold()
    lanes.allow_by_hand()
    return lanes


def test_by_hand_a_held_lane_moves_once_and_nothing_moves_for_items() -> None:
    log, now = list[str](), [1.0]
    lanes = by_hand(now, log, Timing(0.3, 2.0, cool_seconds=2.0))
    lanes.actuate("a", 1.0, ItemKey(1, 1.0, "1"))
    assert lanes.move_by_hand("a") == 0.3
    lanes.actuate("a", 1.0, ItemKey(2, 1.0, "2"))
    lanes.step()
    assert log == ["a on"]
    now[0] = 1.3
    lanes.step()
    assert log == ["a on", "a off"]
    assert lanes.missed == {Missed.HELD: 2}
    assert lanes.move_by_hand("a", 1.2) == 1.2


def test_what_ends_moving_by_hand_puts_the_lane_at_rest_at_once() -> None:
    log, now = list[str](), [1.0]
    lanes = by_hand(now, log, Timing(5.0))
    lanes.move_by_hand("a")
    lanes.step()
    lanes.hold()
    lanes.step()
    assert log == ["a on", "a off"]
    with pytest.raises(ControlRefusedError, match="no lane is moved by hand now"):
        lanes.move_by_hand("a")


@pytest.mark.parametrize(
    ("lane", "seconds", "said"),
    [
        ("b", None, "there is no lane 'b' with an actuator. Lanes with one: a"),
        ("a", 2.1, r"for 0.01 to 2 seconds \(max_on_seconds\), and not for 2.1"),
        ("a", 0.002, r"for 0.01 to 2 seconds \(max_on_seconds\), and not for 0.002"),
        ("a", 1.9, "its coil has to cool"),
    ],
)
def test_a_move_by_hand_that_may_not_be_is_refused(
    lane: str, seconds: float | None, said: str
) -> None:
    log, now = list[str](), [1.0]
    lanes = by_hand(now, log, Timing(0.3, 2.0, cool_seconds=2.0))
    lanes.move_by_hand("a")
    lanes.step()
    now[0] = 1.35
    lanes.step()
    with pytest.raises(ControlRefusedError, match=said):
        lanes.move_by_hand(lane, seconds)
    lanes.step()
    assert log == ["a on", "a off"]


def test_an_actuator_without_a_longest_time_is_active_by_hand_for_a_minute_at_most() -> None:
    lanes = by_hand([1.0], [], Timing(0.3))
    assert lanes.move_by_hand("a", 60.0) == 60
    with pytest.raises(ControlRefusedError, match="the limit of moves by hand"):
        lanes.move_by_hand("a", 61.0)


class LostMotor(RecordingActuator):
    """A motor that does not know where it stands, and finds its home with its fifth step."""

    steps = 0

    @property
    def ready(self) -> bool:
        return self.steps >= 5

    @property
    def next_at(self) -> float | None:
        return None if self.ready else float("-inf")

    def lose_position(self) -> None:
        self.steps = 0

    def step(self, now: float) -> None:
        self.steps += 1


def with_a_motor(log: list[str]) -> tuple[Lanes, LostMotor]:
    motor = LostMotor("m", log)
    lanes = Lanes(
        {"a": RecordingActuator("a", log), "m": motor}, {"a": Timing(0.3), "m": Timing(0.3)},
        clock=ToldClock(lambda: 1.0),
    )  # fmt: skip
    lanes.hold()
    return lanes, motor


def test_while_the_emergency_stop_counts_the_keep_alive_pin_stays_low(tmp_path: Path) -> None:
    now = [0.0]
    with open_pins(tmp_path / "no board") as pins:
        alive = KeepAlive(21, change_seconds=0.25, pins=pins)
        lanes = Lanes({}, {}, clock=ToldClock(lambda: now[0]), keep_alive=alive)
        lanes.allow_keep_alive(100.0)

        def levels(*times: float) -> list[int]:
            found = []
            for now[0] in times:
                lanes.step()
                found.append(int(pins.factory.pin(21).state))
            return found

        assert levels(0.0, 0.25, 0.5) == [1, 0, 1]
        lanes.hold()
        assert levels(0.75, 1.0) == [0, 1]
        lanes.cut_off()
        assert levels(1.0, 1.25, 1.5) == [0, 0, 0]
        assert lanes.next_at == float("inf")
        lanes.hold()  # it was cleared, and waits
        assert levels(1.75) == [0]
        lanes.go_on()
        assert levels(1.8, 2.05) == [1, 0]
        lanes.cut_off()
        assert levels(2.1) == [0]
        lanes.allow_by_hand()
        assert levels(2.3, 2.55) == [1, 0]
        alive.close()


def test_where_somebody_may_reach_into_the_machine_no_motor_looks_for_its_home() -> None:
    lanes, motor = with_a_motor([])
    lanes.step()
    lanes.step()
    assert motor.steps == 2  # it began to look for it before
    lanes.allow_by_hand()
    for _ in range(9):
        lanes.step()
    assert motor.steps == 0


def test_a_coil_is_moved_by_hand_while_a_motor_stands_somewhere_and_does_not_make_it_move() -> None:
    log: list[str] = []
    lanes, motor = with_a_motor(log)
    lanes.allow_by_hand()
    lanes.move_by_hand("a")
    lanes.step()
    assert (log, motor.steps) == (["a on"], 0)


def test_a_motor_looks_for_its_home_only_where_somebody_asks_for_its_lane() -> None:
    log: list[str] = []
    lanes, motor = with_a_motor(log)
    lanes.allow_by_hand()
    with pytest.raises(ControlRefusedError, match="The motors of m look for their home switches"):
        lanes.move_by_hand("m")
    for _ in range(6):
        lanes.step()
    assert (motor.ready, log) == (True, [])
    lanes.move_by_hand("m")
    lanes.step()
    assert log == ["m on"]


def test_a_thread_of_the_lanes_that_hangs_holds_up_nobody_who_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edge.lanes.lanes._LOCK_SECONDS", 0.01)
    lanes = by_hand([1.0], [], Timing(0.3))
    lanes._changed.acquire()
    said: list[str] = []

    def ask() -> None:
        with pytest.raises(ControlRefusedError) as told:
            lanes.move_by_hand("a")
        said.append(str(told.value))

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(60)
    assert "does not answer" in said[0]
    lanes._changed.release()


def test_what_was_left_out_is_told_at_once_though_nothing_is_due() -> None:
    told: list[Actuated] = []
    lanes = Lanes(
        {"a": RecordingActuator("a", [])}, {"a": Timing(1)}, clock=ToldClock(lambda: 1.0),
        report=told.append,
    )  # fmt: skip
    lanes.actuate("a", 100.0, ItemKey(1, 1.0, "1"))
    lanes.hold()
    assert lanes._wait()
    lanes.step()
    assert [one.missed for one in told] == [Missed.HELD]
