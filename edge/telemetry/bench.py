"""Measures how long each stage from a frame to its verdict takes on this machine."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.core.images.image_file import Image
from edge.core.images.preprocess import preprocess
from edge.core.model.classifier import Classifier
from edge.core.model.interpreter import runtime_title

STAGES = ("preprocess", "invoke", "decide", "total")
"""`invoke` is the bare inference; `total` goes from the frame to the verdict."""
FIGURES = ("p50", "p95", "p99", "max")

FRAME_WIDTH, FRAME_HEIGHT = 640, 480


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


def measure(
    classifier: Classifier,
    image: Image,
    *,
    runs: int,
    warmup_runs: int,
    min_seconds: float = 0.0,
    max_seconds: float = float("inf"),
    clock: Callable[[], float] = time.perf_counter,
) -> Benchmark:
    """Measures the time from `image` to its verdict, and that of the bare inference.

    The two alternate, each of them first in every other run, so that a moment in which the machine
    is slow affects both.

    Args:
        image: uint8 (height, width, 3) BGR.
        runs: the number of runs. There are more until `min_seconds` have passed, and fewer, but at
            least one, after `max_seconds`.
        warmup_runs: the number of runs before these, which are not counted.
        clock: seconds.
    """
    interpreter, spec = classifier.interpreter, classifier.spec
    durations: dict[str, list[float]] = {stage: [] for stage in STAGES}

    def whole() -> None:
        start = clock()
        tensor = preprocess(image, spec, out=interpreter.tensor)
        ready = clock()
        prediction = interpreter.predict(tensor)
        scored = clock()
        classifier.verdict(prediction)
        end = clock()
        durations["preprocess"].append(ready - start)
        durations["decide"].append(end - scored)
        durations["total"].append(end - start)

    def bare() -> None:
        start = clock()
        interpreter.invoke()
        durations["invoke"].append(clock() - start)

    for _ in range(max(1, warmup_runs)):  # one at least, so that there is a tensor to compute on
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
        bundle=classifier.bundle.title,
        runtime=interpreter.runtime,
        xnnpack=interpreter.xnnpack,
        threads=interpreter.threads,
        runs=done,
        stages={stage: Percentiles.of(measured) for stage, measured in durations.items()},
        rss_mb=resident_bytes() / 1e6,
        totals=[seconds * 1000 for seconds in durations["total"]],
    )


def synthetic_frame() -> Image:
    """A 640x480 frame of coloured noise, uint8 (480, 640, 3), the same in every call."""
    random = np.random.default_rng(0)
    return random.integers(0, 256, (FRAME_HEIGHT, FRAME_WIDTH, 3), dtype=np.uint8)


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
