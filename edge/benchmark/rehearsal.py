"""A station that runs for a while on drawn frames: how old frames get, and how late pins move."""

from __future__ import annotations

import json
import logging
import os
import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from edge.benchmark.drawn_belt import PASSING_FRAMES, DrawnBelt
from edge.benchmark.drawn_camera import DrawnCameraSettings
from edge.benchmark.frame_to_verdict import Percentiles
from edge.config.lanes import Lane
from edge.config.ledger import NO_SPILL
from edge.config.reading import StationPlan, read_station
from edge.core.errors import PinError
from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.core.model.bundle import Bundle
from edge.core.verdict import Prediction
from edge.lanes import Actuator, ActuatorSettings
from edge.pins.pins import Pins, open_pins
from edge.runtime.service import stop_signals
from edge.sorting.loop import Watch
from edge.sorting.model import ActiveModel, Answering, open_model
from edge.sorting.openers import Openers
from edge.sorting.sorter import Outcome
from edge.station import Station

WAYS = ("frame_age", "capture_to_verdict", "verdict_to_pin")
"""`frame_age` ends when the model is asked."""
_WARM_UP = 30
"""The first items, during which pages of the process are touched for the first time."""
_PIN = 17
"""The number of the mock pin."""
_ON_SECONDS = 0.02
"""Less than the time from a verdict to the next one."""
_PICTURES = 6


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What was measured. A station computes with one thread, and with XNNPACK where it can."""

    bundle: str
    ways: dict[str, Percentiles]
    verdicts: int
    """So many verdicts were measured."""
    dropped: int
    """Frames that were not looked at, because a newer one was there already."""
    missed: int
    """Verdicts for which the pin was not written, because it would have been too late."""
    pins: str
    """Which pins were written."""

    def to_json(self) -> dict[str, Any]:
        """The measurement as JSON."""
        return {
            "bundle": self.bundle,
            **{name: self.ways[name].to_json() for name in WAYS},
            "verdicts": self.verdicts,
            "frames_dropped": self.dropped,
            "missed": self.missed,
            "pins": self.pins,
        }


@dataclass(slots=True)
class _Times:
    """The times of each item, in seconds on the monotonic clock."""

    asked: float = 0.0
    """When the model was asked last."""
    ages: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    verdicts: list[float] = field(default_factory=list)
    edges: list[float] = field(default_factory=list)

    def judged(self, outcome: Outcome) -> None:
        """An item has its verdict: for the sorting thread."""
        now = time.monotonic()
        self.ages.append(self.asked - outcome.frame.captured)
        self.latencies.append(now - outcome.frame.captured)
        self.verdicts.append(now)

    @property
    def lateness(self) -> list[float]:
        """From each verdict to the next edge of the pin, in seconds.

        A pin that was not written in time would have been later than its on-time, and counts as
        that.
        """
        found, edges = [], sorted(self.edges)
        for verdict, following in pairwise([*self.verdicts, float("inf")]):
            index = bisect_left(edges, verdict)
            there = index < len(edges) and edges[index] < following
            found.append(edges[index] - verdict if there else _ON_SECONDS)
        return found


def rehearse(bundle: Bundle, belt: Image, *, verdicts: int, pin: int | None = None) -> Rehearsal:
    """Runs a whole station until it has given so many verdicts: each frame is an item.

    Its pictures come 30 times a second from memory, and are checked as those of a camera. A row of
    each item goes to a ledger in a folder that is removed afterwards.

    Args:
        belt: uint8 (height, width, 3) BGR.
        pin: the BCM number of a real pin that is switched with each verdict; None: a mock pin.

    Raises:
        BundleError: the model is not as its bundle describes it.
        PinError: this machine has no such pin, or it cannot be used.
        LedgerError: the folder for temporary files takes no ledger.
        KeyboardInterrupt: a signal ended it.
    """
    times = _Times()
    with (
        tempfile.TemporaryDirectory(prefix="pilah-bench-") as folder,
        stop_signals() as endings,
        _quiet(),
    ):
        plan = _plan(Path(folder), bundle, _PIN if pin is None else pin)
        config = plan.config.model_copy(
            update={
                "camera": DrawnCameraSettings(_pictures(belt)),
                "lanes": {name: _noting(lane, times) for name, lane in plan.config.lanes.items()},
                "ledger": plan.config.ledger.model_copy(update={"spill": NO_SPILL}),
            }
        )
        openers = Openers(
            pins=_mock_pins if pin is None else _real_pins,
            model=lambda plan: _timed(open_model(plan), times),
        )
        with Station(
            replace(plan, config=config),
            endings=endings,
            openers=openers,
            watch=Watch(times.judged),
        ) as station:
            tally = station.run(max_items=verdicts + _WARM_UP)
    if len(times.verdicts) < verdicts + _WARM_UP:  # only a signal ends it before
        raise KeyboardInterrupt
    warm = slice(_WARM_UP, None)
    found = dict(
        zip(WAYS, (times.ages[warm], times.latencies[warm], times.lateness[warm]), strict=True)
    )
    return Rehearsal(
        bundle.title,
        {name: Percentiles.of(seconds) for name, seconds in found.items()},
        len(times.latencies[warm]),
        tally.dropped,
        tally.missed.total(),
        "mock pins: no level of this machine changed" if pin is None else f"GPIO {pin}",
    )


def _plan(folder: Path, bundle: Bundle, pin: int) -> StationPlan:
    """A station with one lane, whose pin is on for a moment after each verdict."""
    (folder / "pictures").mkdir()
    relay = {"kind": "relay", "pin": pin, "active_high": True, "hold_seconds": _ON_SECONDS,
             "cool_seconds": 0}  # fmt: skip
    file = folder / "station.yaml"
    text = json.dumps(
        {
            "station": "bench",
            "bundle": str(bundle.path.absolute()),
            "camera": {"kind": "folder", "path": "pictures"},
            "trigger": {"kind": "continuous"},
            "default_lane": "all",
            "lanes": {"all": {"labels": list(bundle.labels), "actuator": relay}},
            "ledger": {"path": "ledger.sqlite"},
        }
    )
    file.write_text(text, "utf-8")  # JSON is YAML
    return read_station(file)


@contextmanager
def _quiet() -> Iterator[None]:
    """A context in which the station says nothing, unless details are logged: what it would warn
    of is counted."""
    ours = logging.getLogger("edge")
    before = ours.level
    if not ours.isEnabledFor(logging.DEBUG):
        ours.setLevel(logging.ERROR)
    try:
        yield
    finally:
        ours.setLevel(before)


def _mock_pins() -> Pins:
    return open_pins(Path(os.devnull))  # no board has this name


def _real_pins() -> Pins:
    pins = open_pins()
    if not pins.real:
        pins.close()
        raise PinError(f"--pin: this machine has no GPIO ({pins.title}): leave it out")
    return pins


def _timed(model: ActiveModel, times: _Times) -> ActiveModel:
    return replace(model, classifier=_TimedClassifier(model.classifier, times))


class _TimedClassifier:
    """A classifier that notes when it is asked."""

    def __init__(self, classifier: Answering, times: _Times) -> None:
        self._classifier, self._times, self.spec = classifier, times, classifier.spec

    def predict(
        self,
        image: Image,
        *,
        box: Box | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> Prediction:
        """See `Answering`."""
        self._times.asked = time.monotonic()
        return self._classifier.predict(image, box=box, meanwhile=meanwhile)


def _noting(lane: Lane, times: _Times) -> Lane:
    assert lane.actuator is not None
    return lane.model_copy(update={"actuator": _ActuatorSettings(lane.actuator, times)})


class _ActuatorSettings:
    """The settings of an actuator that notes when it was switched on."""

    def __init__(self, settings: ActuatorSettings, times: _Times) -> None:
        self._settings, self._times = settings, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._settings, name)

    def open(self, pins: Pins) -> Actuator:
        """Opens the actuator."""
        return _NotingActuator(self._settings.open(pins), self._times)


class _NotingActuator:
    def __init__(self, actuator: Actuator, times: _Times) -> None:
        self._actuator, self._times = actuator, times
        self.rest, self.safe = actuator.rest, actuator.safe
        self.release, self.close = actuator.release, actuator.close

    def activate(self) -> None:
        self._actuator.activate()
        self._times.edges.append(time.monotonic())


def _pictures(belt: Image) -> list[Image]:
    """What the camera shows: an item that is whole in view, as it passes."""
    shown = islice(DrawnBelt(belt).passing(), PASSING_FRAMES // 3, PASSING_FRAMES // 3 + _PICTURES)
    return [frame.image for frame in shown]
