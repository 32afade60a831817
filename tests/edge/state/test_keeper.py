"""The state of a running station: what it tells, and that nothing moves in any state but one."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.control.messages import ControlCommand, ControlRequest
from edge.core.errors import ControlRefusedError
from edge.events import Event, LaneMoved, Stamps, StateChanged
from edge.state.keeper import StationStates
from edge.state.machine import Mode, State
from edge.state.stops import Cause, EndsBy
from tests.clocks import ToldClock
from tests.edge.state.transitions import CheckedRows

CAUSES = [
    Cause("camera_lost", State.HELD, 0),
    Cause("jam", State.HELD, 0, scope="warm", ends_by=EndsBy.RESET),
    Cause("jam", State.HELD, 0, scope="cold", ends_by=EndsBy.RESET),
    Cause("starved", State.SUSPENDED, 0),
    Cause("bin_full", State.SUSPENDED, 0, scope="warm"),
    Cause("emergency_stop", State.ABORTED, 0),
]
Step = Callable[[StationStates], object]


class Pins:
    """Pins that may move or not."""

    free = by_hand = False
    cut = False
    """Whether their supply was cut since they moved last."""

    def hold(self) -> None:
        self.free = self.by_hand = False

    def cut_off(self) -> None:
        self.cut = True

    def go_on(self) -> None:
        self.free, self.cut, self.by_hand = True, False, False

    def allow_by_hand(self) -> None:
        self.by_hand = True

    def move_by_hand(self, lane: str, seconds: float | None = None) -> float:
        assert self.by_hand
        if lane != "warm":
            raise ControlRefusedError(f"there is no lane {lane}")
        return 0.3 if seconds is None else seconds


class Watched:
    """A station's state, whose every row is checked as it is told."""

    def __init__(self) -> None:
        self.now, self.pins = 0.0, Pins()
        self.rows: list[StateChanged] = []
        self.checked, self.refused = CheckedRows(), Counter[str]()
        self.moved: list[LaneMoved] = []
        clock = ToldClock(lambda: self.now, lambda: 1_700_000_000 + self.now)
        self.states = StationStates(
            moving=self.pins, offer=self.take, stamps=Stamps("a", clock.wall), clock=clock
        )

    def take(self, event: Event) -> None:
        if isinstance(event, LaneMoved):
            assert self.pins.by_hand
            self.moved.append(event)
            return
        assert isinstance(event, StateChanged)
        self.checked.take(event)
        assert self.pins.cut or self.state is not State.ABORTED
        self.rows.append(event)
        del self.rows[:-10]

    @property
    def state(self) -> State:
        return self.checked.state

    def ask(self, command: ControlCommand, *, mode: str = "", lane: str = "") -> None:
        before, known = self.state, self.states.situation
        answer = self.states.answer(ControlRequest(command, "ana", mode=mode, lane=lane))
        if answer.ok:
            assert answer.state["state"] == self.state
        else:
            self.refused[command] += 1
            assert self.states.situation is known
        assert before is not State.ABORTED or self.state is before or command == "clear"
        assert command != "move-lane" or self.states.situation is known

    def steps(self) -> Sequence[Step]:
        """What may happen to a station, by anybody and at any time."""
        return [
            *(lambda s, c=command: self.ask(c, lane="warm") for command in ControlCommand),
            *(lambda s, m=mode: self.ask(ControlCommand.MODE, mode=m) for mode in Mode),
            *(lambda s, c=cause: s.add(c) for cause in CAUSES),
            *(lambda s, c=cause: s.over(c.name, scope=c.scope) for cause in CAUSES),
        ]

    def check(self) -> None:
        assert self.states.situation.state is self.state
        assert self.state is not State.EXECUTE or not self.states.situation.waits_for
        assert self.pins.free == self.states.executes == (self.state is State.EXECUTE)
        at_rest = self.state in (State.STOPPED, State.IDLE)
        assert self.pins.by_hand == (at_rest and self.checked.mode is not Mode.PRODUCTION)


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_the_rows_of_a_run(watched: Watched) -> None:
    watched.check()
    watched.states.begin()
    watched.now = 2
    watched.states.ready()
    watched.now = 5.5
    watched.states.add(Cause("camera_lost", State.HELD, 5, incident_id="c"))
    watched.now = 9
    watched.states.over("camera_lost")
    watched.states.end(complete=False)
    assert [(row.state, row.since[17:23], row.reason, row.first_incident)
            for row in watched.rows] == [
        ("Starting", "20.000", "", None),
        ("Execute", "22.000", "", None),
        ("Held", "25.000", "camera_lost", "c"),
        ("Execute", "29.000", "", None),
        ("Stopped", "29.000", "", None),
    ]  # fmt: skip
    assert watched.rows[2].time[17:23] == "25.500"
    assert {row.mode for row in watched.rows} == {"Production"}
    (run,) = {row.run for row in watched.rows}
    assert run


def test_a_command_is_answered_with_the_state_after_it(watched: Watched) -> None:
    watched.states.begin()
    watched.states.ready()
    answer = watched.states.answer(ControlRequest(ControlCommand.PAUSE, "ana"))
    assert answer.ok
    assert answer.state == {
        "state": "Held", "mode": "Production", "since": "2023-11-14T22:13:20.000000Z",
        "reason": "paused", "scope": "", "first": "paused", "first_incident": None, "who": "ana",
        "waits_for": "paused",
    }  # fmt: skip
    refused = watched.states.answer(ControlRequest(ControlCommand.CLEAR, "ana"))
    assert (refused.ok, refused.error) == (
        False, "there is nothing to clear: the station is Held (paused)",
    )  # fmt: skip
    assert watched.states.answer(ControlRequest(ControlCommand.STATE, "ana")) == answer


@pytest.mark.parametrize("command", ["reset", "clear", "mode", "move-lane"])
def test_what_needs_eyes_on_the_machine_is_refused_from_afar(
    watched: Watched, command: str
) -> None:
    watched.states.begin()
    watched.states.ready()
    watched.ask(ControlCommand.STOP)
    before = watched.states.situation
    request = ControlRequest(ControlCommand(command), "siti", mode="Maintenance", remote=True)
    answer = watched.states.answer(request)
    assert not answer.ok
    assert f"the command {command} is given at the machine, and not from afar" in answer.error
    assert watched.states.situation is before


def test_whoever_is_far_away_may_stop_and_ask_for_the_state(watched: Watched) -> None:
    watched.states.begin()
    watched.states.ready()
    for command, state in (("pause", "Held"), ("state", "Held"), ("resume", "Execute"),
                           ("stop", "Stopped")):  # fmt: skip
        request = ControlRequest(ControlCommand(command), "siti", remote=True)
        assert watched.states.answer(request).state["state"] == state


def test_what_may_not_move_is_held_before_anybody_is_told(watched: Watched) -> None:
    watched.states.begin()
    watched.states.ready()
    seen: list[bool] = []
    watched.states._offer = lambda event: seen.append(watched.pins.free)
    watched.states.answer(ControlRequest(ControlCommand.PAUSE, "ana"))
    assert seen == [False]


def told(watched: Watched) -> list[tuple[str, str, str, str]]:
    return [(row.state, row.mode, row.reason, row.first) for row in watched.rows]


def test_a_lane_is_moved_by_hand_in_maintenance_alone_and_has_a_row(watched: Watched) -> None:
    watched.states.begin()
    watched.states.ready()

    def said(command: str, **more: Any) -> str:
        request = ControlRequest(ControlCommand(command), "ana", **more)
        return watched.states.answer(request).error

    assert "and the station is in Production: `pilah-edge stop`" in said("move-lane", lane="warm")
    assert "does not change in the state Execute" in said("mode", mode="Maintenance")
    assert said("stop") == ""
    assert "there is nothing to stop: the station is Stopped" in said("stop")
    assert "there is no mode 'Repair'" in said("mode", mode="Repair")
    assert said("mode", mode="Maintenance") == ""
    assert "in the mode Maintenance already" in said("mode", mode="Maintenance")
    assert said("move-lane", lane="warm", seconds=0.7) == ""
    assert said("move-lane", lane="wool") == "there is no lane wool"
    assert [(row.lane, row.seconds, row.who) for row in watched.moved] == [("warm", 0.7, "ana")]
    assert said("reset") == ""
    assert said("move-lane", lane="warm") == ""
    assert "in the mode Maintenance the station is not started" in said("resume")
    watched.states.add(CAUSES[-1])
    assert "the states Stopped, Idle only, and the station is Aborted" in said(
        "move-lane", lane="warm"
    )
    watched.states.over("emergency_stop")
    assert [said(word) for word in ("clear", "reset")] == ["", ""]
    assert said("mode", mode="Production") == ""
    assert said("resume") == ""
    assert told(watched)[2:] == [
        ("Stopped", "Production", "", ""), ("Stopped", "Maintenance", "", ""),
        ("Idle", "Maintenance", "", ""),
        ("Aborted", "Maintenance", "emergency_stop", "emergency_stop"),
        ("Stopped", "Maintenance", "", "emergency_stop"),
        ("Idle", "Maintenance", "", "emergency_stop"), ("Idle", "Production", "", ""),
        ("Execute", "Production", "", ""),
    ]  # fmt: skip
    watched.check()


def test_back_in_production_what_aborts_it_is_the_reason_of_a_stop_again(watched: Watched) -> None:
    watched.states.begin()
    watched.states.ready()
    watched.states.add(CAUSES[-1])
    for mode in (Mode.MAINTENANCE, Mode.PRODUCTION):
        watched.ask(ControlCommand.MODE, mode=mode)
    assert [row[1:] for row in told(watched)[2:]] == [
        ("Production", "emergency_stop", "emergency_stop"), ("Maintenance", "emergency_stop", ""),
        ("Production", "emergency_stop", "emergency_stop"),
    ]  # fmt: skip


def test_what_was_to_be_mended_when_it_was_stopped_is_mended_with_reset(watched: Watched) -> None:
    ended: list[str] = []
    watched.states.tell_of_ends(lambda cause, who: ended.append(f"{cause.name} by {who}"))
    watched.states.begin()
    watched.states.ready()
    watched.states.add(CAUSES[1])
    watched.ask(ControlCommand.STOP)
    assert ended == []
    watched.ask(ControlCommand.RESET)
    watched.ask(ControlCommand.RESUME)
    assert ended == ["jam by ana"]
    assert told(watched)[2:] == [
        ("Held", "Production", "jam", "jam"), ("Stopped", "Production", "", "jam"),
        ("Idle", "Production", "", "jam"), ("Execute", "Production", "", ""),
    ]  # fmt: skip


def test_a_pause_is_over_when_it_is_stopped(watched: Watched) -> None:
    watched.states.begin()
    watched.states.ready()
    for command in ("pause", "stop", "reset", "resume"):
        watched.ask(ControlCommand(command))
    assert watched.state is State.EXECUTE


@pytest.mark.parametrize("mode", [Mode.MAINTENANCE, Mode.MANUAL])
def test_a_station_somebody_worked_on_does_not_sort_when_it_is_started(
    watched: Watched, mode: Mode
) -> None:
    watched.states.begin()
    watched.states.stay_in(mode)
    watched.check()
    watched.states.ready()
    watched.check()
    assert told(watched) == [("Starting", "Production", "", ""), ("Stopped", mode, "", "")]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(Watched().steps()) - 1), max_size=60))
def test_no_sequence_leads_to_an_illegal_state_or_moves_pins(numbers: list[int]) -> None:
    watched = Watched()
    watched.states.begin()
    watched.check()
    watched.states.ready()
    steps = watched.steps()
    for number in numbers:
        steps[number](watched.states)
        watched.check()


def test_random_commands_lead_to_no_illegal_state_and_pins_rest() -> None:
    watched, chance = Watched(), random.Random(1)
    watched.states.begin()
    watched.states.ready()
    steps = watched.steps()
    for _ in range(5_000):
        watched.now += 1
        chance.choice(steps)(watched.states)
        watched.check()
    assert set(watched.checked.states) == {
        State.STARTING, State.EXECUTE, State.HELD, State.SUSPENDED, State.ABORTED, State.STOPPED,
        State.IDLE,
    }  # fmt: skip
    assert set(watched.refused) == {
        "pause", "resume", "reset", "clear", "stop", "mode", "move-lane",
    }  # fmt: skip
    assert set(watched.checked.modes) == set(Mode)
    assert watched.moved
