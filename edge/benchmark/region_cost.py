"""What the size of a region costs: preprocessing in two resizes, beside one."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edge.benchmark.drawn_belt import plain_belt
from edge.benchmark.frame_to_verdict import View
from edge.core.images.preprocess import InputSpec, preprocess, resize_steps
from edge.vision.region import Region
from edge.vision.region_size import one_step_region

_RUNS = 60


@dataclass(frozen=True, slots=True)
class RegionCost:
    """The preprocessing of a region, and that of the one most like it that is resized once."""

    pixels: str
    resizes: int | None
    """None: the model looks at the item's own box."""
    fitting: str | None
    """The size of the other region; None: there is none, or this one is resized once at most."""
    median_ms: float
    fitting_ms: float | None
    """The median time of the other region's preprocessing."""

    def to_json(self) -> dict[str, Any]:
        """The figures as JSON."""
        found: dict[str, Any] = {
            "pixels": self.pixels,
            "resizes": self.resizes,
            "preprocess_ms": round(self.median_ms, 4),
        }
        if self.fitting_ms is not None:
            found["one_resize"] = {
                "pixels": self.fitting,
                "preprocess_ms": round(self.fitting_ms, 4),
            }
        return found

    def __str__(self) -> str:
        if self.resizes is None:
            return f"{self.pixels}; the model looks at the item's own box: this costs no time"
        if self.fitting_ms is None:
            times = ("no resize", "one resize", "two resizes")[self.resizes]
            return f"{self.pixels}, {times} to the model's input"
        more = self.median_ms - self.fitting_ms
        return (
            f"{self.pixels} is no multiple of the model's input and is resized twice: "
            f"{more:.2f} ms more than {self.fitting} ({self.median_ms:.2f} against "
            f"{self.fitting_ms:.2f} ms). `pilah-edge roi --fit` proposes one"
        )


def region_cost(
    spec: InputSpec, view: View, *, clock: Callable[[], float] = time.perf_counter
) -> RegionCost:
    """Measures the preprocessing of a region; the two sizes alternate.

    Args:
        clock: seconds.
    """
    height, width = view.belt.shape[:2]
    region = view.region or Region(width=width, height=height)
    picture = view.picture or (region.left + width, region.top + height)
    fitting = one_step_region(spec, region, picture=picture)
    images = [view.belt]
    if fitting is not None and fitting != region:
        images.append(plain_belt(fitting.width, fitting.height))
    times: list[list[float]] = [[] for _ in images]
    for _ in range(_RUNS):
        for image, measured in zip(images, times, strict=True):
            start = clock()
            preprocess(image, spec)
            measured.append(clock() - start)
    medians = [1000 * statistics.median(measured) for measured in times]
    both = len(images) == 2
    return RegionCost(
        view.pixels,
        None if spec.crop == "item" else resize_steps(spec, width=width, height=height),
        f"{images[1].shape[1]}x{images[1].shape[0]}" if both else None,
        medians[0],
        medians[1] if both else None,
    )
