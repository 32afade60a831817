"""The incidents that are open: what is told of each, and what stands because of it."""

from __future__ import annotations

import pytest

from edge.control.messages import ControlCommand, ControlRequest
from edge.events import Event, IncidentEnded, IncidentRaised, Stamps, StateChanged, kind_of
from edge.state.incidents.kinds import INCIDENTS
from edge.state.incidents.notice import Notice
from edge.state.incidents.register import IncidentRegister
from edge.state.keeper import StationStates
from edge.state.machine import State
from tests.clocks import ToldClock
from tests.edge.state.test_keeper import Pins
from tests.logged import listen


class Sorting:
    """A station that sorts, with all that is told of it since."""

    def __init__(self) -> None:
        self.now, self.told = 0.0, list[Event]()
        clock = ToldClock(lambda: self.now, lambda: 1_700_000_000 + self.now)
        stamps = Stamps("a", clock.wall)
        self.states = StationStates(
            moving=Pins(), offer=self.told.append, stamps=stamps, clock=clock
        )
        self.register = IncidentRegister(
            states=self.states, offer=self.told.append, stamps=stamps, clock=clock
        )
        self.states.begin()
        self.states.ready()
        self.told.clear()

    def ask(self, command: ControlCommand) -> bool:
        return self.states.answer(ControlRequest(command, "ana")).ok

    @property
    def rows(self) -> list[str]:
        return [
            event.state if isinstance(event, StateChanged) else kind_of(event)
            for event in self.told
        ]


@pytest.fixture
def sorting() -> Sorting:
    return Sorting()


def test_an_incident_is_told_before_the_state_and_both_know_each_other(sorting: Sorting) -> None:
    sorting.now = 10.5
    sorting.register.take(Notice("bin_full", True, 10.0, "warm"))
    raised, state = sorting.told
    assert isinstance(raised, IncidentRaised)
    assert isinstance(state, StateChanged)
    assert (raised.name, raised.scope, raised.ends_by) == ("bin_full", "warm", "itself")
    assert raised.cause == "The bin of the lane warm is full."
    assert raised.what_to_do == "Empty the bin."
    assert (raised.time[17:23], state.since) == ("30.000", raised.time)
    assert (state.state, state.reason, state.scope) == ("Suspended", "bin_full", "warm")
    assert state.first_incident == raised.id
    assert sorting.register.names == ("bin_full warm",)
    assert sorting.register.has("bin_full", "warm")


def test_one_that_ends_by_itself_is_told_with_how_long_it_lasted(sorting: Sorting) -> None:
    sorting.register.take(Notice("bin_full", True, 10.0, "warm"))
    sorting.now = 25
    sorting.register.take(Notice("bin_full", False, 24.0, "warm"))
    ended, state = sorting.told[2:]
    assert isinstance(ended, IncidentEnded)
    assert (ended.incident_id, ended.seconds, ended.who) == (sorting.told[0].id, 14.0, "")
    assert isinstance(state, StateChanged)
    assert state.state == "Execute"
    assert sorting.register.names == ()


def test_one_that_was_mended_is_ended_by_who_resets_it(sorting: Sorting) -> None:
    sorting.register.take(Notice("jam", True, 0, "warm"))
    sorting.now = 60
    assert sorting.ask(ControlCommand.RESET)
    assert sorting.rows == ["incident_raised", "Held", "Execute", "incident_ended"]
    ended = sorting.told[-1]
    assert isinstance(ended, IncidentEnded)
    assert (ended.seconds, ended.who) == (60, "ana")
    assert sorting.register.names == ()
    sorting.register.take(Notice("jam", True, 70, "warm"))
    assert sorting.rows[4:] == ["incident_raised", "Held"]


def test_an_emergency_stop_says_that_clear_ends_it(sorting: Sorting) -> None:
    sorting.register.take(Notice("emergency_stop", True, 0))
    raised = sorting.told[0]
    assert isinstance(raised, IncidentRaised)
    assert raised.ends_by == "clear"
    assert not sorting.ask(ControlCommand.CLEAR)
    sorting.register.take(Notice("emergency_stop", False, 5))
    assert sorting.states.situation.state is State.ABORTED
    assert sorting.ask(ControlCommand.CLEAR)


def test_what_is_open_is_not_told_again_and_what_is_not_open_does_not_end(
    sorting: Sorting,
) -> None:
    sorting.register.take(Notice("jam", False, 0, "warm"))
    assert sorting.told == []
    for at in (1, 2):
        sorting.register.take(Notice("jam", True, at, "warm"))
    assert len(sorting.told) == 2


def test_what_stops_nothing_is_only_told(sorting: Sorting) -> None:
    sorting.register.take(Notice("camera_blurred", True, 1, cause="It is half as sharp."))
    (raised,) = sorting.told
    assert isinstance(raised, IncidentRaised)
    assert raised.cause == "It is half as sharp."
    assert sorting.states.executes


def test_what_has_an_event_of_its_own_gets_no_second_one(sorting: Sorting) -> None:
    sorting.register.told(Notice("ledger_failed", True, 1), "an id")
    assert (sorting.told, sorting.register.names) == ([], ("ledger_failed",))
    sorting.register.told(Notice("ledger_failed", False, 2), "another")
    assert (sorting.told, sorting.register.names) == ([], ())


def test_a_lost_camera_lets_the_moves_that_are_planned_be_made(sorting: Sorting) -> None:
    sorting.now = 11
    sorting.register.told(Notice("camera_lost", True, 10), "c")
    assert sorting.states.executes
    assert sorting.register.waits
    sorting.now = 12
    sorting.register.settle()
    (state,) = sorting.told
    assert isinstance(state, StateChanged)
    assert (state.state, state.first_incident) == ("Held", "c")
    assert (state.since[17:23], state.time[17:23]) == ("30.000", "32.000")
    sorting.register.told(Notice("camera_lost", False, 13), "d")
    assert sorting.rows == ["Held", "Execute"]


def test_a_camera_that_is_back_before_that_stops_nothing(sorting: Sorting) -> None:
    sorting.register.told(Notice("camera_lost", True, 10), "c")
    sorting.register.told(Notice("camera_lost", False, 11), "d")
    sorting.register.settle()
    assert sorting.told == []
    assert not sorting.register.waits


@pytest.mark.parametrize("kind", INCIDENTS.values(), ids=INCIDENTS.keys())
def test_each_kind_says_what_it_is_and_what_to_do_in_whole_sentences(kind: object) -> None:
    found = INCIDENTS[getattr(kind, "name", "")]
    for text in (found.cause, found.what_to_do, found.ends):
        assert text[0].isupper()
        assert text.endswith(".")
    assert found.scope in {"station", "camera", "lane", "ledger", "item"}
    assert ("{scope}" in found.cause) == (found.scope == "lane")
    assert found.ended is None or found.ends_by.value in {"itself", "reset"}


@pytest.mark.parametrize(("logged", "lines"), [(False, 2), (True, 0)])
def test_what_its_finder_has_logged_is_an_event_and_no_second_line(
    sorting: Sorting, logged: bool, lines: int
) -> None:
    said: list[str] = []
    listen(said.append)
    for begins in (True, False):
        sorting.register.take(Notice("camera_frozen", begins, 1.0, logged=logged))
    assert sorting.rows == ["incident_raised", "incident_ended"]
    assert len(said) == lines
