"""A station from the camera to the lanes and to its rows."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from edge.config.reading import read_station
from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.core.model.classifier import Classifier
from edge.core.verdict import Prediction
from edge.events import (
    of_items,
)
from edge.pins.pins import Pins
from edge.runtime.clock import Flag
from edge.simulation.virtual_clock import VirtualClock
from edge.sorting.openers import Openers
from edge.station import Station
from tests.bundles import BGR, LABELS, make_bundle, write_picture
from tests.edge.station_runs import REST_PULSE, SERVO, SOLENOID, NewRun, Run
from tests.edge.stations import STATION

pytestmark = pytest.mark.usefixtures("ledger_within")


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
        read_station(run.file),
        endings=run.endings,
        openers=Openers(pins=lambda: run.pins),
        clock=VirtualClock(),
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


def test_a_row_tells_how_the_verdict_came_about(new_run: NewRun) -> None:
    run, began = new_run(), time.monotonic()
    run(max_items=1)
    lasted = time.monotonic() - began
    (entry,) = run.entries()
    plan = read_station(run.file)
    assert entry.station == "bin-1"
    assert (entry.bundle, entry.bundle_digest) == ("tiny 1", plan.bundle.digest)
    assert entry.scores is not None
    assert list(entry.scores) == list(LABELS)
    assert sum(entry.scores.values()) == pytest.approx(1, abs=0.01)
    assert entry.confidence == entry.scores["red"]
    assert 0 < entry.latency_ms < 1000 * lasted


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
        openers=Openers(pins=forbidden),
    ) as station:
        assert station.run().items == 3
    assert any("no lane has an actuator" in said for said in run.said)
