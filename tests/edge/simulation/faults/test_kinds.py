"""Each fault, on each kind of machine that `init --kind` writes: it works, or says for which it is.

The suite runs each fault on one kind that it is for, a slow test on the others.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from edge.config.first_file.machines import MACHINE_KINDS, sorting_text
from edge.config.first_file.vision import vision_text
from edge.config.reading import read_station
from edge.core.errors import UsageError
from edge.simulation.contacts import SimulatedContacts
from edge.simulation.faults.fault import Fault, PassingFault
from edge.simulation.faults.table import FAULTS, Faults, read_faults
from edge.simulation.options import SimulationOptions
from edge.simulation.simulate import simulate
from tests.bundles import LABELS, make_bundle
from tests.edge.simulation.photographs import write_things

pytestmark = pytest.mark.usefixtures("ledger_within")

STOPS = """
stops:
  emergency_stop: {pin: 4}
  bins: {red: {pin: 5}}
"""
EXITS = "  exits: {red: {pin: 6, after_seconds: 1}}\n"
NAMED = {
    "frozen": "camera_frozen", "black": "camera_black",
    "covered": "camera_covered", "damaged": "camera_damaged", "emergency-stop": "emergency_stop",
    "bin-full": "bin_full",
}  # fmt: skip
"""The incident that tells of a fault, where one does."""


def simulated(folder: Path, kind: str, fault: str, stops: str = "") -> dict[str, Any]:
    machine = MACHINE_KINDS[kind]
    make_bundle(folder / "bundle")
    text = vision_text(kind, camera="usb", photos=None, still_seconds=machine.still_seconds)
    text += sorting_text(labels=LABELS, bundle="bundle", machine=machine)
    file = folder / "station.yaml"
    file.write_text(text + stops, "utf-8")
    passing = issubclass(FAULTS.get(fault, Fault), PassingFault)
    faults = tuple(read_faults(f"{fault}:at=3:seconds=6" if passing else fault))
    things = write_things(folder / "things")
    options = SimulationOptions(items=things, count=3, seed=1, faults=faults)
    return simulate(read_station(file), options).to_json()


def planted(fault: str) -> Faults:
    return Faults(read_faults(fault), seed=1)


def pairs(*, refused: bool) -> list[Any]:
    found, kinds = [], list(MACHINE_KINDS)
    for number, (name, fault) in enumerate(FAULTS.items()):
        if fault.part:  # of which `init` writes one kind alone
            continue
        able = [kind for kind in kinds if not fault.kinds or kind in fault.kinds]
        for kind in [one for one in kinds if one not in able] if refused else able:
            usual = refused or kind == able[number % len(able)]
            found.append(pytest.param(kind, name, marks=[] if usual else pytest.mark.slow))
    return found


@pytest.mark.parametrize(("kind", "fault"), pairs(refused=False))
def test_a_fault_works_on_the_kinds_that_it_is_for(tmp_path: Path, kind: str, fault: str) -> None:
    found = simulated(tmp_path, kind, fault, STOPS + (EXITS if kind != "table" else ""))
    assert found["items"] == 3
    assert sum(found["verdicts"][count] for count in ("one", "none", "several")) == 3
    assert len(found["faults"]) == 1
    told = [one["name"] for one in found["incidents"]]
    assert NAMED.get(fault, "") in ["", *told]


@pytest.mark.parametrize(("kind", "fault"), pairs(refused=True))
def test_a_fault_says_which_kinds_it_is_for(tmp_path: Path, kind: str, fault: str) -> None:
    kinds = ", ".join(FAULTS[fault].kinds)
    with pytest.raises(UsageError, match=rf"--faults: {fault}: .*`?(init --kind`? {kinds})"):
        simulated(tmp_path, kind, fault, STOPS)


@pytest.mark.parametrize("fault", [name for name, kind in FAULTS.items() if kind.part])
@pytest.mark.parametrize("kind", list(MACHINE_KINDS))
def test_a_fault_of_a_part_says_what_the_station_lacks(
    tmp_path: Path, kind: str, fault: str
) -> None:
    if (kind, fault) == ("carousel-bin", "home-stuck"):
        (incident,) = simulated(tmp_path, kind, fault)["incidents"]
        assert incident["name"] == "home_not_found"
        return
    with pytest.raises(UsageError, match=f"{fault}: this station has nothing .* It needs a "):
        simulated(tmp_path, kind, fault)


@pytest.mark.parametrize("fault", [name for name, kind in FAULTS.items() if kind.contact])
@pytest.mark.parametrize("kind", list(MACHINE_KINDS))
def test_a_fault_of_a_contact_says_what_the_file_lacks(
    tmp_path: Path, kind: str, fault: str
) -> None:
    contact = FAULTS[fault].contact
    with pytest.raises(UsageError, match=rf"{fault}: .*no `stops: \{{{contact}: ") as error:
        simulated(tmp_path, kind, fault)
    # What it says to add is what helps, but where nothing of the kind can be added.
    advised = re.search(r"Add `(.*)` to it", str(error.value))
    if advised is None:
        assert (contact, kind) == ("exits", "table")
        return
    file = tmp_path / "station.yaml"
    stops = advised[1].replace("PIN", "6").replace("SECONDS", "1")
    file.write_text(f"{file.read_text('utf-8')}\n{stops}\n", "utf-8")
    config = read_station(file).config
    SimulatedContacts(config.stops, planted(fault), lambda: 0.0, lanes=config.lanes)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("jam:lane=rad", r"jam: lane=rad: .*`stops: \{exits: \.\.\.\}`\. Did you mean red\?"),
        ("bin-full:lane=blue", r"bin-full: lane=blue: .*`stops: \{bins: \.\.\.\}`\. Known: red$"),
    ],
)
def test_a_fault_of_a_lane_without_a_sensor_is_refused(
    tmp_path: Path, fault: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        simulated(tmp_path, "belt", fault, STOPS + EXITS)
