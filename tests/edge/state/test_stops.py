"""Why a machine stands: several causes at once, the first of them, and what ends them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from edge.core.errors import ControlRefusedError
from edge.state.machine import State
from edge.state.stops import FAILED, PAUSED, STOPPED, Cause, EndsBy, Situation, Stops


def sorting() -> Stops:
    stops = Stops(0)
    stops.begin(1)
    stops.ready(2)
    return stops


CAMERA = Cause("camera_lost", State.HELD, 10, incident_id="c")
JAM = Cause("jam", State.HELD, 11, scope="warm", ends_by=EndsBy.RESET, incident_id="j")
STARVED = Cause("starved", State.SUSPENDED, 12, incident_id="s")
HOME = Cause("home_not_found", State.HELD, 2, incident_id="h")
BUTTON = Cause("emergency_stop", State.ABORTED, 13, incident_id="b")


def states(found: tuple[Situation, ...]) -> list[tuple[str, str, str]]:
    return [(str(one.state), one.reason, one.first) for one in found]


def test_a_program_starts_sorts_and_ends() -> None:
    stops = Stops(0)
    assert states(stops.begin(1)) == [("Starting", "", "")]
    assert states(stops.ready(2)) == [("Execute", "", "")]
    assert stops.executes
    assert states(stops.end(9, complete=False)) == [("Stopped", "", "")]
    assert not stops.executes
    assert stops.end(10, complete=False) == ()


def test_what_an_error_ends_stands_for_its_first_cause_until_the_next_start() -> None:
    stops = sorting()
    stops.add(CAMERA, 8)
    stops.add(JAM, 9)
    assert states(stops.end(9, complete=False, failed=True)) == [("Stopped", "", CAMERA.name)]
    assert stops.end(10, complete=False, failed=True) == ()
    assert states(sorting().end(9, complete=False, failed=True)) == [("Stopped", "", FAILED)]
    starting = Stops(0)
    starting.begin(1)
    starting.add(HOME, 2)
    (ended,) = starting.end(3, complete=False, failed=True)
    assert (ended.first, ended.first_incident) == (HOME.name, HOME.incident_id)


def test_what_somebody_ends_stands_for_no_reason_though_it_stood_for_one() -> None:
    stops = sorting()
    stops.add(JAM, 8)
    assert states(stops.stop(9, "ana")) == [("Stopped", "", JAM.name)]
    assert states(stops.end(10, complete=False)) == [("Stopped", "", "")]
    assert stops.end(11, complete=False) == ()


def test_where_all_was_sorted_it_is_complete() -> None:
    assert states(sorting().end(9, complete=True)) == [("Complete", "", "")]


def test_it_stands_while_there_is_a_cause() -> None:
    stops = sorting()
    (held,) = stops.add(CAMERA, 10.5)
    assert (held.state, held.since, held.reason) == (State.HELD, 10, "camera_lost")
    assert (held.first, held.first_incident) == ("camera_lost", "c")
    (back,) = stops.over("camera_lost", 20)
    assert (back.state, back.since, back.reason, back.first) == (State.EXECUTE, 20, "", "")


def test_of_several_causes_the_first_is_the_reason_and_the_last_ends_the_stop() -> None:
    stops = sorting()
    stops.add(CAMERA, 10)
    assert states(stops.add(JAM, 11)) == [("Held", "camera_lost", "camera_lost")]
    assert stops.situation.waits_for == ("jam warm",)
    (left,) = stops.over("camera_lost", 20)
    assert (left.state, left.since, left.reason, left.scope) == (State.HELD, 20, "jam", "warm")
    assert (left.first, left.first_incident) == ("camera_lost", "c")
    assert states(stops.reset(30, "ana")) == [("Execute", "", "")]


def test_a_cause_that_ends_before_the_one_that_is_told_changes_nothing() -> None:
    stops = sorting()
    stops.add(JAM, 11)
    stops.add(CAMERA, 12)
    assert stops.over("camera_lost", 20) == ()
    assert stops.situation.reason == "jam"


def test_the_same_cause_twice_is_one() -> None:
    stops = sorting()
    stops.add(CAMERA, 10)
    assert stops.add(CAMERA, 12) == ()
    assert states(stops.over("camera_lost", 20)) == [("Execute", "", "")]


def test_a_cause_of_another_lane_is_another_one() -> None:
    stops = sorting()
    stops.add(Cause("bin_full", State.SUSPENDED, 1, scope="warm"), 1)
    stops.add(Cause("bin_full", State.SUSPENDED, 2, scope="cold"), 2)
    (left,) = stops.over("bin_full", 3, scope="warm")
    assert (left.state, left.reason, left.scope) == (State.SUSPENDED, "bin_full", "cold")
    assert states(stops.over("bin_full", 4, scope="cold")) == [("Execute", "", "")]


def test_what_is_worse_has_its_own_state_and_the_first_reason_stays_the_first() -> None:
    stops = sorting()
    assert states(stops.add(STARVED, 12)) == [("Suspended", "starved", "starved")]
    assert states(stops.add(CAMERA, 14)) == [("Held", "camera_lost", "starved")]
    assert states(stops.add(BUTTON, 15)) == [("Aborted", "emergency_stop", "starved")]
    assert stops.situation.first_incident == "s"


def test_when_the_worse_one_is_over_the_lesser_one_is_a_stop_of_its_own() -> None:
    stops = sorting()
    stops.add(CAMERA, 10)
    stops.add(STARVED, 12)
    executes, suspended = stops.over("camera_lost", 20)
    assert executes.state is State.EXECUTE
    assert (suspended.state, suspended.first, suspended.since) == (State.SUSPENDED, "starved", 20)


def test_a_cause_from_before_the_start_holds_it_as_soon_as_it_is_ready() -> None:
    stops = Stops(0)
    stops.begin(1)
    assert stops.add(replace(CAMERA, since=1.5), 1.5) == ()
    assert states(stops.ready(2)) == [("Execute", "", ""), ("Held", "camera_lost", "camera_lost")]
    assert stops.situation.since == 2


# Commands


def test_pause_stands_until_resume() -> None:
    stops = sorting()
    (held,) = stops.pause(5, "ana")
    assert (held.state, held.reason, held.who) == (State.HELD, PAUSED, "ana")
    (back,) = stops.resume(6, "siti")
    assert (back.state, back.who) == (State.EXECUTE, "siti")


def test_from_afar_only_a_pause_from_afar_is_ended() -> None:
    stops = sorting()
    stops.pause(5, "siti by MQTT", remote=True)
    assert states(stops.resume(6, "siti by MQTT", remote=True)) == [("Execute", "", "")]
    stops.pause(7, "siti by MQTT", remote=True)
    assert states(stops.resume(8, "ana")) == [("Execute", "", "")]


STOPPED_AT_THE_MACHINE: list[Callable[[Stops], object]] = [
    lambda stops: stops.pause(5, "ana"),
    lambda stops: (stops.pause(5, "siti", remote=True), stops.pause(6, "ana")),
    lambda stops: (stops.add(CAMERA, 5), stops.pause(6, "siti", remote=True), stops.pause(7, "a")),
    lambda stops: (stops.stop(5, "ana"), stops.reset(6, "ana")),
]


@pytest.mark.parametrize("stop", STOPPED_AT_THE_MACHINE)
def test_what_was_stopped_at_the_machine_does_not_go_on_from_afar(
    stop: Callable[[Stops], object],
) -> None:
    stops = sorting()
    stop(stops)
    before = stops.situation
    with pytest.raises(ControlRefusedError, match="goes on from there, and not from afar"):
        stops.resume(9, "siti", remote=True)
    assert stops.situation == before
    stops.resume(10, "ana")


def test_whoever_takes_over_a_pause_is_named() -> None:
    stops = sorting()
    stops.pause(5, "siti by MQTT", remote=True)
    (held,) = stops.pause(6, "ana")
    assert (held.state, held.reason, held.who) == (State.HELD, PAUSED, "ana")
    with pytest.raises(ControlRefusedError, match="is paused already"):
        stops.pause(7, "siti by MQTT", remote=True)


def test_a_pause_outlasts_the_incident_that_was_there_before() -> None:
    stops = sorting()
    stops.add(CAMERA, 10)
    (held,) = stops.pause(11, "ana")
    assert (held.reason, held.since, held.waits_for) == ("camera_lost", 10, (PAUSED,))
    assert states(stops.over("camera_lost", 12)) == [("Held", PAUSED, "camera_lost")]
    assert states(stops.resume(13, "ana")) == [("Execute", "", "")]


def test_resume_does_not_end_what_is_not_mended() -> None:
    stops = sorting()
    stops.pause(5, "ana")
    stops.add(JAM, 11)
    (held,) = stops.resume(12, "ana")
    assert (held.state, held.reason, held.first, held.who) == (State.HELD, "jam", PAUSED, "ana")
    assert states(stops.reset(13, "ana")) == [("Execute", "", "")]


def test_after_an_emergency_stop_it_takes_clear_reset_and_resume() -> None:
    stops = sorting()
    stops.add(BUTTON, 13)
    with pytest.raises(ControlRefusedError, match="stays Aborted: emergency_stop is still there"):
        stops.clear(14, "ana")
    assert stops.over("emergency_stop", 15) == ()
    assert stops.situation.state is State.ABORTED
    assert states(stops.clear(16, "ana")) == [("Stopped", "", "emergency_stop")]
    assert states(stops.reset(17, "ana")) == [("Idle", "", "emergency_stop")]
    assert states(stops.resume(18, "ana")) == [("Execute", "", "")]


def test_what_a_person_said_before_the_emergency_stop_counts_no_more() -> None:
    stops = sorting()
    stops.pause(5, "ana")
    stops.add(JAM, 11)
    stops.add(CAMERA, 12)
    stops.add(BUTTON, 13)
    stops.over("emergency_stop", 14)
    stops.clear(15, "ana")
    assert [cause.name for cause in stops.causes] == ["camera_lost"]


def test_a_button_that_is_pressed_at_the_start_aborts_it_before_it_moves() -> None:
    stops = Stops(0)
    stops.begin(1)
    assert states(stops.add(BUTTON, 1)) == [("Aborted", "emergency_stop", "emergency_stop")]
    assert stops.ready(2) == ()
    assert not stops.executes
    assert stops.end(3, complete=False) == ()


def test_what_only_a_person_ends_is_told_to_the_end_of_the_program() -> None:
    stops = sorting()
    stops.add(CAMERA, 3)
    assert stops.situation.waits_for == ()
    stops.pause(4, "ana")
    stops.add(JAM, 5)
    assert stops.situation.waits_for == (PAUSED, "jam warm")
    stops.resume(6, "ana")
    assert stops.situation.waits_for == ("jam warm",)
    (stopped,) = stops.stop(7, "ana")
    assert stopped.waits_for == ("jam warm", STOPPED)
    (idle,) = stops.reset(8, "ana")
    assert (idle.state, idle.waits_for) == (State.IDLE, (STOPPED,))
    (ended,) = stops.end(9, complete=False)
    assert (ended.state, ended.who, ended.waits_for) == (State.STOPPED, "", (STOPPED,))


def test_a_station_that_is_started_by_a_person_waits_for_nobody() -> None:
    stops = sorting()
    for does in (stops.stop, stops.reset, stops.resume):
        does(5, "ana")
    assert stops.situation.waits_for == stops.end(6, complete=False)[0].waits_for == ()


def test_after_an_emergency_stop_was_cleared_it_waits_for_a_person() -> None:
    stops = sorting()
    stops.add(BUTTON, 13)
    stops.over("emergency_stop", 15)
    stops.clear(16, "ana")
    assert stops.situation.waits_for == (STOPPED,)


Do = Callable[[Stops], object]


@pytest.mark.parametrize(
    ("before", "does", "said"),
    [
        (lambda s: s.pause(5, "a"), lambda s: s.pause(6, "a"), "is paused already: `resume`"),
        (lambda s: s.end(5, complete=False), lambda s: s.pause(6, "a"), "the station is Stopped"),
        (lambda s: s.add(BUTTON, 5), lambda s: s.pause(6, "a"), r"Aborted \(emergency_stop\)"),
        (lambda s: None, lambda s: s.resume(6, "a"), "not paused: it is Execute"),
        (lambda s: s.add(CAMERA, 5), lambda s: s.resume(6, "a"), r"it is Held \(camera_lost\)"),
        (lambda s: s.add(BUTTON, 5), lambda s: s.resume(6, "a"), "it is Aborted"),
        (lambda s: None, lambda s: s.reset(6, "a"), "nothing to reset: the station is Execute"),
        (lambda s: s.add(CAMERA, 5), lambda s: s.reset(6, "a"), r"Held \(camera_lost\)"),
        (lambda s: s.add(BUTTON, 5), lambda s: s.reset(6, "a"), "nothing to reset"),
        (lambda s: s.pause(5, "a"), lambda s: s.clear(6, "a"), r"nothing to clear: .*Held"),
    ],
)
def test_a_command_that_does_not_fit_is_refused_with_its_reason(
    before: Do, does: Do, said: str
) -> None:
    stops = sorting()
    before(stops)
    situation = stops.situation
    with pytest.raises(ControlRefusedError, match=said):
        does(stops)
    assert stops.situation == situation
