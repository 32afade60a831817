from __future__ import annotations

import threading

import pytest

from edge.lanes.lanes import Lanes
from edge.lanes.schedule import Timing


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

    def close(self) -> None:
        self.log.append(f"{self.name} closed")


def test_a_step_moves_what_is_due_on_the_clock_it_is_given() -> None:
    log: list[str] = []
    times = iter((0.9, 1.0, 1.2, 1.3))
    lanes = Lanes({"a": RecordingActuator("a", log)}, {"a": Timing(0.3)}, clock=lambda: next(times))
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

    lanes = Lanes({"a": RecordingActuator("a", log)}, {"a": Timing(0.01)}, clock=clock)
    lanes.actuate("a", 5.0)
    lanes.finish()
    lanes.run()
    assert log == ["a on", "a off", "a off"]


def test_a_stop_leaves_everything_at_rest_and_the_rest_of_the_plan_undone() -> None:
    log: list[str] = []
    actuator = RecordingActuator("a", log)
    lanes = Lanes({"a": actuator}, {"a": Timing(60)}, clock=lambda: 1.0)
    thread = threading.Thread(target=lanes.run)
    thread.start()
    lanes.actuate("a", 1.0)
    assert actuator.moved.wait(10)
    lanes.actuate("a", 1e9)
    lanes.stop()
    thread.join(10)
    assert not thread.is_alive()
    assert log == ["a on", "a off"]


def test_one_broken_actuator_does_not_keep_the_others_from_rest() -> None:
    log: list[str] = []
    actuators = {"a": RecordingActuator("a", log), "b": RecordingActuator("b", log, fails=True)}
    lanes = Lanes(actuators, {"a": Timing(60), "b": Timing(60)}, clock=lambda: 1.0)
    lanes.actuate("a", 1.0)
    lanes.actuate("b", 1.0)
    with pytest.raises(OSError, match="wire broken"):
        lanes.run()
    assert log[0] == "a on"
    assert sorted(log[1:]) == ["a off", "b off"]
