"""A station of which a part cannot be opened: what its ledger tells of that, and of the tries
after it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from edge.config.reading import StationPlan, read_station
from edge.core.errors import CameraError, GoldenError, LedgerVersionError, PinError
from edge.events import utc_text
from edge.ledger.reports.last_run import last_run
from edge.ledger.reports.open_incidents import OpenIncidents
from edge.ledger.reports.reading import state_report
from edge.pins.pins import Pins
from edge.runtime.clock import SYSTEM_CLOCK
from edge.sorting.model import ActiveModel, open_model
from edge.sorting.openers import Openers
from edge.state.incidents.notice import Notice
from edge.station import Station
from edge.vision.camera.folder import FolderCamera
from tests.edge.station_runs import SERVO, NewRun, Run
from tests.edge.stations import STATION

pytestmark = pytest.mark.usefixtures("ledger_within")

BUTTON = STATION + "stops: {emergency_stop: {pin: 6}}\n"


def start(
    run: Run,
    *,
    pins: Callable[[], Pins] | None = None,
    model: Callable[[StationPlan], ActiveModel] = open_model,
    sorts: bool = True,
) -> None:
    with Station(
        read_station(run.file),
        endings=run.endings,
        openers=Openers(pins=pins or (lambda: run.pins), model=model),
    ) as station:
        if not sorts:
            raise OSError("the socket of commands is taken")
        station.run()


def rows(run: Run, *kinds: str) -> list[dict[str, Any]]:
    """The details of the events of these kinds, in order."""
    with closing(sqlite3.connect(run.file.with_name("ledger.sqlite"))) as connection:
        found = connection.execute("SELECT id, kind, details FROM events ORDER BY id").fetchall()
    return [
        {"id": event_id, "kind": kind, **json.loads(details)}
        for event_id, kind, details in found
        if not kinds or kind in kinds
    ]


def states(run: Run) -> list[tuple[str, str]]:
    return [(row["state"], row["first"]) for row in rows(run, "state_changed")]


def no_pins() -> Pins:
    raise PinError("/dev/gpiochip0 cannot be opened: permission denied")


def no_model(plan: StationPlan) -> ActiveModel:
    raise GoldenError("the model gives other scores")


def failing(error: Exception) -> Callable[..., None]:
    """A method that raises `error`."""

    def fails(*_: object, **__: object) -> None:
        raise error

    return fails


@pytest.mark.parametrize(
    ("options", "error", "cause"),
    [
        ({"pins": no_pins}, PinError, "/dev/gpiochip0 cannot be opened: permission denied."),
        ({"model": no_model}, GoldenError, "the model gives other scores."),
        ({"sorts": False}, OSError, "the socket of commands is taken."),
    ],
    ids=["pins", "model", "before it runs"],
)
def test_what_cannot_be_opened_is_an_incident_and_the_reason_of_a_stop(
    options: dict[str, Any], error: type[Exception], cause: str, new_run: NewRun
) -> None:
    run = new_run()
    with pytest.raises(error, match=cause.removesuffix(".")):
        start(run, **options)
    (raised,) = rows(run, "incident_raised")
    assert (raised["name"], raised["cause"]) == ("start_failed", cause)
    assert states(run) == [("Starting", ""), ("Stopped", "start_failed")]
    assert rows(run)[-1]["first_incident"] == raised["id"]
    (shown,) = OpenIncidents(run.file.with_name("ledger.sqlite")).now()
    assert (shown.name, shown.cause) == ("start_failed", cause)
    assert "start the station" in shown.what_to_do


def test_passwords_and_lines_are_not_written_down(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run()
    gone = CameraError("rtsp://user:secret@host gives\nno pictures.")
    monkeypatch.setattr(FolderCamera, "__init__", failing(gone))
    with pytest.raises(CameraError):
        start(run)
    (raised,) = rows(run, "incident_raised")
    assert raised["cause"] == "rtsp://***@host gives; no pictures."


@pytest.mark.parametrize("part", ["edge.state.inputs.ContactReader", "edge.lanes.coil.Coil"])
def test_a_pin_among_others_that_cannot_be_opened_is_one_and_the_others_are_at_rest(
    part: str, new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(BUTTON)
    monkeypatch.setattr(f"{part}.__init__", failing(PinError("GPIO 6 is in use")))
    with pytest.raises(PinError, match="GPIO 6"):
        start(run)
    assert states(run)[-1] == ("Stopped", "start_failed")
    assert run.states(SERVO)[-1] == 0


def test_tries_that_fail_in_the_same_way_are_one_incident_and_one_stop(new_run: NewRun) -> None:
    run = new_run()
    ledger = run.file.with_name("ledger.sqlite")
    for _ in range(4):
        with pytest.raises(PinError):
            start(run, pins=no_pins)
    assert len(rows(run)) == 3
    with pytest.raises(GoldenError):
        start(run, model=no_model)
    pins, model = rows(run, "incident_raised")
    (over,) = rows(run, "incident_ended")
    assert over["incident_id"] == pins["id"]
    assert [one.cause for one in OpenIncidents(ledger).now()] == [model["cause"]]
    with pytest.raises(GoldenError):
        start(run, model=no_model)
    assert len(rows(run)) == 7
    start(run)
    assert [row["incident_id"] for row in rows(run, "incident_ended")] == [pins["id"], model["id"]]
    assert states(run)[-3:] == [("Starting", ""), ("Execute", ""), ("Complete", "")]
    assert [one.state for one in (last_run(ledger, None),)] == ["Complete"]
    assert last_run(ledger, None).open == ()
    (line,) = state_report(ledger, now=utc_text(SYSTEM_CLOCK.wall())).pareto
    assert (line.reason, line.stops) == ("start_failed", 2)


def test_an_emergency_stop_that_is_pressed_between_two_tries_waits_to_be_cleared(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(BUTTON)
    with pytest.raises(GoldenError):
        start(run, model=no_model)
    with monkeypatch.context() as pressed:
        pressed.setattr(
            "edge.state.inputs.ContactReader.read",
            lambda reader: reader._notice(Notice("emergency_stop", True, reader._clock.now())),
        )
        for _ in range(2):
            with pytest.raises(GoldenError):
                start(run, model=no_model)
    assert states(run)[2:] == [("Starting", ""), ("Aborted", "emergency_stop")]
    before = rows(run)
    with pytest.raises(GoldenError):  # it was released, and nobody has cleared it
        start(run, model=no_model)
    assert rows(run) == before
    assert last_run(run.file.with_name("ledger.sqlite"), None).state == "Aborted"


def test_the_stop_of_it_lasts_until_it_sorts(new_run: NewRun) -> None:
    run = new_run()
    for _ in range(2):
        with pytest.raises(PinError):
            start(run, pins=no_pins)
    begun = rows(run, "state_changed")[1]["since"]
    start(run)
    again = rows(run, "state_changed")[2]["since"]
    (stop,) = state_report(run.file.with_name("ledger.sqlite")).stops
    assert (utc_text(stop.begin / 1e6), utc_text(stop.end / 1e6)) == (begun, again)
    assert stop.incident_id == rows(run, "incident_raised")[0]["id"]


def test_who_works_on_the_machine_is_not_forgotten_by_a_start_that_fails(new_run: NewRun) -> None:
    run = new_run()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("edge.station.open_journal", in_maintenance)
        with pytest.raises(PinError):
            start(run, pins=no_pins)
    assert last_run(run.file.with_name("ledger.sqlite"), None).mode == "Maintenance"
    assert last_run(run.file.with_name("ledger.sqlite"), None).waits_for == "stopped"
    with pytest.raises(PinError):
        start(run, pins=no_pins)
    assert states(run) == [("Starting", ""), ("Stopped", "")]  # it was not to sort


def in_maintenance(*given: Any) -> Any:
    from dataclasses import replace

    from edge.ledger.opening import open_journal

    journal = open_journal(*given)
    journal.before = replace(journal.before, state="Stopped", mode="Maintenance")
    return journal


def test_that_the_ledger_cannot_be_opened_is_not_written_there_and_is_said(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run()
    start(run)
    before = rows(run)
    with closing(sqlite3.connect(run.file.with_name("ledger.sqlite"))) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LedgerVersionError):
        start(run)
    assert "incident   this start is not in the ledger, which cannot be written" in run.said
    assert rows(run) == before
