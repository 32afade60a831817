"""What a station's watch makes of a belt that stops, beside what whole stations show
(tests/edge/test_station_state.py)."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from edge.config.stops.section import ExitSensor, StopSettings
from edge.control.client import ANSWER_SECONDS
from edge.control.messages import ControlCommand, ControlRequest
from edge.core.errors import GoldenError, LabelLaneError
from edge.events import (
    Event,
    IncidentEnded,
    IncidentRaised,
    Stamps,
    StateChanged,
)
from edge.flow import Frame
from edge.lanes.belt_travel import BeltTravel
from edge.lanes.lanes import Lanes
from edge.lanes.schedule import Timing
from edge.ledger.journal import Journal
from edge.ledger.reports.last_run import LastRun
from edge.pins.pins import Pins, open_pins
from edge.state.incidents.notice import Notice
from edge.state.watch import StateWatch
from tests.clocks import ToldClock
from tests.edge.lanes.test_lanes import LostMotor
from tests.edge.vision.camera.test_scene_checks import SCENE, covered, shot

SETTINGS = StopSettings(exits={"warm": ExitSensor(pin=6, after_seconds=2.0)})


class Sink:
    """A recorder that keeps events; `writes` says whether it writes them down."""

    ledger_fails = False
    writes = True

    def __init__(self) -> None:
        self.told: list[Event] = []
        self.offer = self.told.append
        self.asked: list[float] = []

    def keeps_state(self, seconds: float) -> bool:
        self.asked.append(seconds)
        return self.writes


CAMERA = SimpleNamespace(locked=None, watched_name="cam", seconds_per_frame=0.1)


def watch(
    now: Callable[[], float],
    travel: BeltTravel | None = None,
    *,
    lanes: Lanes | None = None,
    camera: Any = CAMERA,
    learns: bool = False,
) -> tuple[StateWatch, Sink]:
    clock, sink = ToldClock(now, now), Sink()
    recorder: Any = sink
    pins: Pins = open_pins()
    config: Any = SimpleNamespace(
        stops=SETTINGS, camera=camera, reference=None,
        trigger=SimpleNamespace(fills_picture_seconds=0.0, learning_seconds=1.0),
    )  # fmt: skip
    found = StateWatch(
        config, lanes=lanes or Lanes({}, {}, clock=clock, travel=travel),
        journal=Journal(recorder, Stamps("a", now), LastRun()), clock=clock,
    )  # fmt: skip
    found.open_contacts(lambda: pins)
    found.ready(learns=learns)
    return found, sink


def ask(watch: StateWatch, command: str) -> None:
    assert watch.answer(ControlRequest(ControlCommand(command), "ana")).ok


def test_that_the_mode_has_changed_is_answered_once_it_is_written_down() -> None:
    found, sink = watch(lambda: 0.0, None)
    with found:
        ask(found, "stop")
        assert sink.asked == []
        maintenance = ControlRequest(ControlCommand.MODE, "ana", mode="Maintenance")
        assert found.answer(maintenance).ok
        (seconds,) = sink.asked
        assert 0 < seconds < ANSWER_SECONDS  # who asks still waits then
        assert not found.answer(maintenance).ok  # it is in that mode: there is nothing to write
        assert sink.asked == [seconds]
        sink.writes = False
        answer = found.answer(ControlRequest(ControlCommand.MODE, "ana", mode="Manual"))
        assert not answer.ok
        assert "in the mode Manual now, but its ledger has not written that down" in answer.error
        assert found.signs.mode == "Manual"


def test_while_the_belt_stands_nothing_is_to_come_out() -> None:
    time = [0.0]
    travel = BeltTravel(100, metres_per_second=0.5)

    def run(seconds: float) -> None:
        for _ in range(round(seconds * 50)):
            time[0] += 0.02
            travel.pulse(time[0])

    found, sink = watch(lambda: time[0], travel)
    with found:
        run(1)
        for _ in range(2):
            found.moved("warm")
            run(0.5)
        time[0] += 600  # it stands for ten minutes
        found.look(quiet=True)
        assert not [event for event in sink.told if isinstance(event, IncidentRaised)]
        assert found.next_at == time[0] + 0.1
        run(2.5)
        found.look(quiet=True)
        (raised,) = (event for event in sink.told if isinstance(event, IncidentRaised))
        assert (raised.name, raised.scope) == ("jam", "warm")
        assert not found.sorts


def test_without_an_encoder_time_alone_tells() -> None:
    time = [0.0]
    found, _ = watch(lambda: time[0], None)
    with found:
        found.moved("warm")
        assert found.next_at == 2.5
        found.moved("warm")
        time[0] = 2.5
        found.look(quiet=True)
        assert not found.sorts
        assert found.signs.incidents == ("jam warm",)


@pytest.mark.parametrize("looks", [True, False], ids=["long", "between two looks"])
@pytest.mark.parametrize(
    ("stands", "goes_on"),
    [
        (lambda w: ask(w, "pause"), lambda w: ask(w, "resume")),
        (
            lambda w: w.take(Notice("emergency_stop", True, 1.0)),
            lambda w: (
                w.take(Notice("emergency_stop", False, 1.0)),
                [ask(w, command) for command in ("clear", "reset", "resume")],
            ),
        ),
    ],
    ids=["pause", "emergency stop"],
)
def test_without_an_encoder_what_lay_on_the_belt_while_it_stood_is_not_waited_for(
    stands: Callable[[StateWatch], object], goes_on: Callable[[StateWatch], object], looks: bool
) -> None:
    time = [0.0]
    found, _ = watch(lambda: time[0], None)
    with found:
        found.look(quiet=True)
        for _ in range(2):
            found.moved("warm")
        time[0] = 1.0
        stands(found)
        time[0] = 100.0
        if looks:
            found.look(quiet=True)
        goes_on(found)
        found.look(quiet=True)
        assert found.sorts
        assert found.signs.incidents == ()
        for _ in range(2):  # while those that are sent from now on are
            found.moved("warm")
        time[0] = 102.5
        found.look(quiet=True)
        assert found.signs.incidents == ("jam warm",)


def test_a_belt_for_whose_pulses_items_wait_is_an_incident_until_the_next_one() -> None:
    time = [0.0]
    clock, travel = ToldClock(lambda: time[0]), BeltTravel(100, metres_per_second=0.5)
    lanes = Lanes({}, {}, clock=clock, travel=travel)
    found, sink = watch(lambda: time[0], lanes=lanes)
    told = list[tuple[str, ...]]()
    with found:

        def look(at: float) -> None:
            time[0] = at
            lanes.step()
            found.look(quiet=True)
            told.append(found.signs.incidents)

        travel.pulse(0.0)
        for _ in range(2):
            lanes.actuate("warm", 0.0, metres=100.0)
        look(6.0)  # nothing waits for it that could not wait longer
        lanes.actuate("warm", 0.0, metres=100.0)
        look(7.0)
        look(60.0)
        assert found.sorts  # what lies on it is sorted when it runs again
        found.answer(ControlRequest(ControlCommand("pause"), "ana"))
        look(61.0)
        found.answer(ControlRequest(ControlCommand("resume"), "ana"))
        travel.pulse(61.5)
        look(62.0)
    assert told == [(), ("belt_stands",), ("belt_stands",), ("belt_stands",), ()]
    (ended,) = (event for event in sink.told if isinstance(event, IncidentEnded))
    assert (ended.name, ended.seconds) == ("belt_stands", 55.0)


def test_it_is_starting_until_its_motors_have_found_their_home_switches() -> None:
    motor = LostMotor("m", [])
    lanes = Lanes({"m": motor}, {"m": Timing(0.3)}, clock=ToldClock(lambda: 1.0))
    found, sink = watch(lambda: 1.0, lanes=lanes)
    with found:
        found.look(quiet=True)
        for _ in range(4):
            lanes.step()
        found.look(quiet=True)
        assert (found.signs.state, found.sorts, motor.ready) == ("Starting", False, False)
        lanes.step()
        found.look(quiet=True)
        assert (found.signs.state, found.sorts, motor.ready) == ("Execute", True, True)
    states = [event.state for event in sink.told if isinstance(event, StateChanged)]
    assert states == ["Starting", "Execute"]


def test_a_covered_camera_holds_the_station_until_it_sees_again() -> None:
    time = [0.0]
    found, sink = watch(lambda: time[0], None)
    sorts, useless = list[bool](), list[bool]()
    with found:
        for number in range(44):
            time[0] = number / 4
            image = shot(covered(SCENE, 0) if 20 <= number < 34 else SCENE)
            useless.append(found.frame(Frame(image, time[0], number)) is not None)
            found.look(quiet=True)
            sorts.append(found.sorts)
    first = sorts.index(False)
    assert 20 < first < 28
    assert sorts[first:34] == [False] * (34 - first)
    assert all(useless[first:34])
    assert sorts[42:] == [True] * 2
    assert not any(useless[42:])
    raised, ended = (
        [event for event in sink.told if isinstance(event, kind)]
        for kind in (IncidentRaised, IncidentEnded)
    )
    assert [event.name for event in raised] == ["camera_covered"]
    assert [event.incident_id for event in ended] == [raised[0].id]
    assert ended[0].seconds == pytest.approx(3.5, abs=0.5)


def test_pictures_that_are_too_old_hold_the_station_until_one_is_not() -> None:
    time = [10.0]
    found, sink = watch(lambda: time[0], None)
    with found:
        found.look(quiet=True, late_since=9.0)
        found.look(quiet=True, late_since=9.0)
        assert not found.sorts
        assert found.signs.incidents == ("camera_late",)
        time[0] = 12.0
        found.look(quiet=True)
        assert found.sorts
    (ended,) = (event for event in sink.told if isinstance(event, IncidentEnded))
    assert ended.seconds == 3.0


def test_a_model_that_is_refused_is_an_incident_until_another_one_is_taken() -> None:
    found, sink = watch(lambda: 1.0, None)
    with found:
        with pytest.raises(LabelLaneError), found.judging():
            raise LabelLaneError("the station has no lane for 'cup'")
        assert found.signs.incidents == ("model_refused",)
        assert found.sorts
        (raised,) = (event for event in sink.told if isinstance(event, IncidentRaised))
        assert raised.cause == "the station has no lane for 'cup'."
        for _ in range(2):
            with pytest.raises(GoldenError), found.judging():
                raise GoldenError("other scores")
        both = [event for event in sink.told if isinstance(event, IncidentRaised)]
        (ended,) = (event for event in sink.told if isinstance(event, IncidentEnded))
        assert [event.cause for event in both] == [raised.cause, "other scores."]
        assert ended.incident_id == raised.id
        assert found.signs.incidents == ("model_refused",)
        with found.judging():
            pass
        assert found.signs.incidents == ()
