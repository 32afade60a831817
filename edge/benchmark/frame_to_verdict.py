"""Measures how long each stage from a frame to its verdict takes on this machine."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edge.benchmark.drawn_belt import LEARNING_FRAMES, PASSING_FRAMES, DrawnBelt
from edge.core.errors import UsageError
from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box, preprocess
from edge.core.model.classifier import Classifier
from edge.core.model.interpreter import runtime_title
from edge.core.verdict import Prediction, Rules
from edge.flow import Frame
from edge.sorting.model import ActiveModel
from edge.sorting.sorter import Sorter
from edge.sorting.vote_deadlines import VoteDeadlines
from edge.vision.region import Region
from edge.vision.trigger import TriggerSettings
from edge.vision.trigger.beside import beside
from edge.vision.trigger.motion import Settings as MotionSettings

STAGES = ("trigger", "preprocess", "invoke", "decide", "total")
"""`invoke` is the bare inference; `total` goes from the frame to the verdict. `trigger` lasts until
the model is asked, `preprocess` until its input is ready and a trigger that looks beside it has
begun. `decide` begins when it has answered: it waits for such a trigger, and joins the scores of
the item's frames."""
FIGURES = ("p50", "p95", "p99", "max")

FRAME_WIDTH, FRAME_HEIGHT = 640, 480
_TRIALS = 3
"""So many items may pass without being found."""


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Percentiles of one stage's durations, in milliseconds."""

    p50: float
    p95: float
    p99: float
    max: float

    def to_json(self) -> dict[str, float]:
        """The percentiles as JSON, with the unit in the names."""
        return {f"{name}_ms": round(getattr(self, name), 4) for name in FIGURES}

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Percentiles:
        """Those of some durations in seconds."""
        return cls(*(np.percentile(seconds, (50, 95, 99, 100)) * 1000).tolist())


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The measurements of one bundle on one machine."""

    bundle: str
    runtime: str
    xnnpack: bool | None
    threads: int
    runs: int
    stages: dict[str, Percentiles]
    rss_mb: float
    """Resident memory of this process after the measurement, in 10^6 bytes."""
    totals: Sequence[float] = ()
    """Each time from the frame to the verdict, in milliseconds, in the order of the runs."""

    @property
    def title(self) -> str:
        """Text for people: the runtime and whether XNNPACK is on."""
        return runtime_title(self.runtime, self.xnnpack)

    @property
    def total_over_invoke(self) -> float:
        """The median time from frame to verdict divided by the median time of bare inference."""
        return self.stages["total"].p50 / self.stages["invoke"].p50

    def to_json(self) -> dict[str, Any]:
        """The benchmark as JSON, as `--json` prints it."""
        return {
            "bundle": self.bundle,
            "runtime": self.runtime,
            "xnnpack": self.xnnpack,
            "threads": self.threads,
            "runs": self.runs,
            "stages": {name: self.stages[name].to_json() for name in STAGES},
            "total_over_invoke": round(self.total_over_invoke, 4),
            "rss_mb": round(self.rss_mb, 1),
        }


class TimedClassifier:
    """A classifier that notes when it preprocessed and computed, for `measure`."""

    def __init__(self, classifier: Classifier, clock: Callable[[], float]) -> None:
        self._classifier, self._clock = classifier, clock
        self.spec = classifier.spec
        self.times: tuple[float, float, float] | None = None
        """When the last prediction began, when its tensor was ready, and when it had ended."""

    def predict(
        self,
        image: Image,
        *,
        box: Box | None = None,
        meanwhile: Callable[[], None] | None = None,
    ) -> Prediction:
        """See `Answering`."""
        interpreter, clock = self._classifier.interpreter, self._clock
        start = clock()
        preprocess(image, self.spec, box=box, out=interpreter.tensor)
        if meanwhile is not None:
            meanwhile()
        ready = clock()
        prediction = interpreter.answer()
        self.times = start, ready, clock()
        return prediction


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What a station sees, and how it finds items in it."""

    belt: Image
    """uint8 (height, width, 3) BGR: its region when nothing passes."""
    trigger: TriggerSettings = field(default_factory=lambda: MotionSettings(kind="motion"))
    """Must not need anything but frames."""
    region: Region | None = None
    """The region of a station file; None: it names none, or there is none."""
    picture: tuple[int, int] | None = None
    """Width and height of the camera's picture; None: not known."""

    @property
    def pixels(self) -> str:
        """The size of the region, such as 640x480."""
        return f"{self.belt.shape[1]}x{self.belt.shape[0]}"


def measure(
    classifier: Classifier,
    view: View,
    *,
    runs: int,
    warmup_runs: int,
    min_seconds: float = 0.0,
    max_seconds: float = float("inf"),
    clock: Callable[[], float] = time.perf_counter,
) -> Benchmark:
    """Measures the time from a frame with an item to its verdict, and that of the bare inference.

    A frame goes the way it goes in a station: the trigger finds the item, the model answers, and
    its scores are joined with those of the item's frames before. Only frames of which the model was
    asked count; once an item has its verdict, it is asked no more. The two measurements alternate,
    each of them first in every other run, so that a moment in which the machine is slow affects
    both.

    Args:
        runs: the number of runs. There are more until `min_seconds` have passed, and fewer, but at
            least one, after `max_seconds`.
        warmup_runs: the number of runs before these, which are not counted.
        clock: seconds.

    Raises:
        UsageError: the trigger finds no item in these frames.
    """
    interpreter, manifest = classifier.interpreter, classifier.bundle.manifest
    durations: dict[str, list[float]] = {stage: [] for stage in STAGES}
    timed = TimedClassifier(classifier, clock)
    rules = Rules(classifier.labels, manifest.accept, unknown=manifest.unknown_threshold)
    bundle = classifier.bundle
    model = ActiveModel(timed, rules, bundle.title, bundle.digest, inference_seconds=0.0)
    parts = ExitStack()
    trigger = beside(view.trigger.open(), parts)
    sorter = Sorter(trigger, model, closing=VoteDeadlines(), clock=lambda: 0.0)
    frames = _frames(view.belt)

    def whole() -> None:
        for _ in range(_TRIALS * PASSING_FRAMES + LEARNING_FRAMES):
            frame, timed.times = next(frames), None
            start = clock()
            for _ in sorter.look(frame):
                pass
            end = clock()
            if timed.times is not None:
                break
        else:
            raise UsageError(
                "the trigger finds no item in the frames to measure with: give --image a picture "
                "of your belt without an item, or leave it out"
            )
        asked, ready, scored = timed.times
        durations["trigger"].append(asked - start)
        durations["preprocess"].append(ready - asked)
        durations["decide"].append(end - scored)
        durations["total"].append(end - start)

    def bare() -> None:
        start = clock()
        interpreter.invoke()
        durations["invoke"].append(clock() - start)

    with parts:
        for _ in range(max(1, warmup_runs)):  # at least one: a tensor to compute on
            whole()
            bare()
        for measured in durations.values():
            measured.clear()
        done, start = 0, clock()
        while done < runs or clock() - start < min_seconds:
            for part in (whole, bare) if done % 2 else (bare, whole):
                part()
            done += 1
            if clock() - start > max_seconds:
                break
    return Benchmark(
        bundle=bundle.title,
        runtime=interpreter.runtime,
        xnnpack=interpreter.xnnpack,
        threads=interpreter.threads,
        runs=done,
        stages={stage: Percentiles.of(measured) for stage, measured in durations.items()},
        rss_mb=resident_bytes() / 1e6,
        totals=[seconds * 1000 for seconds in durations["total"]],
    )


def _frames(belt: Image) -> Iterator[Frame]:
    drawn = DrawnBelt(belt)
    yield from drawn.empty()
    while True:
        yield from drawn.passing()


def resident_bytes(status: Path = Path("/proc/self/status")) -> int:
    """The resident memory of this process in bytes.

    Args:
        status: the kernel's file about the process (proc(5)).

    Raises:
        ValueError: the file has no line VmRSS.
    """
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status.read_text(), re.MULTILINE)
    if found is None:
        raise ValueError(f"{status}: has no line VmRSS")
    return int(found[1]) * 1024
