"""What `init --kind` writes: a file without a mistake, which a simulation takes.

It is warned of one thing alone, which can only be done once the camera is mounted.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from edge.cli import main
from edge.config.first_file.machines import MACHINE_KINDS
from edge.config.reading import read_station
from edge.core.errors import EXIT_OK, EXIT_USAGE
from edge.pins.header import BUSES, PULLED_UP
from edge.simulation.contacts import SimulatedContacts
from edge.simulation.faults.table import Faults, read_faults
from tests.bundles import make_bundle
from tests.edge.simulation.photographs import write_things

LABELS = ("red", "green", "blue")


def written(folder: Path, kind: str, *, labels: tuple[str, ...] = LABELS) -> Path:
    bundle, file = make_bundle(folder / "bundle", labels=labels), folder / kind / "station.yaml"
    assert main(["init", str(bundle), str(file), "--camera", "usb", "--kind", kind]) == EXIT_OK
    return file


@pytest.mark.parametrize("kind", MACHINE_KINDS)
def test_each_kind_is_checked_and_simulated_as_it_is_written(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path, kind)
    capsys.readouterr()
    assert main(["check", str(file), "--json"]) == EXIT_OK
    warnings = json.loads(capsys.readouterr().out)["warnings"]
    assert len(warnings) == (kind != "table")
    assert all("there is no reference_picture" in one["message"] for one in warnings)
    items = write_things(tmp_path / "things", labels=LABELS)
    words = ["simulate", str(file), "--items", str(items), "--count", "2", "--json"]
    assert main(words) == EXIT_OK
    said = json.loads(capsys.readouterr().out)
    assert (said["verdicts"]["one"], said["purity"]) == (2, 1.0)


@pytest.mark.parametrize("kind", MACHINE_KINDS)
def test_the_stops_that_are_commented_out_are_right_once_they_are_wired(
    tmp_path: Path, kind: str
) -> None:
    labels = ("yes", *LABELS)
    file = written(tmp_path, kind, labels=labels)
    assert read_station(file).config.stops is None
    section = r"^# (?=stops:|  (emergency_stop|bins|exits):)"
    text = re.sub(section, "", file.read_text("utf-8"), flags=re.MULTILINE)
    file.write_text(text, "utf-8")
    config = read_station(file).config
    faults = ["emergency-stop", "bin-full", *(["jam"] if kind != "table" else [])]
    planted = Faults(read_faults(",".join(faults)), seed=1)
    SimulatedContacts(config.stops, planted, lambda: 0.0, lanes=config.lanes)
    assert config.stops is not None
    assert set(config.stops.bins) == {labels[0]}


@pytest.mark.parametrize("kind", [kind for kind in MACHINE_KINDS if MACHINE_KINDS[kind].most_lanes])
def test_as_many_lanes_as_it_can_have_share_no_pin_and_no_position(
    tmp_path: Path, kind: str
) -> None:
    most = MACHINE_KINDS[kind].most_lanes
    assert most is not None
    labels = tuple(f"label {number}" for number in range(most))
    lanes = read_station(written(tmp_path, kind, labels=labels)).config.lanes
    places = [
        getattr(lane.actuator, "pin", None) or getattr(lane.actuator, "position", None)
        for lane in lanes.values()
        if lane.actuator is not None
    ]
    assert len(set(places)) == len(places) >= most
    for lane in lanes.values():
        pin = getattr(lane.actuator, "pin", 18)
        assert pin not in PULLED_UP
        assert pin not in BUSES


def test_more_labels_than_lanes_are_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tuple(f"label {number}" for number in range(6))
    bundle, file = (
        make_bundle(tmp_path / "bundle", labels=labels),
        tmp_path / "new" / "station.yaml",
    )
    words = ["init", str(bundle), str(file), "--camera", "usb", "--kind", "flap-bin"]
    assert main(words) == EXIT_USAGE
    said = capsys.readouterr().err
    assert "writes 4 lanes at most, and the bundle has 6 labels: label 0," in said
    assert "--kind table" in said
    assert "add what moves: `actuator` of those lanes" in said
    assert "the station is called" not in said
    assert not file.parent.exists()


@pytest.mark.parametrize(("kind", "advised"), [("flap-bin", True), ("belt", False)])
def test_a_trigger_that_was_written_for_things_that_move_is_told(
    tmp_path: Path, kind: str, advised: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, file = make_bundle(tmp_path / "bundle"), tmp_path / "station.yaml"
    assert main(["init", str(file), "--camera", "usb"]) == EXIT_OK
    assert main(["init", str(bundle), str(file), "--kind", kind]) == EXIT_OK
    assert (
        "add under `trigger` the line `still_seconds: 0.4" in capsys.readouterr().err
    ) is advised


def test_photographs_of_a_folder_pass_no_machine(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "station.yaml"
    words = ["init", str(tiny_bundle), str(file), "--photos", str(tmp_path), "--kind", "belt"]
    assert main(words) == EXIT_USAGE
    assert "--kind belt needs --camera" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "pulses"), [("chute", {"while_active"}), ("flap-bin", {"always"})]
)
def test_an_arm_gets_no_pulses_where_nothing_presses_on_it(
    tmp_path: Path, kind: str, pulses: set[str]
) -> None:
    bundle, file = make_bundle(tmp_path / "bundle"), tmp_path / "station.yaml"
    assert main(["init", str(bundle), str(file), "--camera", "usb", "--kind", kind]) == EXIT_OK
    config = read_station(file).config
    arms = [config.bin] if config.bin else [lane.actuator for lane in config.lanes.values()]
    assert {getattr(arm, "pulses", None) for arm in arms if arm is not None} == pulses
