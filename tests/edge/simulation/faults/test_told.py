"""Faults are told by their own names, in time, and nothing is an item because of one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge.config.reading import read_station
from edge.core.errors import UsageError
from edge.ledger import opening
from edge.ledger.recovering import RecoveringLedger
from edge.simulation.account.report import Report
from edge.simulation.faults.table import read_faults
from edge.simulation.options import SimulationOptions
from edge.simulation.simulate import simulate
from tests.bundles import SPEC
from tests.edge.simulation.photographs import BIN, STATION, belt_station

BEGIN = 8.0
"""When the fault begins: the scene is learned by then."""
ENCODER = STATION.replace(
    "belt: {metres_per_second: 0.4}",
    "belt: {metres_per_second: 0.4, encoder: {pin: 6, pulses_per_metre: 200}}",
)
CAROUSEL = (
    BIN.replace("hold_seconds: 0.3", "hold_seconds: 1")
    .replace("kind: servo, pin: 18, rest_angle: 0, active_angle: 60", "kind: bin, position: 100")
    .replace("kind: solenoid, pin: 23", "kind: bin, position: 200")
    + """\
bin:
  kind: carousel
  step_pin: 5
  direction_pin: 6
  enable_pin: 13
  max_steps_per_second: 400
  steps_per_second_squared: 1000
  home: {pin: 16, within_steps: 400}
"""
)


@pytest.fixture(autouse=True)
def _no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "LedgerProcess", RecoveringLedger)


def ran(folder: Path, text: str, fault: str) -> dict[str, Any]:
    """What is told of a run with a fault."""
    return reported(folder, text, fault).to_json()


def reported(folder: Path, text: str, fault: str, *, count: int = 20) -> Report:
    """The report of a run with a fault; its model looks at the boxes of items."""
    boxes = SPEC.model_copy(update={"crop": "item"})
    station = belt_station(folder, text=text, spec=boxes)
    things = folder / "things"
    options = SimulationOptions(
        items=things, rate=0.83, count=count, seed=0, faults=tuple(read_faults(fault))
    )
    return simulate(read_station(station), options)


def incident(found: dict[str, Any], name: str) -> dict[str, Any]:
    """The one incident of a run, which has this name."""
    (one,) = found["incidents"]
    assert one["name"] == name
    return dict(one)


@pytest.mark.parametrize(
    ("fault", "name", "stops"),
    [
        ("torn:seconds=2", "camera_torn", True),
        ("torn:seconds=2:share=0.25", "camera_torn", True),
        ("damaged:seconds=0.4", "camera_damaged", False),
        ("blurred:seconds=6", "camera_blurred", False),
        ("moved:seconds=6", "camera_moved", False),
    ],
)
def test_a_fault_of_the_camera(tmp_path: Path, fault: str, name: str, stops: bool) -> None:
    kind, _, rest = fault.partition(":")
    planted = ":".join(filter(None, (kind, f"at={BEGIN:g}", rest)))
    text = STATION.replace("learn_seconds: 0.2", "learn_seconds: 1")  # as without it
    found = ran(tmp_path, text, planted)
    one = incident(found, name)
    assert abs(one["begin"] - BEGIN) <= 0.5
    # What lasts for two seconds only is told: it was noticed by then.
    lasted = {"camera_damaged": 0.4 + 3, "camera_torn": 2}.get(name, 6)
    assert abs(one["seconds"] - lasted) <= 1
    told = [(stop["reason"], stop["states"]) for stop in found["state"]["stops"]]
    assert told == ([(name, ["Held"])] if stops else [])
    assert found["verdicts"]["without_item"] == 0


def test_an_encoder_that_is_silent_while_items_pass(tmp_path: Path) -> None:
    found = ran(tmp_path, ENCODER, f"encoder-silent:at={BEGIN:g}:seconds=8")
    one = incident(found, "encoder_silent")
    assert abs(one["begin"] - BEGIN) <= 0.1
    assert abs(one["seconds"] - 8) <= 0.5
    (stop,) = found["state"]["stops"]
    assert (stop["reason"], stop["states"]) == ("encoder_silent", ["Held"])
    assert abs(stop["seconds"] - 8) <= 0.5
    assert found["verdicts"]["without_item"] == 0


def test_a_belt_that_stands_with_its_items_has_no_silent_encoder(tmp_path: Path) -> None:
    found = ran(tmp_path, ENCODER, "speed:factor=0:every=20:seconds=8")
    assert "encoder_silent" not in [one["name"] for one in found["incidents"]]


def test_a_home_switch_that_never_closes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    moved = "actuator: {kind: bin, position: 0, hold_seconds: 1}"
    text = CAROUSEL.replace("rejects: {}", f"rejects: {{{moved}}}")
    report = reported(tmp_path, text, "home-stuck", count=12)
    (oee,) = (line for line in report.lines() if line.startswith("OEE"))
    assert "not known: availability 0.0%, performance not known, quality not known" in oee
    assert "None" not in "\n".join(report.lines())
    # The motor was looking for its home when the items came: nobody paused it, nothing stopped it.
    missed = [line for line in caplog.messages if line.startswith("missed")]
    assert missed
    assert all("still starting" in line for line in missed)
    found = report.to_json()
    one = incident(found, "home_not_found")
    assert one["begin"] == pytest.approx(4, abs=1)  # 400 steps, 100 a second
    assert (found["stopped"], found["missed"]) == (True, {})
    assert set(found["rejects"]) <= {"not_sorting"}
    assert set(found["state"]["seconds"]) == {"Starting", "Stopped"}
    (stop,) = found["state"]["stops"]
    assert (stop["reason"], stop["states"]) == ("home_not_found", ["Stopped"])
    assert found["state"]["availability"] == 0


def test_what_a_station_does_not_have_does_not_fail(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"encoder-silent: this station has nothing .* an encoder"):
        ran(tmp_path, STATION, "encoder-silent")
    with pytest.raises(UsageError, match=r"home-stuck: this station has nothing .* a home switch"):
        ran(tmp_path / "other", STATION, "home-stuck")
