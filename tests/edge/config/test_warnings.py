"""What `check` warns of: allowed, and probably not meant."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from edge.cli import main
from edge.config.reading import read_station
from edge.core.errors import EXIT_CONFIG, EXIT_OK, ConfigError
from edge.vision.camera.scene_checks import reference_of
from edge.vision.camera.scene_reference import write_reference
from tests.edge.stations import STATION, make_station

CALM = STATION.replace("frames_per_second: 1000", "frames_per_second: 1")
USB = CALM.replace("kind: folder, path: photos, frames_per_second: 1", "kind: usb")


def warnings_of(folder: Path, bundle: Path, text: str) -> list[str]:
    return list(read_station(make_station(folder, text=text, bundle=bundle)).warnings)


def test_an_ordinary_station_has_none(tmp_path: Path, tiny_bundle: Path) -> None:
    assert warnings_of(tmp_path, tiny_bundle, CALM) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("pin: 23", "pin: 4"), "11: lanes.cold.actuator.pin: GPIO 4 is pulled high from power-on"),
        (("pin: 18", "pin: 5"), "8: lanes.warm.actuator.pin: GPIO 5 is pulled high from power-on"),
        (
            ("pin: 23", "active_high: false, pin: 23"),
            "11: lanes.cold.actuator.pin: GPIO 23 is pull",
        ),
        (("pin: 23", "pin: 14"), "11: lanes.cold.actuator.pin: GPIO 14 is also the serial port"),
        (("pin: 23", "pin: 10"), "11: lanes.cold.actuator.pin: GPIO 10 is also SPI (MOSI)"),
        (("pin: 18", "active_high: false, pin: 18"), None),
        (
            ("hold_seconds: 0.1}\n  rest", "hold_seconds: 1.5}\n  rest"),
            "11: lanes.cold.actuator.hold_seconds: 1.5 is longer than the 1 s from one item to",
        ),
        (
            ("    labels: [red]", "    labels: [red]\n    delay_seconds: 0.5"),
            "8: lanes.warm.delay_seconds: 0.5, is below decision.deadline_seconds (2)",
        ),
        (
            ("    labels: [red]", "    labels: [red]\n    distance_metres: 0.5"),
            "8: lanes.warm.distance_metres: 0.5, which takes 0.5 s, is below decision.deadline",
        ),
    ],
)
def test_what_is_allowed_and_probably_not_meant(
    change: tuple[str, str], said: str | None, tmp_path: Path, tiny_bundle: Path
) -> None:
    assert change[0] in CALM
    text = CALM.replace(*change, 1)
    text += "decision: {deadline_seconds: 2}\nbelt: {metres_per_second: 1}\n"
    if said is None:
        with pytest.raises(ConfigError):  # a servo has no such key
            warnings_of(tmp_path, tiny_bundle, text)
        return
    found = warnings_of(tmp_path, tiny_bundle, text)
    assert len(found) == 1, found
    assert found[0].startswith(said)


def test_a_keep_alive_pin_on_a_bus_is_probably_not_meant(tmp_path: Path, tiny_bundle: Path) -> None:
    (found,) = warnings_of(tmp_path, tiny_bundle, CALM + "keep_alive: {pin: 10}\n")
    assert found.startswith("15: keep_alive.pin: GPIO 10 is also SPI (MOSI)")


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ("bin: {kind: flap, pin: 5}\n", "bin.pin: GPIO 5 is pulled high from power-on"),
        (
            "bin: {kind: carousel, step_pin: 20, direction_pin: 8, steps_per_turn: 800, "
            "max_steps_per_second: 800, steps_per_second_squared: 2000, at_rest: held, "
            "home: {pin: 16, within_steps: 1000, steps_per_second: 200}}\n",
            "bin.direction_pin: GPIO 8 is also SPI (CE0)",
        ),
        ("stops: {bins: {warm: {pin: 15}}}\n", "stops.bins.warm.pin: GPIO 15 is also the serial"),
        ("stops: {bins: {warm: {pin: 6}}}\n", None),
        ("stops: {emergency_stop: {pin: 6}}\n", "stops.emergency_stop: a wire that is cut"),
        ("stops: {emergency_stop: {pin: 6, active_high: true}}\n", "a wire that is cut"),
        ("stops: {emergency_stop: {pin: 6, active_high: true, pull: up}}\n", None),
        ("stops: {emergency_stop: {pin: 6, pull: none}}\n", None),
    ],
)
def test_every_pin_is_looked_at_and_a_cut_wire_is_thought_of(
    sections: str, said: str | None, tmp_path: Path, tiny_bundle: Path
) -> None:
    text = CALM + sections
    if sections.startswith("bin"):
        text = re.sub(
            r"actuator: {kind: \w+, pin: (\d+).*}",
            r"actuator: {kind: bin, position: \1, hold_seconds: 1}",
            text,
        )
    found = warnings_of(tmp_path, tiny_bundle, text)
    assert (found == []) if said is None else any(said in one for one in found), found


@pytest.mark.parametrize(
    ("change", "sections", "warned"),
    [
        (("    labels: [red]", "    labels: [red]\n    delay_seconds: 3"), "", True),
        (
            ("    labels: [red]", "    labels: [red]\n    delay_seconds: 3"),
            "decision: {min_gap_seconds: 0.2}\n",
            False,
        ),
        (("kind: usb", "kind: usb"), "", False),
    ],
)
def test_items_that_follow_each_other_closely_are_thought_of(
    change: tuple[str, str], sections: str, warned: bool, tmp_path: Path, tiny_bundle: Path
) -> None:
    found = warnings_of(tmp_path, tiny_bundle, USB.replace(*change) + sections)
    assert any("min_gap_seconds is not set" in one for one in found) is warned, found


@pytest.mark.parametrize(
    ("trigger", "warned"),
    [
        ("{kind: motion}", True),
        ("{kind: motion, contrast: 10}", True),
        ("{kind: motion, min_gap: 0.3}", False),
        ("{kind: motion, min_gap: 0}", False),
        ("{kind: continuous}", False),
    ],
)
def test_items_that_look_like_several_are_thought_of(
    trigger: str, warned: bool, tmp_path: Path, tiny_bundle: Path
) -> None:
    text = re.sub(r"trigger: {.*}", f"trigger: {trigger}", USB)
    assert f"trigger: {trigger}\n" in text
    found = warnings_of(tmp_path, tiny_bundle, text)
    assert any("trigger: min_gap is not set" in one for one in found) is warned, found
    stored = text.replace("kind: usb", "kind: folder, path: photos")
    assert warnings_of(tmp_path / "stored", tiny_bundle, stored) == []


@pytest.mark.parametrize("case", ["without", "with", "nothing moves"])
def test_a_camera_that_is_moved_is_thought_of(case: str, tmp_path: Path, tiny_bundle: Path) -> None:
    text = USB
    if case == "with":
        picture = reference_of([np.zeros((180, 240, 3), np.uint8)])
        write_reference(tmp_path / "scene.png", picture)
        text += f"reference_picture: {tmp_path}/scene.png\n"
    if case == "nothing moves":
        text = re.sub(r"\n    actuator: {.*}", "", USB)
        assert "actuator" not in text
    found = warnings_of(tmp_path / "station", tiny_bundle, text)
    said = [one for one in found if "camera: there is no reference_picture" in one]
    assert len(said) == (case == "without")
    assert all("`pilah-edge roi STATION.yaml --reference FILE.png`" in one for one in said)


def test_a_spill_in_a_folder_that_cannot_be_used_is_told(tmp_path: Path, tiny_bundle: Path) -> None:
    text = CALM.replace("ledger.sqlite}", "ledger.sqlite, spill: none-such/spill}")
    (found,) = warnings_of(tmp_path, tiny_bundle, text)
    folder = tmp_path / "none-such"
    assert f"ledger.spill: the folder {folder} cannot be used: No such file" in found


def test_a_motor_without_a_home_switch_may_stand_anywhere(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    motor = (
        "kind: stepper, step_pin: 20, direction_pin: 21, enable_pin: 26, max_steps_per_second: 900,"
        " steps_per_second_squared: 9000, active_steps: 9, "
    )
    text = CALM.replace("kind: solenoid, pin: 23, ", motor)
    (found,) = warnings_of(tmp_path / "without", tiny_bundle, text)
    assert found.startswith("11: lanes.cold.actuator: has no home switch: after a crash")
    homed = text.replace("active_steps: 9,", "active_steps: 9, home: {pin: 16, within_steps: 9},")
    assert warnings_of(tmp_path / "with", tiny_bundle, homed) == []


def test_a_pin_can_be_wrong_for_two_reasons(tmp_path: Path, tiny_bundle: Path) -> None:
    found = warnings_of(tmp_path, tiny_bundle, CALM.replace("pin: 23", "pin: 2"))
    assert ["I2C" in text for text in found] == [False, True]


def test_a_region_outside_of_the_picture_that_is_asked_for_is_a_mistake(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    region = "region: {left: 10, top: 0, width: 640, height: 480}\n"
    with pytest.raises(ConfigError) as caught:
        warnings_of(tmp_path, tiny_bundle, USB + region)
    assert caught.value.problems == [
        "15: region: reaches to 650, 480 (left + width, top + height), but the camera's picture is "
        "640x480: correct the region, or width and height of the camera"
    ]


@pytest.mark.usefixtures("ledger_within")
def test_a_warning_is_printed_and_is_no_mistake(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = CALM.replace("pin: 23", "pin: 4")
    station = make_station(tmp_path, text=text, bundle=tiny_bundle)
    assert main(["check", str(station)]) == EXIT_OK
    assert f"warning    {station}:11: lanes.cold.actuator.pin: GPIO 4" in capsys.readouterr().out
    assert main(["check", str(station), "--json"]) == EXIT_OK
    found = json.loads(capsys.readouterr().out)
    assert (found["right"], found["mistakes"]) == (True, [])
    assert [warning["line"] for warning in found["warnings"]] == [11]
    assert found["lanes"]["cold"] == {"labels": ["blue"], "rejects": False, "actuator": "solenoid"}
    assert main(["run", str(station)]) == EXIT_OK
    assert "warning    " in capsys.readouterr().err


def test_mistakes_are_an_object_too(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = STATION.replace("pin: 23", "pin: 18")
    station = make_station(tmp_path, text=text, bundle=tiny_bundle)
    assert main(["check", str(station), "--json"]) == EXIT_CONFIG
    found = json.loads(capsys.readouterr().out)
    assert found["right"] is False
    assert [mistake["line"] for mistake in found["mistakes"]] == [11]
    assert main(["check", str(tmp_path), "--json"]) == EXIT_CONFIG
    assert json.loads(capsys.readouterr().out)["mistakes"] == [
        {"line": None, "message": "cannot be read: it is a folder, not a file"}
    ]


def test_a_folder_of_the_ledger_that_is_not_there_now_stops_nothing(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    text = CALM.replace("path: ledger.sqlite", "path: photo/ledger.sqlite")
    (warning,) = warnings_of(tmp_path, tiny_bundle, text)
    assert "ledger.path: the folder" in warning
    assert f"Did you mean {tmp_path / 'photos'}?): the station sorts" in warning
