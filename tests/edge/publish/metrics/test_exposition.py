"""The metrics of a station: what they say, that they go on, that the dashboard has only them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from edge.core.errors import StatusRefusedError
from edge.ledger.ledger import Ledger
from edge.publish.metrics.exposition import ReceiverFigures, StationMetrics
from edge.telemetry.status import StationState, StatusReading
from tests.deploy.scripts import DEPLOY
from tests.edge.ledger.entries import actuation, correction, entry
from tests.edge.ledger.reports.test_reading import PLANTED, T0, state
from tests.edge.telemetry.statuses import SIGNS, status

LANES = {"metal": ["can"], "glass": ["bottle"], "rest": []}
RECEIVERS = [
    ReceiverFigures("mqtt", sent=7, refused=1, dropped=2, waiting=3, trouble=None),
    ReceiverFigures("postgres", sent=0, refused=0, dropped=0, waiting=None, trouble="no route"),
]


class Watched:
    """A station whose metrics are looked at."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ledger.sqlite"
        self.reading: StatusReading | None = StatusReading(status(self.path), 0.5)
        self.refusal: StatusRefusedError | None = None
        self.wall = (T0 + 1100_000_000) / 1e6
        self.metrics = StationMetrics(
            "bin-1",
            self.path,
            lanes=LANES,
            receivers=lambda: RECEIVERS,
            status=self._read,
            wall=lambda: self.wall,
        )
        self._registry = CollectorRegistry()
        self._registry.register(self.metrics)

    def _read(self, station: str, ledger: Path) -> StatusReading | None:
        if self.refusal is not None:
            raise self.refusal
        return self.reading

    @property
    def text(self) -> str:
        return generate_latest(self._registry).decode()

    def __getitem__(self, name: str) -> Mapping[tuple[str, ...], float]:
        """The values of a sample by its labels but the station, in the order of their names."""
        return {
            tuple(value for label, value in sample.labels.items() if label != "station"): (
                sample.value
            )
            for family in text_string_to_metric_families(self.text)
            for sample in family.samples
            if sample.name == name
        }


def test_the_time_in_each_state_goes_on_while_the_station_runs_and_never_down(
    watched: Watched,
) -> None:
    with Ledger(watched.path) as ledger:
        ledger.append(PLANTED[:2])
        watched.metrics.count()
        name = "pilah_state_seconds_total"
        assert watched[name] == {("Production", "Execute"): 1090, ("Production", "Starting"): 10}
        ledger.append(PLANTED[2:3])  # which says that it stood 90 seconds ago
        assert watched[name]["Production", "Execute"] == 1090
        assert watched[name]["Production", "Held"] == 90
        watched.reading = None  # it is not known to run
        watched.wall += 1000
        assert watched[name]["Production", "Held"] == 90
        ledger.append([state(2000, "Starting"), state(2005, "Execute")])
        assert watched[name]["Production", "unknown"] == 990


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


@pytest.fixture
def ledger(watched: Watched) -> Iterator[Ledger]:
    with Ledger(watched.path) as ledger:
        yield ledger


def test_the_rows_of_the_ledger_are_counters(watched: Watched, ledger: Ledger) -> None:
    ledger.append([
        entry(1, quantity=6),
        entry(2, lane="rest", accepted=False, reject="late", actuation="missed", missed="late"),
        entry(3, label=None, lane="rest", accepted=False, reject="unreadable"),
        entry(4, actuation="planned", due="2026-11-21T23:04:59.990000Z"),
        actuation(4),
        correction(1, "label", "can", "bottle"),
    ])  # fmt: skip
    watched.metrics.count()
    assert watched["pilah_items_total"] == {
        ("can", "metal"): 2, ("can", "rest"): 1, ("none", "rest"): 1,
    }  # fmt: skip
    assert watched["pilah_rejects_total"] == {("late",): 1, ("unreadable",): 1}
    assert watched["pilah_pieces_total"] == {("metal",): 7, ("rest",): 2}
    assert watched["pilah_actuations_total"] == {("metal", "moved"): 1, ("rest", "late"): 1}
    assert watched["pilah_corrections_total"] == {("label",): 1}
    assert watched["pilah_verdict_latency_seconds_count"] == {(): 4}
    assert watched["pilah_verdict_latency_seconds_bucket"]["+Inf",] == 4
    assert watched["pilah_verdict_latency_seconds_bucket"]["0.005",] == 4
    assert watched["pilah_actuation_lateness_seconds_sum"][()] == pytest.approx(0.01)


def test_labels_that_are_not_in_the_station_file_are_one(watched: Watched, ledger: Ledger) -> None:
    ledger.append([entry(n, label=f"4006381{n}", lane=f"lane {n}") for n in range(100)])
    ledger.append([entry(200, accepted=False, reject="of a newer pilah")])
    watched.metrics.count()
    assert watched["pilah_items_total"] == {("other", "other"): 100, ("can", "metal"): 1}
    assert watched["pilah_rejects_total"] == {("other",): 1}


def test_counters_go_on_where_the_daemon_was_started_again(
    watched: Watched, ledger: Ledger
) -> None:
    ledger.append([entry(1), entry(2)])
    watched.metrics.count()
    before = watched["pilah_items_total"], watched["pilah_frames_dropped_total"]
    assert before == ({("can", "metal"): 2}, {(): 3})
    watched.reading = None
    assert watched["pilah_frames_dropped_total"] == {(): 3}
    begun = replace(SIGNS, frames_dropped=1, frame_faults={"torn": 4})
    watched.reading = StatusReading(
        replace(status(watched.path, signs=begun), started="2026-11-30T09:00:00.000000Z"), 0.1
    )
    ledger.append([entry(1, time="2026-11-30T09:00:01.000000Z")])  # its count begins anew
    assert watched["pilah_items_total"] == {("can", "metal"): 3}
    assert watched["pilah_frames_dropped_total"] == {(): 4}
    assert watched["pilah_frame_faults_total"] == {("damaged",): 1, ("torn",): 4}


def test_before_all_rows_are_counted_there_are_no_counters(
    watched: Watched, ledger: Ledger
) -> None:
    ledger.append([entry(1)])
    assert "pilah_items_total" not in watched.text
    assert "the rows of the ledger are being counted" in watched.metrics.problems
    watched.metrics.count()
    assert "pilah_items_total" in watched.text
    assert "the rows of the ledger are being counted" not in watched.metrics.problems


@pytest.mark.parametrize(
    ("state", "age", "name", "well"),
    [
        (StationState.RUNNING, 0.5, "running", 1.0),
        (StationState.STARTING, 0.5, "starting", 0.0),
        (StationState.RUNNING, 60.0, "down", 0.0),
        (None, 0.0, "down", 0.0),
    ],
)
def test_the_state_of_the_station_is_one_of_four(
    watched: Watched, state: StationState | None, age: float, name: str, well: float
) -> None:
    watched.reading = (
        None if state is None else StatusReading(status(watched.path, state=state), age)
    )
    states = watched["pilah_station_state"]
    assert set(states) == {("starting",), ("running",), ("stopping",), ("down",)}
    assert [key for key, value in states.items() if value] == [(name,)]
    assert watched["pilah_station_well"] == {(): well}


def test_what_the_daemon_says_of_itself_are_gauges(watched: Watched) -> None:
    assert watched["pilah_thread_silent_seconds"] == {
        ("camera",): 0.1, ("sorting",): 0.2, ("lanes",): 0.3, ("ledger",): 0.4,
    }  # fmt: skip
    assert watched["pilah_frame_age_seconds"] == {(): 0.04}
    assert watched["pilah_resident_memory_bytes"] == {(): 90e6}
    assert set(watched["pilah_model_info"]) == {("ab" * 32, "tiny 1")}
    assert watched["pilah_camera_lost"] == {(): 0}


def test_a_daemon_that_has_said_nothing_of_itself_yet_has_a_start(watched: Watched) -> None:
    starting = replace(status(watched.path, state=StationState.STARTING), signs=None)
    watched.reading = StatusReading(starting, 0.5)
    assert watched["pilah_start_time_seconds"]
    assert watched["pilah_station_state"]["starting",] == 1
    assert "pilah_thread_silent_seconds" not in watched.text


def test_a_status_that_may_not_be_read_is_a_reason_and_hides_no_counters(
    watched: Watched, ledger: Ledger
) -> None:
    ledger.append([entry(1)])
    watched.metrics.count()
    watched.refusal = StatusRefusedError("the status may not be read by this user")
    assert "the status may not be read by this user" in watched.metrics.problems
    assert watched["pilah_station_well"] == {(): 0}
    assert watched["pilah_items_total"] == {("can", "metal"): 1}


def test_the_receivers_of_the_publisher_have_theirs(watched: Watched) -> None:
    assert watched["pilah_publish_entries_total"]["dropped", "mqtt"] == 2
    assert watched["pilah_publish_waiting_entries"] == {("mqtt",): 3}
    assert watched["pilah_publish_trouble"] == {("mqtt",): 0, ("postgres",): 1}
    assert "postgres cannot be told: no route" in watched.metrics.problems


def test_all_names_are_ours_in_base_units(watched: Watched, ledger: Ledger) -> None:
    ledger.append([entry(1)])
    watched.metrics.count()
    for family in text_string_to_metric_families(watched.text):
        assert family.name.startswith("pilah_"), family.name
        assert family.documentation.endswith("."), family.name
        assert not re.search(r"_(ms|milliseconds|kb|mb|percent|minutes)(_|$)", family.name)
        for sample in family.samples:
            assert sample.labels["station"] == "bin-1", sample.name


def test_what_the_dashboard_shows_is_exposed(watched: Watched, ledger: Ledger) -> None:
    ledger.append([entry(1)])
    watched.metrics.count()
    exposed = {
        sample.name
        for family in text_string_to_metric_families(watched.text)
        for sample in family.samples
    } | {
        f"{name}_total"
        for name in re.findall(r"^# TYPE (\w+?)(?:_total)? counter$", watched.text, re.MULTILINE)
    }
    dashboard = json.loads((DEPLOY / "grafana" / "pilah.json").read_text("utf-8"))
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel.get("targets", ())
        for name in re.findall(r"\bpilah_\w+", target["expr"])
    }
    asked |= set(re.findall(r"\bpilah_\w+", json.dumps(dashboard["templating"])))
    assert asked - exposed == set()
    families = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in exposed}
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked}
    assert families - shown == set(), "metrics that the dashboard does not show"


def test_a_ledger_that_cannot_be_read_is_a_reason(watched: Watched) -> None:
    watched.metrics.count()
    assert "there is no ledger yet" in watched.metrics.problems
    watched.path.write_text("no database, whatever it is called")
    watched.metrics.count()
    assert any("cannot read the ledger" in problem for problem in watched.metrics.problems)
