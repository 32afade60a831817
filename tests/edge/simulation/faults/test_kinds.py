"""A fault that is not for a kind of machine of `init --kind` says for which kinds it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge.config.first_file.machines import MACHINE_KINDS, sorting_text
from edge.config.first_file.vision import vision_text
from edge.config.reading import read_station
from edge.core.errors import UsageError
from edge.simulation.faults.fault import PassingFault
from edge.simulation.faults.table import FAULTS, read_faults
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


def simulated(folder: Path, kind: str, fault: str, stops: str = "") -> dict[str, Any]:
    machine = MACHINE_KINDS[kind]
    make_bundle(folder / "bundle")
    text = vision_text(kind, camera="usb", photos=None, still_seconds=machine.still_seconds)
    text += sorting_text(labels=LABELS, bundle="bundle", machine=machine)
    file = folder / "station.yaml"
    file.write_text(text + stops, "utf-8")
    passing = issubclass(FAULTS[fault], PassingFault)
    faults = tuple(read_faults(f"{fault}:at=3:seconds=6" if passing else fault))
    things = write_things(folder / "things")
    options = SimulationOptions(items=things, count=3, seed=1, faults=faults)
    return simulate(read_station(file), options).to_json()


REFUSED = [
    (kind, name)
    for name, fault in FAULTS.items()
    for kind in MACHINE_KINDS
    if fault.kinds and kind not in fault.kinds
]


@pytest.mark.parametrize(("kind", "fault"), REFUSED)
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
    with pytest.raises(UsageError, match=rf"{fault}: .*no `stops: \{{{FAULTS[fault].contact}: "):
        simulated(tmp_path, kind, fault)
