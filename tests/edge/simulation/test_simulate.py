"""A station on a simulated belt: its real code, the truth beside it, and the same every time."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge.config.reading import read_station
from edge.core.errors import UsageError
from edge.core.terminal.progress import Progress
from edge.simulation.faults.table import read_faults
from edge.simulation.options import SimulationOptions
from edge.simulation.simulate import simulate
from tests.edge.simulation.photographs import BIN, STATION, belt_station

pytestmark = pytest.mark.usefixtures("ledger_within")

STOPS = """\
stops:
  bins: {warm: {pin: 5}, cold: {pin: 6}}
  exits: {warm: {pin: 17, after_seconds: 0.5}}
"""


def simulated(folder: Path, text: str = STATION, **options: Any) -> dict[str, Any]:
    file = folder / "station.yaml"
    if not file.exists():
        belt_station(folder)
    file.write_text(text, encoding="utf-8")
    asked = {"items": folder / "things", "count": 6, "seed": 1, "rate": 0.83} | options
    return simulate(read_station(file), SimulationOptions(**asked)).to_json()


@contextmanager
def busy_machine() -> Iterator[None]:
    """A thread that competes for this process's time."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            sum(range(1000))

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()


def test_each_item_gets_one_verdict_and_falls_into_its_lane(
    tmp_path: Path,
) -> None:
    found = simulated(tmp_path)
    assert found["items"] == 6
    assert found["verdicts"] == {
        "one": 6, "none": 0, "several": 0, "without_item": 0, "unwritten": 0,
    }  # fmt: skip
    assert {name: lane["found"] for name, lane in found["lanes"].items()} == {
        "warm": {"red": 2}, "cold": {"blue": 2}, "rest": {"green": 2}, "rejects": {},
    }  # fmt: skip
    assert found["purity"] == found["recovery"] == 1
    assert found["purity_interval"][0] == pytest.approx(0.61, abs=0.01)
    assert found["confusion"]["red"] == {
        "red": 2, "green": 0, "blue": 0, "rejected": 0, "no verdict": 0,
    }  # fmt: skip
    assert found["landing_ms"]["count"] == 4
    assert found["landing_ms"]["max"] < 10
    assert found["landing_mm"]["max"] == pytest.approx(0.4 * found["landing_ms"]["max"], abs=0.01)
    assert not (tmp_path / "ledger.sqlite").exists()


def test_a_label_in_the_wrong_lane_and_an_unsure_one_show_in_the_figures(tmp_path: Path) -> None:
    text = STATION.replace("[red]", "[x]").replace("[blue]", "[red]").replace("[x]", "[blue]")
    text += "decision: {accept: {green: 1.0}}\n"
    found = simulated(tmp_path, text)
    # What the station calls red is red: it is in the lane for red, wherever that is.
    assert found["lanes"]["cold"]["found"] == {"red": 2}
    assert found["rejects"] == {"low_confidence": 2}
    assert found["lanes"]["rejects"]["found"] == {"green": 2}
    assert found["lanes"]["rest"]["recovery"] == 0
    assert (found["purity"], found["recovery"]) == (1, pytest.approx(4 / 6))


def test_slow_inference_loses_frames_the_same_ones_on_a_busy_machine(tmp_path: Path) -> None:
    """At a multiple of the time from frame to frame, so that threads meet at one moment."""
    slow = tuple(read_faults("slow-inference:ms=150"))
    found = simulated(tmp_path, faults=slow, count=4)
    assert found["frames"]["dropped"] > 20
    assert found["frame_age_ms"]["max"] >= 50
    assert found["verdicts"]["one"] == 4
    assert found["faults"] == ["slow-inference:every=0:seconds=1:ms=150"]
    with busy_machine():
        again = simulated(tmp_path, faults=slow, count=4)
    assert found | {"machine": 0} == again | {"machine": 0}


def test_a_slow_disk_holds_up_no_item(tmp_path: Path) -> None:
    found = simulated(tmp_path, faults=tuple(read_faults("slow-disk:ms=2500")), count=3)
    assert found["verdicts"]["one"] == found["items"] == 3
    assert found["capture_to_verdict_ms"]["max"] == found["pin_after_plan_ms"]["max"] == 0


def test_a_belt_that_the_station_does_not_know_to_be_slow_is_missed(tmp_path: Path) -> None:
    found = simulated(tmp_path, faults=tuple(read_faults("speed:factor=0.5:every=0")), count=3)
    assert found["verdicts"]["one"] == 3
    assert found["lanes"]["warm"]["recovery"] == found["lanes"]["cold"]["recovery"] == 0


def test_in_a_bin_each_item_is_gone_before_the_next_one(tmp_path: Path) -> None:
    found = simulated(tmp_path, BIN, count=3)
    assert found["world"] == "bin"
    assert found["verdicts"]["one"] == found["items"] == 3
    assert found["recovery"] == 1
    assert found["view_to_move_ms"]["count"] == 2
    assert 300 <= found["view_to_move_ms"]["max"] <= 600
    assert found["landing_ms"]["count"] == 0


CAROUSEL = (
    re.sub(
        r"    actuator: .*\n", "    actuator: {kind: bin, position: 100, hold_seconds: 2}\n", BIN
    )
    + """\
bin:
  kind: carousel
  step_pin: 20
  direction_pin: 21
  steps_per_turn: 800
  max_steps_per_second: 800
  steps_per_second_squared: 2000
  enable_pin: 26
  home: {pin: 16, within_steps: 1000, steps_per_second: 200}
"""
)


def test_a_mover_that_several_lanes_share_takes_items_to_each(tmp_path: Path) -> None:
    """Its home switch is not simulated: it begins there."""
    text = CAROUSEL.replace("position: 100", "position: 500", 1)
    found = simulated(tmp_path, text, count=3)
    assert found["verdicts"]["one"] == found["items"] == 3
    assert found["recovery"] == 1
    assert found["view_to_move_ms"]["count"] == 2


@pytest.mark.parametrize(
    ("text", "kind"),
    [(STATION, "{kind: beam, pin: 5, delay_seconds: 0.2, view_seconds: 0.3}"),
     (BIN, "{kind: button, pin: 5, view_seconds: 0.3}")],
    ids=["beam", "button"],
)  # fmt: skip
def test_an_item_may_be_announced_by_a_signal(tmp_path: Path, text: str, kind: str) -> None:
    found = simulated(tmp_path, re.sub("trigger: .*", f"trigger: {kind}", text), count=3)
    assert found["verdicts"]["one"] == found["items"] == 3
    assert found["recovery"] == 1


ENCODER = STATION.replace(
    "belt: {metres_per_second: 0.4}",
    "belt: {metres_per_second: 0.4, encoder: {pin: 6, pulses_per_metre: 200}}",
)


def test_with_an_encoder_lanes_move_at_their_places_whatever_the_speed(tmp_path: Path) -> None:
    slower = tuple(read_faults("speed:factor=0.5:every=0"))
    found = simulated(tmp_path, ENCODER, faults=slower, count=3)
    assert found["recovery"] == 1
    assert found["landing_ms"]["count"] == 2
    assert found["landing_ms"]["max"] < 1000 / (200 * 0.2) + 10


@pytest.mark.parametrize(("gap", "close"), [(0.8, 0), (1.6, 2)])
def test_with_an_encoder_items_are_as_near_as_they_lie_on_the_belt(
    tmp_path: Path, gap: float, close: int
) -> None:
    """1.2 s at the speed of the station file; at half of it, they pass 2.4 s apart."""
    slower = tuple(read_faults("speed:factor=0.5:every=0"))
    text = f"{ENCODER}decision: {{min_gap_seconds: {gap}}}\n"
    found = simulated(tmp_path, text, faults=slower, count=2)
    assert found["rejects"] == ({"too_close": close} if close else {})


@pytest.mark.parametrize(("key", "ideal"), [("", 60 * 0.83), ("ideal_items_per_minute: 99\n", 99)])
def test_performance_is_against_what_the_station_file_says_or_else_the_rate(
    tmp_path: Path, key: str, ideal: float
) -> None:
    found = simulated(tmp_path, STATION + key, count=2)["state"]
    assert found["ideal_items_per_minute"] == pytest.approx(ideal)
    executing = found["seconds"]["Execute"]
    assert found["performance"] == pytest.approx(2 / (executing * ideal / 60), rel=1e-3)


def test_a_fault_that_the_station_could_not_notice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"emergency-stop: .*`stops: \{emergency_stop: ...\}`"):
        simulated(tmp_path, faults=tuple(read_faults("emergency-stop")))


@pytest.mark.parametrize("touching", ["0", "1"])
def test_progress_counts_items_also_those_without_a_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, touching: str
) -> None:
    steps: list[int] = []
    monkeypatch.setattr(Progress, "advance", lambda _, by=1: steps.append(by))
    found = simulated(tmp_path, faults=tuple(read_faults(f"touching:share={touching}")), count=4)
    assert (found["verdicts"]["one"] < 4) == (touching == "1")
    assert sum(steps) == 4


def test_a_fault_that_would_have_come_later_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    planted = "pause:at=500:seconds=2,pause:at=2:seconds=1"
    simulated(tmp_path, faults=tuple(read_faults(planted)), count=2)
    (said,) = [line for line in caplog.messages if line.startswith("--faults")]
    assert "pause:seconds=2:at=500: it never occurred, because the run was over after " in said


@pytest.mark.parametrize(
    ("planted", "told"),
    [
        ("pause:at=2:seconds=900", ["only ", " s of it are in the figures, because the run was"]),
        ("pause:every=5000:seconds=2", ["it never occurred, because the run was over after "]),
        ("jam:at=2:seconds=2:lane=warm", ["has not noticed it: two items in a row must be sent"]),
        ("bin-full:at=2:seconds=0.2", ["has not noticed it: its sensor must see something"]),
        ("bin-full:at=2:seconds=4:lane=cold", []),
    ],
)
def test_what_does_not_show_of_a_fault_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, planted: str, told: list[str]
) -> None:
    simulated(tmp_path, STATION + STOPS, faults=tuple(read_faults(planted)), count=6)
    said = [line for line in caplog.messages if line.startswith("--faults")]
    assert len(said) == bool(told)
    for words in told:
        assert words in said[0]


def test_a_rate_is_met_where_the_belt_allows_it(tmp_path: Path) -> None:
    assert simulated(tmp_path, rate=0.5)["items_per_second"] == pytest.approx(0.5, rel=0.15)


def test_a_station_whose_labels_cannot_be_drawn_asks_for_photographs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"knows red, green, blue.*--items FOLDER"):
        simulated(tmp_path, items=None)


def test_a_rate_that_no_belt_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"spacing_views.*another --rate"):
        simulated(tmp_path, rate=1e-6)
