"""The end of a station: by a signal, a part that fails, or a thread that hangs."""

from __future__ import annotations

import itertools
import queue
import signal
import sqlite3
import threading
from contextlib import closing
from typing import Any

import pytest

from edge.config.reading import read_station
from edge.core.errors import (
    CameraError,
    GoldenError,
    PinError,
    StuckError,
)
from edge.events import (
    IncidentRaised,
    StateChanged,
    StationStopped,
    of_items,
)
from edge.flow import Frame, Missed, UnreadableFrame
from edge.lanes.coil import Coil
from edge.lanes.lanes import Lanes
from edge.lanes.servo import Servo
from edge.ledger.ledger import Ledger
from edge.ledger.recorder import Recorder
from edge.runtime import supervisor
from edge.runtime.service import Notifier
from edge.runtime.worker import Worker
from edge.simulation.virtual_clock import VirtualClock
from edge.sorting.openers import Openers
from edge.sorting.sorter import Sorter
from edge.station import Station
from edge.vision.camera.folder import FolderCamera
from edge.vision.latest_frame import LatestFrame
from tests.edge.station_runs import LONG_HOLDS, REST_PULSE, SERVO, SOLENOID, NewRun
from tests.edge.stations import STATION

pytestmark = pytest.mark.usefixtures("ledger_within")


def test_what_ended_a_station_is_in_its_last_event(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    signalled = new_run()
    signalled.endings.put(signal.SIGTERM)
    signalled()
    failing = new_run()

    def gone(camera: FolderCamera) -> None:
        raise CameraError("rtsp://user:secret@host gives no pictures")

    monkeypatch.setattr(FolderCamera, "read", gone)
    with pytest.raises(CameraError):
        failing()
    reasons = []
    for run in (signalled, failing):
        with Ledger(run.file.with_name("ledger.sqlite")) as ledger:
            *_, last = ledger.happenings()
        assert isinstance(last, StationStopped)
        reasons.append(last.reason)
    assert reasons == ["SIGTERM", "rtsp://***@host gives no pictures"]


def test_a_signal_ends_it_with_every_actuator_at_rest(new_run: NewRun) -> None:
    run = new_run(LONG_HOLDS.replace("second: 1000", "second: 1000, loop: true"))
    moved = threading.Event()
    pin = run._kept[SOLENOID]
    change = pin._change_state

    def watched(value: float) -> Any:
        if value:
            run.endings.put(signal.SIGTERM)
            moved.set()
        return change(value)

    pin._change_state = watched
    tally = run()
    assert moved.is_set()
    assert tally.items >= 3
    assert len(run.entries()) == tally.items
    assert "stopping: SIGTERM" in run.said
    assert run.states(SOLENOID) == [0, 1, 0]
    assert run.states(SERVO)[-2:] == pytest.approx([REST_PULSE, 0])


@pytest.mark.parametrize("error", [CameraError("unplugged"), ZeroDivisionError("a bug")])
def test_a_camera_that_fails_stops_the_station_and_is_told(
    error: Exception, new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(LONG_HOLDS)
    read = FolderCamera.read
    moved = threading.Event()
    pin = run._kept[SERVO]
    change = pin._change_state

    def watched(value: float) -> Any:
        if value > REST_PULSE + 0.001:
            moved.set()
        return change(value)

    def failing(camera: FolderCamera) -> Frame | UnreadableFrame | None:
        frame = read(camera)
        if frame is not None and frame.sequence == 2:
            assert moved.wait(60)
            raise error
        return frame

    pin._change_state = watched
    monkeypatch.setattr(FolderCamera, "read", failing)
    with pytest.raises(type(error), match=str(error)):
        run()
    assert [entry.source for entry in run.entries()] == ["0.png"]
    assert run.states(SERVO)[-2:] == pytest.approx([REST_PULSE, 0])


def test_an_actuator_that_fails_stops_the_station_and_the_others_rest(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(LONG_HOLDS)

    def broken(servo: Servo) -> None:
        raise PinError("I2C bus 1, address 0x40: nothing answers there")

    monkeypatch.setattr(Servo, "activate", broken)
    with pytest.raises(PinError, match="I2C bus 1"):
        run()
    assert run.states(SOLENOID)[-1] == 0
    assert run.states(SERVO)[-1] == 0
    (raised,) = (event for event in run.seen if isinstance(event, IncidentRaised))
    assert (raised.name, raised.cause) == (
        "actuator_failed", "I2C bus 1, address 0x40: nothing answers there.",
    )  # fmt: skip
    held = [event for event in run.seen if isinstance(event, StateChanged)][-2:]
    assert [(one.state, one.first) for one in held] == [
        ("Held", "actuator_failed"), ("Stopped", "actuator_failed"),
    ]  # fmt: skip


def test_a_part_that_cannot_be_opened_leaves_the_others_closed(new_run: NewRun) -> None:
    run = new_run()
    plan = read_station(run.file)
    for picture in (run.file.parent / "photos").iterdir():
        picture.unlink()
    with pytest.raises(CameraError, match="no pictures"):
        Station(
            plan,
            endings=run.endings,
            observers=[of_items(run.shown.append)],
            openers=Openers(pins=lambda: run.pins),
        )
    assert run.states(SERVO) == pytest.approx([0, REST_PULSE, 0])
    with closing(sqlite3.connect(plan.config.ledger.path)) as connection:
        states = connection.execute(
            "SELECT json_extract(details, '$.state'), json_extract(details, '$.first') "
            "FROM events WHERE kind = 'state_changed' ORDER BY id"
        ).fetchall()
    assert states == [("Starting", ""), ("Stopped", "start_failed")]


def test_a_model_that_does_not_reproduce_does_not_sort(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refusing(classifier: object) -> None:
        raise GoldenError("other scores")

    monkeypatch.setattr("edge.sorting.model.check_golden_start", refusing)
    run = new_run()
    with pytest.raises(GoldenError):
        run()
    assert run.shown == []


def test_a_thread_that_hangs_does_not_keep_the_station(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, clock = new_run(LONG_HOLDS), VirtualClock()
    release = threading.Event()

    def hanging(camera: FolderCamera) -> None:
        run.endings.put(signal.SIGTERM)
        clock.leave()  # time goes on without it
        release.wait()

    monkeypatch.setattr(FolderCamera, "read", hanging)
    try:
        with pytest.raises(StuckError, match=r"did not end within 60 seconds: camera$"):
            run(clock=clock)
    finally:
        release.set()
    assert run.states(SERVO) == pytest.approx([0, REST_PULSE, 0])


@pytest.mark.parametrize(
    ("owner", "name", "thread"),
    [
        (FolderCamera, "read", "camera"),
        (LatestFrame, "wait_until_taken", "camera"),
        (Sorter, "look", "sorting"),
        (LatestFrame, "frames", "sorting"),
        (Coil, "activate", "lanes"),
        (Lanes, "_wait", "lanes"),
        (Recorder, "_wait", "ledger"),
    ],
)
def test_a_thread_that_stops_at_work_or_while_it_waits_ends_the_station(
    owner: type, name: str, thread: str, new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(LONG_HOLDS.replace("second: 1000", "second: 20, loop: true"))
    clock, release = VirtualClock(), threading.Event()
    original = getattr(owner, name)
    calls = itertools.count()

    def stopping(*args: Any, **options: Any) -> Any:
        # The first few go well: it is a station at work that hangs.
        if next(calls) >= (0 if name in ("frames", "activate") else 5):
            clock.leave()  # time goes on without it
            release.wait()
            raise ZeroDivisionError("this thread was needed no more")
        return original(*args, **options)

    monkeypatch.setattr(owner, name, stopping)
    told: list[str] = []
    monkeypatch.setattr(Notifier, "alive", lambda notifier: told.append("alive"))
    monkeypatch.setattr(Notifier, "stopping", lambda notifier: told.append("stopping"))
    try:
        with pytest.raises(StuckError, match=f"{thread} has not responded"):
            run(clock=clock, notifier=Notifier({}))
    finally:
        release.set()
    assert told[-1] == "stopping"  # the watchdog was not fed any more
    assert run.states(SOLENOID)[-1] == 0
    assert run.states(SERVO)[-1] == 0


KEEPING_ALIVE = (
    STATION.replace("second: 1000", "second: 20, loop: true")
    + "keep_alive: {pin: 21, change_seconds: 0.02}\n"
)


def test_the_keep_alive_pin_changes_while_all_is_well_and_is_low_at_the_end(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(KEEPING_ALIVE)
    wire = run.pins.factory.pin(21)
    assert run(max_items=10, clock=VirtualClock()).items == 10
    levels = [int(state.state) for state in wire.states]
    assert len(levels) > 4
    assert levels == [0, 1] * (len(levels) // 2) + [0] * (len(levels) % 2)
    assert levels[-1] == 0


def test_the_keep_alive_pin_stands_still_when_the_main_thread_does(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(KEEPING_ALIVE)
    wire = run.pins.factory.pin(21)
    monkeypatch.setattr(supervisor, "_WELL_SECONDS", 0.05)
    monkeypatch.setattr(supervisor, "_LOOK_SECONDS", 60)  # it looks once, before it starts
    assert run(max_items=20, clock=VirtualClock()).items == 20
    # In a second of sorting it would have changed fifty times.
    assert len(wire.states) < 10


def test_a_camera_that_waits_on_purpose_is_not_stuck(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(STATION.replace("second: 1000", "second: 0.25"))
    monkeypatch.setattr(supervisor, "STUCK_SECONDS", 3)
    assert run(max_items=2, clock=VirtualClock()).items == 2


def test_the_system_is_told_that_the_station_is_ready_alive_and_stopping(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(STATION.replace("second: 1000", "second: 5"))
    monkeypatch.setattr(supervisor, "_LOOK_SECONDS", 0.02)
    told: list[str] = []

    class Told(Notifier):
        def _tell(self, *lines: str) -> bool:
            told.extend(lines)
            return True

    notifier = Told({"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "80000"})
    with Station(
        read_station(run.file),
        endings=run.endings,
        observers=[of_items(run.shown.append)],
        openers=Openers(pins=lambda: run.pins),
        notifier=notifier,
        clock=VirtualClock(),
    ) as station:
        station.run()
    assert told[:2] == ["READY=1", "STATUS=sorting with tiny 1"]
    assert "WATCHDOG=1" in told
    assert told[-1] == "STOPPING=1"


def test_no_actuator_is_closed_while_another_thread_moves_it(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, asked, safe = new_run(), threading.Event(), Servo.safe
    join = Worker.join
    moving: list[bool] = []

    def joining(thread: Worker, timeout: float | None = None) -> None:
        if thread.name == "lanes":
            asked.set()
        join(thread, timeout)

    def slow(servo: Servo) -> None:
        if threading.current_thread().name == "lanes":
            asked.wait(2)
        safe(servo)

    def closing(servo: Servo) -> None:
        moving.append(any(thread.name == "lanes" for thread in threading.enumerate()))

    class Impatient(queue.SimpleQueue[Any]):
        def get(self, block: bool = True, timeout: float | None = None) -> Any:
            raise KeyboardInterrupt  # a second Ctrl-C

    monkeypatch.setattr(Worker, "join", joining)
    monkeypatch.setattr(Servo, "safe", slow)
    monkeypatch.setattr(Servo, "close", closing)
    run.endings = Impatient()
    with pytest.raises(KeyboardInterrupt):
        run()
    assert moving == [False]


def test_what_was_planned_when_a_signal_came_is_counted_as_missed(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(STATION.replace("    labels: [red]", "    delay_seconds: 50\n    labels: [red]"))
    read = FolderCamera.read

    def signalled(camera: FolderCamera) -> Frame | UnreadableFrame | None:
        frame = read(camera)
        if frame is not None and frame.sequence == 2:
            run.endings.put(signal.SIGTERM)
        return frame

    monkeypatch.setattr(FolderCamera, "read", signalled)
    tally = run()
    assert tally.missed[Missed.STOPPED] >= tally.lanes["warm"] == 1
    with Ledger(run.file.with_name("ledger.sqlite")) as ledger:
        (planned,) = (e for e in ledger.entries() if e.lane == "warm")
        (ended,) = (a for a in ledger.actuations() if a.lane == "warm")
    assert planned.actuation == "planned"
    assert planned.due is not None
    assert (ended.item, ended.time, ended.missed) == (planned.item, planned.time, "stopped")
