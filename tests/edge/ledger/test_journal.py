from __future__ import annotations

from edge.events import (
    CameraBack,
    CameraLost,
    Event,
    ModelChanged,
    Stamps,
    StationStarted,
    StationStopped,
)
from edge.flow import CameraChange
from edge.ledger.journal import Journal
from edge.ledger.recorder import Recorder
from edge.ledger.reports.last_run import LastRun


class Taking(Recorder):
    """A recorder that only keeps what it is offered."""

    def __init__(self) -> None:
        self.offered: list[Event] = []

    def offer(self, event: Event) -> None:
        self.offered.append(event)


def test_each_thing_that_happens_to_a_station_is_an_event_of_its_kind() -> None:
    recorder = Taking()
    journal = Journal(recorder, Stamps("bin-1", lambda: 9.0), LastRun())
    journal.started("tiny 1", "0" * 64)
    journal.camera_changed(CameraChange("cam", None))
    journal.camera_changed(CameraChange("cam", 2.5))
    journal.model_changed("tiny 2", "1" * 64)
    journal.stopped(7, "SIGTERM")
    kinds = [StationStarted, CameraLost, CameraBack, ModelChanged, StationStopped]
    assert [type(event) for event in recorder.offered] == kinds
    assert {event.station for event in recorder.offered} == {"bin-1"}
    ids = [event.id for event in recorder.offered]
    assert ids == sorted(set(ids))


def test_it_knows_whether_the_camera_is_lost_and_how_often_it_was() -> None:
    journal = Journal(Taking(), Stamps("bin-1", lambda: 9.0), LastRun())
    seen = [(journal.camera_lost, journal.camera_losses)]
    for lost_seconds in (None, 2.5, None):
        journal.camera_changed(CameraChange("cam", lost_seconds))
        seen.append((journal.camera_lost, journal.camera_losses))
    assert seen == [(False, 0), (True, 1), (False, 1), (True, 2)]


def test_a_station_stops_once() -> None:
    recorder = Taking()
    journal = Journal(recorder, Stamps("bin-1", lambda: 9.0), LastRun())
    journal.stopped(7, "")
    journal.stopped(8, "later")
    (event,) = recorder.offered
    assert isinstance(event, StationStopped)
    assert (event.items, event.reason) == (7, "")


def test_its_ids_follow_those_of_the_run_before_though_the_clock_was_set_back() -> None:
    before = Stamps("bin-1", lambda: 9_000.0).now().id
    recorder = Taking()
    journal = Journal(recorder, Stamps("bin-1", lambda: 9.0), LastRun(before))
    journal.started("tiny 1", "0" * 64)
    (event,) = recorder.offered
    assert event.id > before
    assert event.time == "1970-01-01T00:00:09.000000Z"
