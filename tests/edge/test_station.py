from __future__ import annotations

import itertools
import logging
import queue
import signal
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.config.reading import read_station
from edge.core.errors import (
    EXIT_UNAVAILABLE,
    CameraError,
    GoldenError,
    LabelLaneError,
    LedgerError,
    LedgerInUseError,
    PinError,
    RegionError,
    StuckError,
)
from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.core.model.classifier import Classifier
from edge.core.verdict import Prediction
from edge.events import (
    CameraBack,
    CameraLost,
    Event,
    ItemSorted,
    ModelChanged,
    StationStarted,
    StationStopped,
    of_items,
)
from edge.flow import CameraChange, Frame, Missed, UnreadableFrame
from edge.lanes.lanes import Lanes
from edge.lanes.pins import Pins, open_pins
from edge.lanes.servo import Servo
from edge.lanes.solenoid import Solenoid
from edge.ledger import ledger as ledgers
from edge.ledger import opening
from edge.ledger import recorder as recorders
from edge.ledger.ledger import Ledger
from edge.ledger.recorder import Patience, Recorder
from edge.ledger.recovering import RecoveringLedger
from edge.runtime import heartbeat, supervisor
from edge.runtime.clock import SYSTEM_CLOCK, Clock, Flag
from edge.runtime.service import Notifier
from edge.runtime.worker import Endings, Worker
from edge.simulation.virtual_clock import VirtualClock
from edge.sorting.model import ActiveModel, open_model
from edge.sorting.sorter import Outcome, Sorter
from edge.sorting.tally import Tally
from edge.station import Station
from edge.vision.camera.folder import FolderCamera, Settings
from edge.vision.camera.reopening import CapturedPicture, ReopeningCamera
from edge.vision.latest_frame import LatestFrame
from tests.bundles import BGR, LABELS, make_bundle, write_picture
from tests.edge.stations import STATION, make_station
from tests.logged import listen

pytestmark = pytest.mark.usefixtures("ledger_within")

LONG_HOLDS = STATION.replace("hold_seconds: 0.1", "hold_seconds: 50").replace(
    "pin: 23,", "pin: 23, max_on_seconds: 50,"
)
SERVO, SOLENOID = 18, 23
REST_PULSE = 1.5 / 20


class Run:
    """One run of a station in a folder, and all that was seen of it."""

    def __init__(self, folder: Path, bundle: Path, text: str = STATION) -> None:
        self.file = make_station(folder, text=text, bundle=bundle)
        self.endings: Endings = queue.SimpleQueue()
        self.shown: list[ItemSorted] = []
        self.seen: list[Event] = []
        self.said: list[str] = []
        listen(self.said.append)
        self.pins = open_pins(folder / "no board")
        self._kept = {number: self.pins.factory.pin(number) for number in (SERVO, SOLENOID)}

    def __call__(
        self,
        *,
        max_items: int | None = None,
        clock: Clock = SYSTEM_CLOCK,
        notifier: Notifier | None = None,
    ) -> Tally:
        with Station(
            read_station(self.file),
            endings=self.endings,
            observers=[of_items(self.shown.append), self.seen.append],
            pins=lambda: self.pins,
            notifier=notifier,
            clock=clock,
        ) as station:
            return station.run(max_items=max_items)

    def states(self, number: int) -> list[float]:
        return [state.state for state in self._kept[number].states]

    def entries(self) -> list[ItemSorted]:
        with Ledger(self.file.with_name("ledger.sqlite")) as ledger:
            return list(ledger.entries())


@pytest.fixture
def new_run(tmp_path: Path, tiny_bundle: Path) -> Callable[..., Run]:
    numbers = itertools.count()
    return lambda text=STATION: Run(tmp_path / str(next(numbers)), tiny_bundle, text)


NewRun = Callable[..., Run]


def test_every_picture_gets_one_row_and_its_lane(new_run: NewRun) -> None:
    run = new_run()
    tally = run(clock=VirtualClock())
    entries = run.entries()
    assert [(e.item, e.source, e.label, e.lane) for e in entries] == [
        (1, "0.png", "red", "warm"),
        (2, "1.png", "green", "rest"),
        (3, "2.png", "blue", "cold"),
    ]
    assert run.shown == entries
    assert all(e.accepted and e.reject is None for e in entries)
    assert (tally.items, tally.dropped, tally.lost, tally.missed) == (3, 0, 0, {})
    assert tally.lanes == {"warm": 1, "rest": 1, "cold": 1}
    # at rest, moved once, at rest again, then without pulses
    assert run.states(SERVO) == pytest.approx([0, REST_PULSE, (1.5 + 60 / 180) / 20, REST_PULSE, 0])
    assert run.states(SOLENOID) == [0, 1, 0]


def test_the_signs_of_a_station_are_those_of_its_parts(new_run: NewRun) -> None:
    run = new_run()
    with Station(
        read_station(run.file), endings=run.endings, pins=lambda: run.pins, clock=VirtualClock()
    ) as station:
        before = station.vital_signs()
        station.run()
        after = station.vital_signs()
    assert before.silent_seconds == {}
    assert (before.model, before.items, before.frame_age_seconds) == ("tiny 1", 0, None)
    assert set(after.silent_seconds) == {"camera", "sorting", "lanes", "ledger"}
    assert (after.items, after.lanes) == (3, {"warm": 1, "cold": 1, "rest": 1})
    assert after.frame_age_seconds is not None
    assert (after.rows_queued, after.rows_lost) == (0, {"item": 0, "actuation": 0, "other": 0})


def test_every_event_is_in_the_ledger_and_has_an_id_of_its_own(new_run: NewRun) -> None:
    run = new_run()
    run(clock=VirtualClock())
    started, *_, stopped = run.seen
    plan = read_station(run.file)
    assert isinstance(started, StationStarted)
    assert (started.bundle, started.bundle_digest) == ("tiny 1", plan.bundle.digest)
    assert isinstance(stopped, StationStopped)
    assert (stopped.items, stopped.reason) == (3, "")
    with Ledger(run.file.with_name("ledger.sqlite")) as ledger:
        items, moved = list(ledger.entries()), list(ledger.actuations())
        assert list(ledger.happenings()) == [started, stopped]
    assert {event.id for event in run.seen} == {
        event.id for event in (*items, *moved, started, stopped)
    }
    assert len(run.seen) == 3 + 2 + 2
    by_id = {item.id: item for item in items}
    assert [by_id[a.item_id].lane for a in moved] == ["warm", "cold"]
    ids = [item.id for item in items]
    assert ids == sorted(ids)


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


def test_a_camera_that_is_lost_and_comes_back_is_in_the_ledger(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, opened = new_run(), Settings.open

    def losing(settings: Settings, **options: Any) -> Any:
        options["report"](CameraChange("cam", None))
        options["report"](CameraChange("cam", 2.5))
        return opened(settings, **options)

    monkeypatch.setattr(Settings, "open", losing)
    run()
    lost, back = (e for e in run.seen if isinstance(e, CameraLost | CameraBack))
    assert isinstance(lost, CameraLost)
    assert isinstance(back, CameraBack)
    assert (lost.camera, back.camera, back.lost_seconds) == ("cam", "cam", 2.5)
    with Ledger(run.file.with_name("ledger.sqlite")) as ledger:
        assert [e for e in ledger.happenings() if e.id in (lost.id, back.id)] == [lost, back]


def test_a_row_tells_how_the_verdict_came_about(new_run: NewRun) -> None:
    run = new_run()
    run(max_items=1)
    (entry,) = run.entries()
    plan = read_station(run.file)
    assert entry.station == "bin-1"
    assert (entry.bundle, entry.bundle_digest) == ("tiny 1", plan.bundle.digest)
    assert entry.scores is not None
    assert list(entry.scores) == list(LABELS)
    assert sum(entry.scores.values()) == pytest.approx(1, abs=0.01)
    assert entry.confidence == entry.scores["red"]
    assert 0 < entry.latency_ms < 5000


def test_many_pictures_fast_all_get_their_row(new_run: NewRun) -> None:
    run = new_run()
    for index in range(200):
        write_picture(
            run.file.parent / "photos" / f"n{index}.png", BGR["green"], height=16, width=16
        )
    tally = run()
    assert tally.items == 203
    sources = [entry.source for entry in run.entries()]
    assert len(sources) == len(set(sources)) == 203


def test_each_row_names_the_model_that_judged_its_item(new_run: NewRun, tmp_path: Path) -> None:
    """Models are changed after each verdict, before its row is written: no row may notice.

    The second has the labels of the first in another order, the third one label less.
    """
    run = new_run(STATION.replace("second: 1000", "second: 1000, loop: true"))
    folders = {
        "turned": make_bundle(tmp_path / "turned", labels=("blue", "red", "green"), name="turned"),
        "few": make_bundle(tmp_path / "few", name="few"),
    }
    plan = read_station(run.file)
    models = [open_model(plan)]
    models += [open_model(read_station(run.file, bundle=folder)) for folder in folders.values()]
    models[2] = with_two_labels(models[2])
    following = itertools.cycle(models[1:] + models[:1])
    judged: list[tuple[str, str, str]] = []

    def change(outcome: Outcome) -> None:
        verdict = outcome.verdict
        judged.append((outcome.frame.source, verdict.label, verdict.title))
        station.change_model(next(following))

    with Station(
        plan,
        endings=run.endings,
        observers=[of_items(run.shown.append)],
        pins=lambda: run.pins,
        clock=VirtualClock(),
        watch=change,
    ) as station:
        tally = station.run(max_items=12)
    entries = run.entries()
    assert tally.items == len(entries) == 12
    assert [(e.source, e.label, e.bundle) for e in entries] == judged
    expected = [
        ("0.png", "red", "tiny 1"),
        ("1.png", "red", "turned 1"),
        ("2.png", "blue", "few 1"),
    ]
    assert judged == expected * 4
    assert [e.bundle_digest for e in entries] == [m.digest for m in models] * 4
    assert [tuple(e.scores or ()) for e in entries] == [
        LABELS, ("blue", "red", "green"), ("red", "blue"),
    ] * 4  # fmt: skip
    assert [e.lane for e in entries] == ["warm", "warm", "cold"] * 4
    assert "model      few 1  (digest" in "".join(run.said)
    with Ledger(run.file.with_name("ledger.sqlite")) as ledger:
        changes = [e.bundle for e in ledger.happenings() if isinstance(e, ModelChanged)]
    assert changes == ["turned 1", "few 1", "tiny 1"] * 4


def with_two_labels(model: ActiveModel) -> ActiveModel:
    """`model` without its second score."""
    classifier = model.classifier

    class Two:
        spec = classifier.spec

        def predict(self, image: Image, *, box: Box | None = None) -> Prediction:
            prediction = classifier.predict(image, box=box)
            return prediction._replace(scores=prediction.scores[[0, 2]])

    labels = [model.rules.labels[0], model.rules.labels[2]]
    return replace(model, classifier=Two(), rules=replace(model.rules, labels=labels))


def test_an_unreadable_picture_names_the_model_that_would_have_judged_it(
    new_run: NewRun, tmp_path: Path
) -> None:
    run = new_run()
    (run.file.parent / "photos" / "1.png").write_bytes(b"")
    other = make_bundle(tmp_path / "other", name="other")
    plan = read_station(run.file, bundle=other)

    def change(outcome: Outcome) -> None:
        station.change_model(open_model(plan))

    with Station(
        read_station(run.file),
        endings=run.endings,
        observers=[of_items(run.shown.append)],
        pins=lambda: run.pins,
        watch=change,
    ) as station:
        station.run()
    assert [(e.bundle, e.reject) for e in run.entries()] == [
        ("tiny 1", None),
        ("other 1", "unreadable"),
        ("other 1", None),
    ]


def test_a_model_with_a_label_that_no_lane_takes_does_not_become_the_station_s(
    new_run: NewRun,
) -> None:
    run = new_run()
    plan = read_station(run.file)
    model = open_model(plan)
    strange = replace(model, rules=replace(model.rules, labels=("red", "empty", "glass")))
    with Station(
        plan,
        endings=run.endings,
        observers=[of_items(run.shown.append)],
        pins=lambda: run.pins,
        watch=lambda outcome: station.change_model(model),
    ) as station:
        with pytest.raises(LabelLaneError, match="tiny 1: the station has no lane for 'glass'"):
            station.change_model(strange)
        assert station.run().items == 3
    assert [e.label for e in run.entries()] == [*LABELS]


def test_start_says_what_is_running_on_what(new_run: NewRun) -> None:
    run = new_run()
    run()
    said = "\n".join(run.said)
    for words in ("bin-1", "tiny 1", "XNNPACK", "mock (no Raspberry Pi", "ready"):
        assert words in said


def test_a_run_ends_after_so_many_items(new_run: NewRun) -> None:
    run = new_run(STATION.replace("second: 1000", "second: 1000, loop: true"))
    assert run(max_items=7).items == 7
    assert [entry.item for entry in run.entries()] == list(range(1, 8))


def test_an_unreadable_picture_is_a_reject_in_the_ledger(new_run: NewRun) -> None:
    run = new_run()
    (run.file.parent / "photos" / "1b.jpg").write_bytes(b"")
    tally = run()
    entry = run.entries()[2]
    assert (entry.source, entry.reject, entry.lane) == ("1b.jpg", "unreadable", "rest")
    assert (entry.label, entry.confidence, entry.scores) == (None, None, None)
    assert (tally.items, tally.rejects) == (4, {"unreadable": 1})
    assert any(said.startswith("unreadable: ") and "1b.jpg" in said for said in run.said)


def test_unreadable_pictures_count_towards_the_end(new_run: NewRun) -> None:
    run = new_run()
    (run.file.parent / "photos" / "0.png").write_bytes(b"")
    assert run(max_items=1).items == 1


def test_the_station_may_ask_for_more_confidence_than_the_bundle(new_run: NewRun) -> None:
    run = new_run(STATION + "decision: {accept: {red: 1.0}}\n")
    assert run().rejects == {"low_confidence": 1}
    first = run.entries()[0]
    assert (first.label, first.reject, first.lane) == ("red", "low_confidence", "rest")
    assert run.states(SERVO) == pytest.approx([0, REST_PULSE, 0])


@pytest.mark.parametrize(
    ("decision", "rejects"),
    [
        ("", {"unknown": 1}),
        ("decision: {unknown: 0.01}\n", {"unknown": 4}),
        ("decision: {unknown: 1}\n", {"low_confidence": 1}),
    ],
)
def test_a_thing_of_no_class_is_a_reject_in_the_ledger(
    tmp_path: Path, decision: str, rejects: dict[str, int]
) -> None:
    bundle = make_bundle(tmp_path / "telling", unknown=0.5)
    run = Run(tmp_path / "run", bundle, STATION + decision)
    write_picture(run.file.parent / "photos" / "3.png", (128, 128, 128))
    tally = run()
    assert (tally.items, tally.rejects) == (4, rejects)
    last = run.entries()[3]
    assert (last.source, last.accepted, last.lane) == ("3.png", False, "rest")
    assert last.reject in rejects
    assert "rejects    " + ", ".join(f"{k} {v}" for k, v in rejects.items()) in tally.lines()


@pytest.mark.parametrize(
    ("change", "late"),
    [
        (("    labels: [red]", "    delay_seconds: 0.5\n    labels: [red]"), ["red"]),
        (("default_lane", "decision: {deadline_seconds: 0.5}\ndefault_lane"), [*LABELS]),
    ],
)
def test_a_late_verdict_moves_nothing(
    change: tuple[str, str], late: list[str], new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, clock, prediction = new_run(STATION.replace(*change)), VirtualClock(), Classifier.predict

    def slow(classifier: Classifier, image: Image, *, box: Box | None = None) -> Prediction:
        Flag(clock).wait(clock.now() + 1)
        return prediction(classifier, image, box=box)

    with monkeypatch.context() as patch:
        patch.setattr(Classifier, "predict", slow)
        tally = run(clock=clock)
    entries = run.entries()
    assert [e.label for e in entries if e.reject == "late"] == late
    assert {e.lane for e in entries if e.reject == "late"} == {"rest"}
    assert tally.rejects == {"late": len(late)}
    assert run.states(SERVO) == pytest.approx([0, REST_PULSE, 0])


def test_what_is_planned_when_the_pictures_end_is_still_done(new_run: NewRun) -> None:
    run = new_run(
        STATION.replace("    labels: [blue]", "    delay_seconds: 0.3\n    labels: [blue]")
    )
    run(clock=VirtualClock())
    assert run.states(SOLENOID) == [0, 1, 0]


def test_the_region_is_what_the_model_sees(new_run: NewRun) -> None:
    run = new_run(STATION + "region: {left: 40, top: 5, width: 20, height: 20}\n")
    picture = run.file.parent / "photos" / "0.png"
    image = cv2.imread(str(picture))
    assert image is not None
    image[5:25, 40:60] = BGR["blue"]
    cv2.imwrite(str(picture), image)
    run(max_items=1)
    assert run.entries()[0].label == "blue"


def test_a_region_beyond_the_picture_stops_the_station(new_run: NewRun) -> None:
    run = new_run(STATION + "region: {left: 80, top: 5, width: 20, height: 20}\n")
    with pytest.raises(
        RegionError, match=r"reaches to 100, 25 .* is 90x60 pixels \(0\.png\)"
    ) as told:
        run()
    assert told.value.exit_code == EXIT_UNAVAILABLE  # a service tries again


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
        raise PinError("GPIO 18 cannot be used")

    monkeypatch.setattr(Servo, "activate", broken)
    with pytest.raises(PinError, match="GPIO 18"):
        run()
    assert run.states(SOLENOID)[-1] == 0
    assert run.states(SERVO)[-1] == 0


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
            pins=lambda: run.pins,
        )
    assert run.states(SERVO) == pytest.approx([0, REST_PULSE, 0])


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
    run = new_run(LONG_HOLDS)
    release = threading.Event()

    def hanging(camera: FolderCamera) -> None:
        run.endings.put(signal.SIGTERM)
        release.wait(60)

    monkeypatch.setattr(FolderCamera, "read", hanging)
    monkeypatch.setattr(supervisor, "_PATIENCE_SECONDS", 0.2)
    with pytest.raises(StuckError, match=r"did not end within 0\.2 seconds: camera"):
        run()
    release.set()
    assert run.states(SERVO) == pytest.approx([0, REST_PULSE, 0])


def test_a_full_disk_does_not_stop_the_sorting(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = ledgers._prepare

    def small(connection: sqlite3.Connection, record: object) -> None:
        prepare(connection, record)
        connection.execute("PRAGMA max_page_count = 30")

    run = new_run(STATION.replace("second: 1000", "second: 1000, loop: true"))
    with monkeypatch.context() as full:
        full.setattr(ledgers, "_prepare", small)
        full.setattr(recorders, "_BATCH", 5)  # where the thread is late, all 90 fail as one
        tally = run(max_items=90)
    assert (tally.items, len(run.shown)) == (90, 90)
    assert tally.lost == 0
    assert 0 < tally.spilled < 90
    assert len(run.entries()) == 90 - tally.spilled
    assert sum("the disk is full" in said for said in run.said) == 1
    assert f"waiting    {tally.spilled} rows: the next start adds them to the ledger" in (
        tally.lines()
    )
    run.endings = queue.SimpleQueue()
    assert run(max_items=1).spilled == 0
    assert [entry.item for entry in run.entries()] == [*range(1, 91), 1]


def test_a_full_disk_without_a_spill_loses_rows_and_says_so(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(ledger: Ledger, rows: object) -> None:
        raise LedgerError("the disk is full")

    monkeypatch.setattr(Ledger, "append", full)
    run = new_run(STATION.replace("ledger.sqlite}", "ledger.sqlite, spill: none}"))
    tally = run()
    assert (tally.items, len(run.shown), tally.lost) == (3, 3, 3)
    assert "LOST       3 rows are not in the ledger" in tally.lines()


@pytest.mark.parametrize("damage", [b"", b"\0" * 5000, bytes(range(256)) * 40])
def test_a_station_sorts_with_a_ledger_that_is_damaged_at_the_start(
    new_run: NewRun, damage: bytes
) -> None:
    run = new_run()
    file = run.file.with_name("ledger.sqlite")
    file.write_bytes(damage)
    run()
    assert len(run.entries()) == 3
    assert len(list(file.parent.glob("ledger.set-aside-*.sqlite"))) == bool(damage)
    assert any(said.startswith("incident   ") for said in run.said) == bool(damage)


def test_a_station_sorts_without_the_folder_of_its_ledger(new_run: NewRun) -> None:
    run = new_run(STATION.replace("path: ledger", "path: usb/ledger"))
    tally = run()
    assert (tally.items, tally.lost, tally.spilled) == (3, 0, 3)
    assert any("cannot open the ledger" in said for said in run.said)
    (run.file.parent / "usb").mkdir()
    assert run().spilled == 0
    with Ledger(run.file.parent / "usb" / "ledger.sqlite") as ledger:
        assert [entry.item for entry in ledger.entries()] == [1, 2, 3, 1, 2, 3]


def test_a_second_station_with_the_same_ledger_is_refused_and_moves_nothing(
    new_run: NewRun,
) -> None:
    run = new_run()
    with RecoveringLedger(run.file.with_name("ledger.sqlite")) as first:
        first.append([])
        with pytest.raises(LedgerInUseError, match="is the station running already"):
            run()
    assert run.shown == []


def test_the_summary_counts_lanes_and_rejects_and_gives_the_latency(new_run: NewRun) -> None:
    run = new_run()
    (run.file.parent / "photos" / "1b.jpg").write_bytes(b"")
    lines = run().lines()
    assert lines[:4] == [
        "items      4",
        "lanes      cold 1, rest 2, warm 1",
        "rejects    unreadable 1",
        "frames     0 dropped",
    ]
    assert "p50" in lines[4]


def test_without_actuators_no_pins_are_opened(new_run: NewRun) -> None:
    text = "\n".join(line for line in STATION.splitlines() if "actuator" not in line)
    run = new_run(text)

    def forbidden() -> Pins:
        raise AssertionError("no pins are needed")

    with Station(
        read_station(run.file),
        endings=run.endings,
        observers=[of_items(run.shown.append)],
        pins=forbidden,
    ) as station:
        assert station.run().items == 3
    assert any("no lane has an actuator" in said for said in run.said)


@pytest.mark.parametrize(
    ("owner", "name", "thread"),
    [
        (FolderCamera, "read", "camera"),
        (LatestFrame, "wait_until_taken", "camera"),
        (Sorter, "look", "sorting"),
        (LatestFrame, "frames", "sorting"),
        (Solenoid, "activate", "lanes"),
        (Lanes, "_wait", "lanes"),
        (Recorder, "_wait", "ledger"),
    ],
)
def test_a_thread_that_stops_at_work_or_while_it_waits_ends_the_station(
    owner: type, name: str, thread: str, new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(LONG_HOLDS.replace("second: 1000", "second: 20, loop: true"))
    release = threading.Event()
    original = getattr(owner, name)
    calls = itertools.count()

    def stopping(*args: Any, **options: Any) -> Any:
        # The first few go well: it is a station at work that hangs.
        if next(calls) >= (0 if name in ("frames", "activate") else 5):
            release.wait(60)
            raise ZeroDivisionError("this thread was needed no more")
        return original(*args, **options)

    monkeypatch.setattr(owner, name, stopping)
    monkeypatch.setattr(supervisor, "STUCK_SECONDS", 1.5)
    monkeypatch.setattr(supervisor, "_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(heartbeat, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(supervisor, "_REST_SECONDS", 0.1)
    told: list[str] = []
    monkeypatch.setattr(Notifier, "alive", lambda notifier: told.append("alive"))
    monkeypatch.setattr(Notifier, "stopping", lambda notifier: told.append("stopping"))
    try:
        with pytest.raises(StuckError, match=f"{thread} has not responded"):
            run(notifier=Notifier({}))
    finally:
        release.set()
    assert told[-1] == "stopping"  # the watchdog was not fed any more
    assert run.states(SOLENOID)[-1] == 0
    assert run.states(SERVO)[-1] == 0


def test_the_keep_alive_pin_changes_while_all_is_well_and_is_low_at_the_end(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(
        STATION.replace("second: 1000", "second: 20, loop: true")
        + "keep_alive: {pin: 21, change_seconds: 0.02}\n"
    )
    wire = run.pins.factory.pin(21)
    assert run(max_items=10).items == 10
    levels = [int(state.state) for state in wire.states]
    assert len(levels) > 4
    assert levels == [0, 1] * (len(levels) // 2) + [0] * (len(levels) % 2)
    assert levels[-1] == 0


def test_the_keep_alive_pin_stands_still_when_the_main_thread_does(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(
        STATION.replace("second: 1000", "second: 20, loop: true")
        + "keep_alive: {pin: 21, change_seconds: 0.02}\n"
    )
    wire = run.pins.factory.pin(21)
    monkeypatch.setattr(supervisor, "_WELL_SECONDS", 0.05)
    monkeypatch.setattr(supervisor, "_LOOK_SECONDS", 60)  # it looks once, before it starts
    assert run(max_items=20).items == 20
    # In a second of sorting it would have changed fifty times.
    assert len(wire.states) < 10


def test_a_camera_that_waits_on_purpose_is_not_stuck(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(STATION.replace("second: 1000", "second: 0.25"))
    monkeypatch.setattr(supervisor, "STUCK_SECONDS", 3)  # a busy machine silences a thread, too
    monkeypatch.setattr(supervisor, "_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(heartbeat, "BEAT_SECONDS", 0.05)
    assert run(max_items=2).items == 2


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
        pins=lambda: run.pins,
        notifier=notifier,
    ) as station:
        station.run()
    assert told[:2] == ["READY=1", "STATUS=sorting with tiny 1"]
    assert "WATCHDOG=1" in told
    assert told[-1] == "STOPPING=1"


def test_pictures_of_nothing_are_no_items(tmp_path: Path) -> None:
    file = make_station(
        tmp_path,
        text=STATION.replace("{labels: [green]}", "{labels: []}"),
        bundle=make_bundle(tmp_path / "made", labels=("red", "empty", "blue")),
    )
    endings: Endings = queue.SimpleQueue()
    shown: list[ItemSorted] = []
    with Station(
        read_station(file), endings=endings, observers=[of_items(shown.append)]
    ) as station:
        tally = station.run()
    assert [entry.label for entry in shown] == ["red", "blue"]
    assert (tally.items, tally.empty) == (2, 1)
    assert "empty      1: the verdict was that there was no item" in tally.lines()


def test_frames_with_times_of_their_own_are_never_early(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run()
    read = FolderCamera.read

    def ahead(camera: FolderCamera) -> Frame | UnreadableFrame | None:
        frame = read(camera)
        return frame and replace(frame, captured=frame.captured + 1000)

    monkeypatch.setattr(FolderCamera, "read", ahead)
    assert list(run().latencies_ms) == [0, 0, 0]


def test_rows_that_wait_for_a_hanging_disk_at_the_end_are_kept_for_the_next_start(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = threading.Event()
    monkeypatch.setattr(Ledger, "append", lambda ledger, entries: release.wait(60) and None)
    monkeypatch.setattr(opening, "Patience", partial(Patience, hang=0.2, finish=0.2))
    try:
        tally = new_run()()
        assert (tally.lost, tally.spilled) == (0, 3)
    finally:
        release.set()


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


def test_what_the_camera_says_can_be_read_in_the_status(
    new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run()
    told: list[str] = []
    opened = Settings.open

    def talking(settings: Settings, **options: Any) -> Any:
        options["tell"](logging.INFO, "camera     is back")
        return opened(settings, **options)

    monkeypatch.setattr(Settings, "open", talking)
    monkeypatch.setattr(Notifier, "status", lambda self, text: told.append(text))
    with Station(
        read_station(run.file),
        endings=run.endings,
        observers=[of_items(run.shown.append)],
        pins=lambda: run.pins,
        notifier=Notifier({}),
    ):
        assert told == ["camera     is back"]


class _Lens:
    """A camera that gives `pictures`, eight a second, each with a sensor's noise but the frozen."""

    title, notes = "usb, 90x60 pixels", ()

    def __init__(self, pictures: list[str]) -> None:
        self._pictures = iter(pictures)
        self._random = np.random.default_rng(0)
        self._image = np.zeros((60, 90, 3), np.uint8)
        self._taken = 0
        self.over = threading.Event()

    def shoot(self) -> CapturedPicture | None:
        kind = next(self._pictures, None)
        if kind is None:
            self.over.set()
            return None
        self._taken += 1
        if kind != "frozen":
            shape = (30, 45, 3) if kind == "small" else (60, 90, 3)
            slope = np.linspace(-8, 8, shape[1])[:, None]
            noisy = np.array(BGR["red"]) + slope + self._random.normal(0, 2, shape)
            self._image = np.clip(noisy, 0, 255).astype(np.uint8)
        if kind == "black":
            self._image[:] = 0
        elif kind == "half":
            self._image[20:] = 128
        return CapturedPicture(self._image.copy(), self._taken / 8)

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("frozen", "is frozen: it has given exactly the same picture for 2 s"),
        ("black", "shows nothing: its picture is evenly dark"),
        ("half", "gives incomplete pictures: its rows 21 to 60 of 60 repeat one another"),
        ("small", "gives 45x30 pixels now, but gave 90x60 at the start"),
    ],
)
def test_of_a_camera_that_shows_no_picture_of_now_nothing_is_accepted(
    kind: str, said: str, new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run()
    lens = _Lens(["good"] * 3 + [kind] * 30 + ["good"] * 40)
    told: list[str] = []

    class Camera(ReopeningCamera):
        live = False  # every frame is looked at, however slow this machine is

    def opened(settings: Settings, **options: Any) -> Camera:
        def tell(level: int, text: str) -> None:
            told.append(text)
            options["tell"](level, text)

        def stop(seconds: float) -> bool:
            return lens.over.is_set()

        return Camera(
            lambda: lens,
            name="cam",
            clock=options["clock"],
            pause=stop,
            tell=tell,
        )

    monkeypatch.setattr(Settings, "open", opened)
    tally = run()
    entries = run.entries()
    # Of the good ones the very first: nobody knows yet whether it moves.
    assert sum(entry.accepted for entry in entries) == 2 + 40
    assert tally.rejects == {"bad_picture": len(entries) - 42}
    assert {(e.label, e.lane) for e in entries if not e.accepted} == {(None, "rest")}
    begun = next(line for line in told if line.startswith("camera     cam "))
    assert begun.startswith(f"camera     cam {said}")
    assert len([line for line in told if line.startswith("camera     cam: no ")]) == 1
    (summary,) = (line for line in tally.lines() if line.startswith("pictures"))
    assert {"frozen": "frozen 15, repeated 15", "black": "blank 30", "half": "torn 30"}.get(
        kind, "resized 30"
    ) in summary
