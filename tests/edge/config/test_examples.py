from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from gpiozero.pins.pi import PiBoardInfo

from edge.config.reading import read_station
from edge.config.station import StationConfig
from tests.bundles import BGR, make_bundle, write_picture

DEPLOY = Path(__file__).parents[3] / "deploy"
EXAMPLES = DEPLOY / "examples"
LABELS = ("cardboard", "glass", "metal", "paper", "plastic", "trash")
HOME = "/var/lib/pilah"
"""Where the examples for a Pi have their bundle and their ledger."""


def names() -> list[str]:
    return sorted(file.name for file in EXAMPLES.glob("*.yaml"))


def read_example(name: str, folder: Path) -> StationConfig:
    """The example, read in a copy of the surroundings it expects."""
    file = folder / "deploy" / "examples" / name
    file.parent.mkdir(parents=True)
    shutil.copytree(EXAMPLES, file.parent, dirs_exist_ok=True)
    home = folder / "home"
    file.write_text(file.read_text("utf-8").replace(HOME, str(home)), "utf-8")
    make_bundle(home / "bundle", labels=LABELS)
    shutil.copytree(home / "bundle", folder / "demo" / "bundle")
    write_picture(folder / "demo" / "photos" / "1.png", BGR["red"])
    return read_station(file).config


@pytest.mark.parametrize("name", names())
def test_an_example_is_a_station_file_without_mistakes(name: str, tmp_path: Path) -> None:
    config = read_example(name, tmp_path)
    assert {label for lane in config.lanes.values() for label in lane.labels} == set(LABELS)


@pytest.mark.parametrize("name", names())
def test_an_example_says_how_to_begin_with_it(name: str) -> None:
    head = (EXAMPLES / name).read_text("utf-8").partition("\nstation:")[0]
    assert "pilah-edge check" in head
    assert name.removesuffix(".yaml") in head


def test_there_are_examples_of_a_bin_a_belt_and_a_table() -> None:
    assert {
        "folder.yaml",
        "receiving-table.yaml",
        "three-lane-belt.yaml",
        "two-flap-bin.yaml",
    } <= set(names())


@pytest.mark.parametrize(
    ("name", "camera", "actuators"),
    [
        ("two-flap-bin.yaml", "picamera", ["servo", "servo"]),
        ("three-lane-belt.yaml", "usb", ["solenoid", "solenoid", "solenoid"]),
        ("receiving-table.yaml", "usb", []),
    ],
)
def test_an_example_has_the_parts_that_its_wiring_shows(
    name: str, camera: str, actuators: list[str], tmp_path: Path
) -> None:
    config = read_example(name, tmp_path)
    moving = [lane.actuator for lane in config.lanes.values() if lane.actuator]
    assert config.camera.kind == camera
    assert config.trigger.kind == "motion"
    assert [actuator.kind for actuator in moving] == actuators
    pins = {vars(actuator)["pin"] for actuator in moving}
    title = name.removesuffix(".yaml")
    section = wiring(title)
    rows = re.findall(r"^\| GPIO (\d+) \| (\d+) \|", section, re.MULTILINE)
    assert {int(gpio) for gpio, _ in rows} == pins
    at_boot = re.findall(r"^gpio=([\d,]+)=op,dl$", section, re.MULTILINE)
    assert {int(gpio) for listed in at_boot for gpio in listed.split(",")} == pins
    drawn = re.findall(r"GPIO (\d+), pin (\d+)", picture(title))
    assert sorted(drawn) == sorted(rows)
    for gpio, header_pin in rows:
        assert header_pins()[int(header_pin)] == f"GPIO{gpio}"
        assert re.search(
            rf"pin: {gpio} .*pin {header_pin} of the header", (EXAMPLES / name).read_text("utf-8")
        )


@pytest.mark.parametrize("title", ["two-flap-bin", "three-lane-belt"])
def test_the_ground_of_a_wiring_is_one(title: str) -> None:
    grounds = re.findall(r"^\| GND \| (\d+) \|", wiring(title), re.MULTILINE)
    assert grounds
    assert {header_pins()[int(pin)] for pin in grounds} == {"GND"}
    assert re.findall(r"GND, pin (\d+)", picture(title)) == grounds


def test_the_pictures_are_those_that_their_program_draws(tmp_path: Path) -> None:
    program = DEPLOY / "pictures" / "wiring.py"
    subprocess.run([sys.executable, str(program), str(tmp_path)], check=True)
    drawn = sorted(file.name for file in tmp_path.glob("*.svg"))
    assert len(drawn) == 3
    for name in drawn:
        assert (program.parent / name).read_text("utf-8") == (tmp_path / name).read_text("utf-8")


def wiring(title: str) -> str:
    """The section of the wiring page that is about `title`'s example."""
    sections = (DEPLOY / "wiring.md").read_text("utf-8").split("\n## ")
    found = [section for section in sections if f"examples/{title}.yaml" in section]
    assert len(found) == 1, f"{title} has a section of its own"
    assert f"](pictures/wiring-{title}.svg)" in found[0]
    return found[0]


def picture(title: str) -> str:
    return (DEPLOY / "pictures" / f"wiring-{title}.svg").read_text("utf-8")


def header_pins() -> dict[int, str]:
    """The name of each pin of a Raspberry Pi's 40-pin header."""
    board = PiBoardInfo.from_revision(0xA02082)
    return {number: pin.name for number, pin in board.headers["J8"].pins.items()}
