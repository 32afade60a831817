"""What the verb check says of a station file, and which modules reading one imports."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from edge import lanes
from edge.cli import main
from edge.config.reading import read_station
from edge.core.errors import EXIT_CONFIG, EXIT_OK, ConfigError
from edge.vision import camera, trigger
from tests.bundles import make_bundle
from tests.edge.stations import STATION, make_station


def test_check_says_that_nothing_is_wrong(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    station = make_station(tmp_path, bundle=tiny_bundle)
    assert main(["check", str(station)]) == EXIT_OK
    said = capsys.readouterr().out
    assert "no mistakes" in said
    assert "lane       cold: blue, solenoid" in said
    assert "lane       rest: green, every reject" in said


def test_check_ends_with_78_and_the_place_of_the_mistake(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = STATION.replace("pin: 23", "pin: 18")
    station = make_station(tmp_path, text=text, bundle=tiny_bundle)
    assert main(["check", str(station)]) == EXIT_CONFIG
    assert f"{station}:11: lanes.cold.actuator.pin: pin 18 is used" in capsys.readouterr().err


def test_check_refuses_a_changed_bundle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    station = make_station(tmp_path)
    (tmp_path / "bundle" / "model.tflite").write_bytes(b"another model")
    assert main(["check", str(station)]) == EXIT_CONFIG
    said = capsys.readouterr().err
    assert f"{station}:2: bundle: " in said
    assert "model.tflite has been changed" in said


def test_check_refuses_a_bundle_whose_model_does_not_fit_its_labels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = make_bundle(tmp_path / "made", labels=("red", "green", "blue", "grey"))
    text = STATION.replace("[green]", "[green, grey]")
    station = make_station(tmp_path / "station", text=text, bundle=bundle)
    assert main(["check", str(station)]) == EXIT_CONFIG
    assert "4 labels, the model gives 3 scores" in capsys.readouterr().err


def test_only_the_modules_of_the_kinds_in_the_file_are_imported(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (*lanes.KINDS.values(), *camera.KINDS.values(), *trigger.KINDS.values()):
        if module in sys.modules:  # what is imported anew must not stay when this test is over
            package, _, name = module.rpartition(".")
            monkeypatch.setattr(sys.modules[package], name, sys.modules[module])
            monkeypatch.delitem(sys.modules, module)
    text = STATION.replace("    actuator: {kind: servo", "    # actuator: {kind: servo")
    read_station(make_station(tmp_path, text=text, bundle=tiny_bundle))
    assert "edge.lanes.solenoid" in sys.modules
    assert "edge.lanes.servo" not in sys.modules


def test_a_kind_that_the_wheel_leaves_out_is_named_with_what_brings_it(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(camera.KINDS, "belt", "edge.gone.belt.camera")
    station = make_station(
        tmp_path, text=STATION.replace("kind: folder", "kind: belt"), bundle=tiny_bundle
    )
    with pytest.raises(ConfigError, match=r"3: camera\.kind: belt is not installed.*--editable"):
        read_station(station)
