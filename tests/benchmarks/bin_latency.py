"""From an item that lies in a bin to the flap that has tipped it out, and what takes the time.

    python -m tests.benchmarks.bin_latency BUNDLE [--items 20] [--still 0.3] [--turn 0.3]

Runs a whole station on this machine's clock: a bin with a flap on a mock pin, the motion trigger,
the bundle's model, a ledger, and drawn pictures of 640x480 pixels, 30 a second. An item appears
from one picture to the next, lies still, and is gone once the flap has turned. Of each item:

    settling   from the first picture that shows it to the first one in which it counts as at rest
    frames     from there to the last picture that the vote needed
    ours       from that picture to the pin: waiting for a thread, the model, the vote, the pin
    flap       `turn_seconds` of the station file, as nothing turns here

The model need not know what is drawn: every label is accepted. Exit code 1 where the whole takes a
second or longer, or what is ours 0.2 s or longer, at the 95th percentile.
"""

from __future__ import annotations

import argparse
import json
import queue
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from edge.benchmark.drawn_belt import FRAMES_PER_SECOND, DrawnBelt, plain_belt
from edge.benchmark.drawn_camera import DrawnCameraSettings
from edge.config.lanes import Lane
from edge.config.reading import StationPlan, read_station
from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.core.model.bundle import read_bundle
from edge.core.terminal.progress import Progress
from edge.core.verdict import Prediction
from edge.flow import Frame
from edge.simulation.watching import WatchedActuatorSettings, WatchedTriggerSettings
from edge.sorting.loop import Watch
from edge.sorting.model import ActiveModel, Answering, open_model
from edge.sorting.openers import Openers
from edge.station import Station
from edge.vision.camera import Camera

PARTS = ("settling", "frames", "ours", "flap", "whole")
BARS = {"whole": 1.0, "ours": 0.2}
"""Seconds."""
_LEARNING_SECONDS = 1.5
_EMPTY_SECONDS = 0.7
"""How long the bin is empty between two items."""
_PIN = 18


@dataclass(slots=True)
class Timeline:
    """What happens in the bin, told by three threads. All times are on the monotonic clock."""

    turn_seconds: float
    looked_at: float = 0.0
    """When the picture was taken that is looked at."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    shown: float | None = None
    """When the first picture of the present item was taken; None: the bin is empty."""
    asked: list[float] = field(default_factory=list)
    """When the pictures of the present item that the model was asked of were taken."""
    gone_at: float = 0.0
    """When the flap has tipped the item out."""
    found: list[dict[str, float]] = field(default_factory=list)

    def flap_moved(self, active: bool) -> None:
        """The pin of the flap was written: for the lanes' thread."""
        now = time.monotonic()
        with self.lock:
            if not active or self.shown is None or not self.asked:
                return
            parts = {
                "settling": self.asked[0] - self.shown,
                "frames": self.asked[-1] - self.asked[0],
                "ours": now - self.asked[-1],
                "flap": self.turn_seconds,
            }
            self.found.append(parts | {"whole": sum(parts.values())})
            self.gone_at = now + self.turn_seconds
            self.shown = None
            self.asked.clear()


class _BinCamera:
    """A live camera over the bin."""

    live = True

    def __init__(
        self, timeline: Timeline, clock: Callable[[], float], pause: Callable[[float], bool]
    ) -> None:
        drawn = DrawnBelt(plain_belt(640, 480))
        self._empty = [frame.image for frame, _ in zip(drawn.empty(), range(2), strict=False)]
        lying = list(drawn.passing())[12].image
        self._lying = [lying, np.clip(lying.astype(np.int16) + 1, 0, 255).astype(np.uint8)]
        self._timeline, self._clock, self._pause = timeline, clock, pause
        self._due = clock()
        self._appears = self._due + _LEARNING_SECONDS
        self._sequence = 0

    def read(self) -> Frame | None:
        """The next picture, when its time has come; None when stopped."""
        now = self._clock()
        if self._due > now and self._pause(self._due - now):
            return None
        captured, timeline = self._clock(), self._timeline
        self._due = max(self._due, now) + 1 / FRAMES_PER_SECOND
        self._sequence += 1
        with timeline.lock:
            if timeline.gone_at > self._appears:  # the last one is being tipped out, or was
                self._appears = timeline.gone_at + _EMPTY_SECONDS
            there = captured >= self._appears or captured < timeline.gone_at
            if captured >= self._appears and timeline.shown is None:
                timeline.shown = captured
        images = self._lying if there else self._empty
        return Frame(images[self._sequence % 2], captured, self._sequence)

    def close(self) -> None:
        """Has nothing to free."""


class _CameraSettings(DrawnCameraSettings):
    kind = "bin"

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    def open(
        self, *, clock: Callable[[], float], pause: Callable[[float], bool], **_: Any
    ) -> Camera:
        return _BinCamera(self._timeline, clock, pause)


class _NotingClassifier:
    """A classifier that notes of which pictures it is asked."""

    def __init__(self, classifier: Answering, timeline: Timeline) -> None:
        self._classifier, self._timeline, self.spec = classifier, timeline, classifier.spec

    def predict(
        self,
        image: Image,
        *,
        box: Box | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> Prediction:
        with self._timeline.lock:
            self._timeline.asked.append(self._timeline.looked_at)
        return self._classifier.predict(image, box=box, meanwhile=meanwhile)


def measure(
    bundle: Path, items: int, *, still_seconds: float, turn_seconds: float
) -> list[dict[str, float]]:
    """The parts of each item's time, in seconds."""
    timeline = Timeline(turn_seconds)

    def seen(frame: Frame) -> None:
        timeline.looked_at = frame.captured

    def model(plan: StationPlan) -> ActiveModel:
        real = open_model(plan)
        return replace(real, classifier=_NotingClassifier(real.classifier, timeline))

    def watched(lane: Lane) -> Lane:
        if lane.actuator is None:
            return lane
        actuator = WatchedActuatorSettings(lane.actuator, timeline.flap_moved)
        return lane.model_copy(update={"actuator": actuator})

    with (
        tempfile.TemporaryDirectory() as folder,
        Progress("items", total=items) as progress,
    ):
        plan = read_station(_write_station(Path(folder), bundle, still_seconds, turn_seconds))
        config = plan.config.model_copy(
            update={
                "camera": _CameraSettings(timeline),
                "trigger": WatchedTriggerSettings(
                    plan.config.trigger, seen=seen, took=lambda seconds: None
                ),
                "lanes": {name: watched(lane) for name, lane in plan.config.lanes.items()},
            }
        )
        with Station(
            replace(plan, config=config),
            endings=queue.SimpleQueue(),
            openers=Openers(model=model),
            watch=Watch(lambda outcome: progress.advance()),
        ) as station:
            station.run(max_items=items)
    return timeline.found


def quantiles(found: Sequence[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Seconds at the median, the 95th percentile and the most, of each part."""
    return {
        part: dict(
            zip(
                ("p50", "p95", "max"),
                np.percentile([each[part] for each in found], (50, 95, 100)).round(4).tolist(),
                strict=True,
            )
        )
        for part in PARTS
    }


def table(parts: dict[str, dict[str, float]], count: int) -> str:
    """The measurement for people."""
    lines = [f"{'seconds':<10}{'p50':>8}{'p95':>8}{'max':>8}   ({count} items)"]
    lines += [
        f"{part:<10}" + "".join(f"{seconds:>8.3f}" for seconds in parts[part].values())
        for part in PARTS
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.add_argument("--items", type=int, default=20, metavar="N", help="items (20)")
    parser.add_argument("--still", type=float, default=0.3, help="`still_seconds` (0.3)")
    parser.add_argument("--turn", type=float, default=0.3, help="`turn_seconds` (0.3)")
    parser.add_argument("--json", action="store_true", help="numbers for machines")
    arguments = parser.parse_args()
    found = measure(
        arguments.bundle.absolute(),
        arguments.items,
        still_seconds=arguments.still,
        turn_seconds=arguments.turn,
    )
    if len(found) < arguments.items:
        raise SystemExit(f"the flap moved for {len(found)} of {arguments.items} items only")
    parts = quantiles(found)
    print(json.dumps(parts) if arguments.json else table(parts, len(found)))
    return 0 if all(parts[part]["p95"] < bar for part, bar in BARS.items()) else 1


def _write_station(folder: Path, bundle: Path, still_seconds: float, turn_seconds: float) -> Path:
    (folder / "pictures").mkdir()
    read = read_bundle(bundle)
    labels, decision = read.labels, {"accept": dict.fromkeys(read.labels, 0.0)}
    unknown = {} if read.manifest.unknown is None else {"unknown": 1.0}
    content = {
        "station": "bin-latency",
        "bundle": str(bundle),
        "camera": {"kind": "folder", "path": "pictures"},
        "trigger": {"kind": "motion", "still_seconds": still_seconds},
        "decision": decision | unknown,
        "bin": {"kind": "flap", "pin": _PIN, "turn_seconds": turn_seconds},
        "default_lane": "left",
        "lanes": {
            "left": {
                "labels": list(labels),
                "actuator": {"kind": "bin", "position": -60, "hold_seconds": turn_seconds},
            }
        },
        "ledger": {"path": "ledger.sqlite"},
    }
    file = folder / "station.yaml"
    file.write_text(json.dumps(content), "utf-8")  # JSON is YAML
    return file


if __name__ == "__main__":
    sys.exit(main())
