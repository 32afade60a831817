"""A station is Starting until its trigger has learned what the camera shows without an item."""

from __future__ import annotations

from edge.events import IncidentEnded, IncidentRaised, StateChanged
from edge.state.watch import StateWatch
from tests.edge.state.test_watch import Sink, watch


def told(sink: Sink) -> list[tuple[str, str]]:
    return [(one.state, one.reason) for one in sink.told if isinstance(one, StateChanged)]


def look(found: StateWatch, time: list[float], at: float, *, learns: bool) -> str:
    time[0] = at
    found.look(quiet=True, learns=learns)
    return str(found.signs.state)


def test_it_sorts_once_the_trigger_has_learned() -> None:
    time = [0.0]
    found, sink = watch(lambda: time[0], learns=True)
    with found:
        assert not found.sorts
        assert look(found, time, 0.9, learns=True) == "Starting"
        assert look(found, time, 1.0, learns=False) == "Execute"
        assert look(found, time, 50.0, learns=True) == "Execute", "as after a camera's other size"
    assert told(sink) == [("Starting", ""), ("Execute", "")]
    assert not [one for one in sink.told if isinstance(one, IncidentRaised)]


def test_a_trigger_that_never_learns_holds_it_with_a_message_until_it_does() -> None:
    time = [0.0]
    found, sink = watch(lambda: time[0], learns=True)
    with found:
        assert look(found, time, 5.9, learns=True) == "Starting"
        assert look(found, time, 6.0, learns=True) == "Held"
        assert found.signs.incidents == ("trigger_not_ready",)
        assert look(found, time, 9.0, learns=False) == "Execute"
        assert found.signs.incidents == ()
    assert told(sink)[1:] == [("Execute", ""), ("Held", "trigger_not_ready"), ("Execute", "")]
    (ended,) = [one for one in sink.told if isinstance(one, IncidentEnded)]
    assert ended.seconds == 3.0


def test_one_that_somebody_stopped_meanwhile_stays_so_and_tells_nothing() -> None:
    time = [0.0]
    found, _ = watch(lambda: time[0], learns=True)
    with found:
        found._states.end(complete=False)
        assert look(found, time, 9.0, learns=True) == "Stopped"
        assert found.signs.incidents == ()
