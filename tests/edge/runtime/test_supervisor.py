from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable, Iterator, Set

import pytest

from edge.core.errors import StuckError
from edge.runtime.clock import Flag
from edge.runtime.heartbeat import Heartbeat
from edge.runtime.supervisor import Supervisor, Task
from edge.runtime.worker import Endings
from edge.simulation.virtual_clock import VirtualClock
from tests.logged import listen


class House:
    """Threads under a supervisor in virtual time, and all that it tells them, in order."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.endings: Endings = queue.SimpleQueue()
        self.told: list[str] = []
        self.said: list[str] = []
        self.well: list[float] = []
        self.finished_at: float | None = None
        self.reason = "nothing has ended"
        self.stopping, self.finishing = Flag(self.clock), Flag(self.clock)
        listen(self.said.append)
        self.supervisor = Supervisor(self.endings, self, clock=self.clock, notifier=None)

    def well_until(self, moment: float) -> None:
        self.well.append(moment)

    def ended(self, name: str, working: Set[str]) -> None:
        self.told.append(f"{name} ended, {' '.join(sorted(working)) or 'none'} left")

    def stop(self) -> None:
        self.told.append("stop")
        self.stopping.set()

    def finish(self) -> None:
        self.told.append("finish")
        self.finished_at = self.clock.now()
        self.reason = self.supervisor.reason
        self.finishing.set()

    def task(self, name: str, body: Callable[[Heartbeat], None], *, moves: bool = False) -> Task:
        heartbeat = Heartbeat(self.clock.now)

        def work() -> None:
            with heartbeat.working():
                body(heartbeat)

        return Task(name, work, heartbeat, moves=moves)

    def until_stopped(self, heartbeat: Heartbeat) -> None:
        while not self.stopping.wait(self.clock.now() + 0.5):
            heartbeat.beat()

    def rests(self, seconds: float) -> Callable[[Heartbeat], None]:
        def rest(heartbeat: Heartbeat) -> None:
            Flag(self.clock).wait(self.clock.now() + seconds)

        return rest

    def run(self, *tasks: Task) -> None:
        last = self.task("rows", lambda heart: self.wait_for_finish())
        self.clock.enter()
        try:
            self.supervisor.run(tasks, last=last, ready="")
        finally:
            self.clock.leave()

    def wait_for_finish(self) -> None:
        self.finishing.wait(float("inf"))
        self.told.append("rows written")


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    yield house
    house.stopping.set()
    house.finishing.set()


def test_the_last_thread_ends_after_all_the_others(house: House) -> None:
    house.run(house.task("first", house.rests(3)), house.task("second", house.rests(5)))
    assert house.told == [
        "first ended, second left",
        "second ended, none left",
        "stop",
        "finish",
        "rows written",
    ]
    assert house.finished_at == 5
    assert house.reason == ""


def test_while_all_goes_well_that_is_told_every_second(house: House) -> None:
    house.run(house.task("first", house.rests(4.5)))
    assert house.well == [3, 4, 5, 6, 7]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_every_thread(house: House, number: signal.Signals) -> None:
    house.endings.put(number)
    house.run(house.task("first", house.until_stopped), house.task("second", house.until_stopped))
    assert house.said == ["ready", f"stopping: {number.name}"]
    assert house.reason == number.name
    assert house.told[0] == "stop"
    assert house.told[-2:] == ["finish", "rows written"]


def test_the_first_failure_stops_the_others_and_is_raised(house: House) -> None:
    def fail(heartbeat: Heartbeat) -> None:
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError, match="a bug"):
        house.run(house.task("first", fail), house.task("second", house.until_stopped))
    assert house.reason == "a bug"
    assert house.told == [
        "first ended, second left",
        "stop",
        "second ended, none left",
        "stop",
        "finish",
        "rows written",
    ]


def test_a_failure_of_the_last_thread_is_raised_when_the_others_have_ended(house: House) -> None:
    def fail(heartbeat: Heartbeat) -> None:
        house.finishing.wait(float("inf"))
        raise ZeroDivisionError("a bug")

    last = house.task("rows", fail)
    house.clock.enter()
    with pytest.raises(ZeroDivisionError, match="a bug"):
        house.supervisor.run([house.task("first", house.rests(3))], last=last, ready="")
    house.clock.leave()
    assert house.told == ["first ended, none left", "stop", "finish"]


def test_what_does_not_end_when_it_is_told_to_is_given_up_and_named(house: House) -> None:
    house.endings.put(signal.SIGTERM)
    with pytest.raises(StuckError, match=r"did not end within 4\.2 seconds: second$"):
        house.run(house.task("first", house.until_stopped), house.task("second", house.rests(1000)))
    assert house.finished_at == pytest.approx(4.2)
    assert house.told[-2:] == ["finish", "rows written"]


def test_a_thread_that_is_silent_is_named_and_the_rest_is_stopped(house: House) -> None:
    with pytest.raises(StuckError, match=r"^the thread second has not responded for 7 seconds"):
        house.run(house.task("first", house.until_stopped), house.task("second", house.rests(1000)))
    assert house.told[:2] == ["stop", "finish"]
    assert house.reason.startswith("the thread second has not responded")


@pytest.mark.parametrize(("moves", "first"), [(True, "at rest"), (False, "finish")])
def test_a_thread_that_moves_actuators_is_waited_for_in_any_case(
    house: House, moves: bool, first: str
) -> None:
    """Here the supervisor's own wait is broken off, as by a second Ctrl-C."""

    class Impatient(VirtualClock):
        def get(self, queue: object, until: float) -> object:  # type: ignore[override]
            raise KeyboardInterrupt

    house.clock.__class__ = Impatient
    begun = threading.Event()

    def move(heartbeat: Heartbeat) -> None:
        begun.set()
        house.stopping.wait(float("inf"))
        Flag(house.clock).wait(house.clock.now() + 0.5)
        house.told.append("at rest")

    with pytest.raises(KeyboardInterrupt):
        house.run(house.task("lanes", move, moves=moves))
    assert begun.is_set()
    assert house.told[:2] == ["stop", first]
