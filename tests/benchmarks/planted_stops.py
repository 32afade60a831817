"""Whether a station's stops are told as they were: twenty planted ones of nine kinds.

    python -m tests.benchmarks.planted_stops [--seed S] [--json]

A simulated station on a belt is stopped twenty times, at known moments and for known times: by its
emergency stop, a full bin, a jam, a pause, and a camera that is unplugged, hangs, is covered,
frozen or black. What its ledger says of each stop is compared with what follows from the plan: its
state, its reason, when it began and how long it took. Now and then the belt alone stands, of
which the station does not know: what it moved a lane for, in vain, counts for its performance and
against its quality, and not for the OEE.

The OEE of its ledger, with all that it sorted audited, is compared with that of the simulated
world, which knows nothing of verdicts and rows: the planned stops, the items that came into a lane
which is for a label, and those of them that belong there. Exit code 1 where a state or a reason is
another one, a time is off by more than 0.5 seconds, or the OEE by more than 0.5 points; or where an
item passes while the belt stands.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

from edge.config.reading import read_station
from edge.simulation.account.fates import Pending
from edge.simulation.faults.table import read_faults
from edge.simulation.options import SimulationOptions
from edge.simulation.simulate import simulate
from edge.simulation.world import TrueItem
from edge.vision.camera.scene_checks import LASTING_SECONDS
from tests.bundles import SPEC
from tests.edge.simulation.photographs import STATION, belt_station

RATE = 0.83
"""Items a second."""
FRAMES_PER_SECOND = 10
JAMMED_LABEL, JAMMED_DELAY = "blue", 0.7 / 0.4
"""What goes into the lane that jams, and how many seconds after it has passed."""
_AFTER_SECONDS = 0.4
_TEXT = (
    STATION.replace("frames_per_second: 20", f"frames_per_second: {FRAMES_PER_SECOND}")
    + f"""\
stops:
  emergency_stop: {{pin: 12}}
  bins: {{warm: {{pin: 13, full_seconds: 1}}}}
  exits: {{cold: {{pin: 16, after_seconds: {_AFTER_SECONDS}}}}}
"""
)
STARTING_SECONDS = 0.4
"""How long its trigger learns: 0.2 seconds from the second picture on; with the picture after that
it sorts."""
BEGIN = 6.0
"""When the first stop is planted, in seconds."""
KINDS: tuple[tuple[str, float, float], ...] = (
    # The fault, for how many seconds it lasts, and how many pass from its begin to the next one's.
    ("emergency-stop", 4, 9),
    ("camera-gone", 3, 8),
    ("bin-full:lane=warm", 3, 9),
    ("covered", 4, 8),
    ("pause", 4, 8),
    ("frozen", 5, 9),
    ("drop-outs", 5, 9),
    ("black", 4, 8),
    ("jam:lane=cold", 13, 17),
)
BELT_STOP = ("speed:factor=0", 5.0, 9.0)
"""The belt stands, after each of KINDS once. Without an encoder the station does not know, so that
it is no stop of the station; items that are between the camera and their lanes miss them."""
_GIVES_UP_SECONDS = 3.0
"""A camera that hangs is opened again after so long."""
_REOPENED = tuple(accumulate(0.5 * 2**turn for turn in range(5)))
"""How long after a camera was lost it is opened again, each time if it is not back."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A fault of the plan."""

    kind: str
    at: float
    seconds: float

    def __str__(self) -> str:
        name, _, lane = self.kind.partition(":")
        return ":".join(filter(None, (name, f"at={self.at:g}", f"seconds={self.seconds:g}", lane)))

    @property
    def is_told(self) -> bool:
        """Whether the station notices it."""
        return self.kind != BELT_STOP[0]

    def stop(self, jammed: Sequence[float]) -> dict[str, Any]:
        """The stop that follows from it by what the papers say.

        Args:
            jammed: when items should come out of the lane that jams.
        """
        at, end = self.at, self.at + self.seconds
        match self.kind.partition(":")[0]:
            case "emergency-stop":  # its contact is quiet for half a second after its release
                return _stop("Aborted", "emergency_stop", at, end + 0.5)
            case "bin-full":  # its sensor sees it empty for a second
                return _stop("Suspended", "bin_full", at, end + 1, "warm")
            case "pause":
                return _stop("Held", "paused", at, end)
            # What is wrong with a camera began with its last good picture, before it was noticed.
            case "frozen":
                return _stop("Held", "camera_frozen", at, end)
            case "black":
                return _stop("Held", "camera_black", at, end)
            case "covered":  # the scene is back once it has lasted
                return _stop("Held", "camera_covered", at, end + LASTING_SECONDS)
            case "camera-gone":
                return _stop("Held", "camera_lost", at, at + _reopened(self.seconds))
            case "drop-outs":
                opening = at + _GIVES_UP_SECONDS
                return _stop("Held", "camera_lost", at, opening + _reopened(end - opening))
            case _:  # it is known from when the second item should have come out
                missing = [out for out in jammed if at + _AFTER_SECONDS <= out]
                return _stop("Held", "jam", missing[1], end, "cold")


def _stop(state: str, reason: str, begin: float, end: float, scope: str = "") -> dict[str, Any]:
    return {
        "state": state, "reason": reason, "scope": scope, "begin": begin, "seconds": end - begin,
    }  # fmt: skip


def _reopened(seconds: float) -> float:
    """When a camera is opened that is back after so many seconds."""
    return next(after for after in _REOPENED if after >= seconds)


def planted(count: int) -> list[Planted]:
    """A plan of so many stops, kind by kind, and those of the belt."""
    plan, at = [], BEGIN
    for first in range(0, count, len(KINDS)):
        for kind, seconds, until_next in (*KINDS[: count - first], BELT_STOP):
            plan.append(Planted(kind, at, seconds))
            at += until_next
    return plan


@dataclass(slots=True)
class _Truth:
    """What the world knows; verdicts and rows are no part of it."""

    labels: Mapping[str, Collection[str]]
    """By lane, of those that have any."""
    items: list[TrueItem] = field(default_factory=list)
    came: int = 0
    """Items that came into a lane which is for a label."""
    right: int = 0
    """Those of them that belong there."""

    def settled(self, pending: Pending, lane: str) -> None:
        self.items.append(pending.item)
        if lane in self.labels:
            self.came += 1
            self.right += pending.item.label in self.labels[lane]

    @property
    def jammed(self) -> list[float]:
        """When items should come out of the lane that jams."""
        return [
            item.passes + JAMMED_DELAY + _AFTER_SECONDS
            for item in self.items
            if item.label == JAMMED_LABEL and item.passes is not None
        ]


def measure(folder: Path, *, count: int, seed: int) -> dict[str, Any]:
    """The stops and the OEE of a run, and beside each what is true."""
    plan = planted(count)
    # A model of item boxes, so that what is small passes one by one.
    boxes = SPEC.model_copy(update={"crop": "item"})
    station = read_station(belt_station(folder, text=_TEXT, spec=boxes))
    lanes = station.config.lanes.items()
    truth = _Truth({name: lane.labels for name, lane in lanes if lane.labels})
    last = plan[-1].at + plan[-1].seconds + BEGIN
    options = SimulationOptions(
        items=folder / "things", rate=RATE, seed=seed, count=round(last * RATE),
        faults=tuple(read_faults(",".join(map(str, plan)))),
    )  # fmt: skip
    report = simulate(station, options, settled=truth.settled)
    found, ran = report.to_json(), report.effectiveness
    assert ran is not None
    state = found["state"]
    told = [one for one in plan if one.is_told]
    expected = [one.stop(truth.jammed) for one in told]
    whole = report.virtual_seconds
    sorting = whole - STARTING_SECONDS - sum(stop["seconds"] for stop in expected)
    return {
        "planted": [str(one) for one in told],
        "expected": expected,
        "stops": state["stops"],
        "factors": {
            "availability": [state["availability"], sorting / whole],
            "performance": [state["performance"], truth.came / (sorting * RATE)],
            "quality": [ran.quality.share, truth.right / truth.came],
            "oee": [state["oee"], truth.right / (whole * RATE)],
        },
        "passed_a_belt_that_stood": sum(
            one.at < item.passes < one.at + one.seconds
            for one in plan
            if not one.is_told
            for item in truth.items
            if item.passes is not None
        ),
        "seconds": found["machine"]["seconds"],
    }


def faults_of(found: dict[str, Any]) -> list[str]:
    """What is not as it was planted, as sentences; none if all is."""
    wrong = []
    stops, expected = found["stops"], found["expected"]
    if len(stops) != len(expected):
        wrong.append(f"{len(expected)} stops were planted, and {len(stops)} are told of")
    for planted_one, stop, wanted in zip(found["planted"], stops, expected, strict=False):
        told = (stop["states"][0], stop["reason"], stop["scope"])
        if told != (wanted["state"], wanted["reason"], wanted["scope"]):
            wrong.append(f"{planted_one}: told as {told}")
        for key in ("begin", "seconds"):
            if abs(stop[key] - wanted[key]) > 0.5:
                wrong.append(f"{planted_one}: {key} {stop[key]:.2f}, planted {wanted[key]:.2f}")
    if (count := found["passed_a_belt_that_stood"]) > 0:
        wrong.append(f"{count} items passed the camera while the belt was to stand")
    told, true = found["factors"]["oee"]
    if abs(told - true) > 0.005:
        wrong.append(f"the OEE is told as {told:.4f}, and was {true:.4f}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=20, metavar="N", help="stops")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="seed of the items")
    parser.add_argument("--json", action="store_true", help="numbers for machines")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), count=arguments.count, seed=arguments.seed)
    wrong = faults_of(found)
    if arguments.json:
        print(json.dumps(found | {"wrong": wrong}))
    else:
        for one, stop, wanted in zip(
            found["planted"], found["stops"], found["expected"], strict=False
        ):
            print(
                f"{one:<42} {stop['states'][0]:<10} {stop['reason']:<15} began "
                f"{stop['begin'] - wanted['begin']:+.2f} s, took {stop['seconds']:.2f} s "
                f"({stop['seconds'] - wanted['seconds']:+.2f})"
            )
        for name, (told, true) in found["factors"].items():
            print(f"{name:<14} {told:.4f}, in truth {true:.4f} ({100 * (told - true):+.2f} points)")
        print("\n".join(wrong) or "all as planted")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
