"""A series of measurements on one machine: several bundles, numbers of threads, or minutes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import edge
from edge.benchmark.frame_to_verdict import Benchmark, View, measure
from edge.benchmark.region_cost import RegionCost
from edge.benchmark.rehearsal import Rehearsal
from edge.core.model.classifier import Classifier
from edge.telemetry.hardware import Hardware, Heat, this_heat


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute of a long measurement."""

    p50_ms: float
    """The median time from the frame to the verdict."""
    p99_ms: float
    heat: Heat

    def to_json(self) -> dict[str, Any]:
        """The figures of the minute, with the heat at its end."""
        return {
            "p50_ms": round(self.p50_ms, 4),
            "p99_ms": round(self.p99_ms, 4),
            **self.heat.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Measured:
    """One bundle with one number of threads."""

    benchmark: Benchmark
    accuracy: Mapping[str, Any] | None
    """The figures of the int8 model on its test split, of the bundle's manifest: `accuracy`,
    `accuracy_interval` and `images`. None: the bundle has none."""
    minutes: Sequence[Minute] = ()
    """The minutes of a long measurement; empty: it was a short one."""
    region: RegionCost | None = None
    """What the size of the region costs."""

    def to_json(self) -> dict[str, Any]:
        """The measurement as JSON."""
        found = self.benchmark.to_json()
        if self.accuracy is not None:
            found["accuracy"] = self.accuracy["accuracy"]
            found["accuracy_interval"] = list(self.accuracy["accuracy_interval"])
        if self.region is not None:
            found["region"] = self.region.to_json()
        if self.minutes:
            found["minutes"] = [minute.to_json() for minute in self.minutes]
        return found


@dataclass(slots=True)
class Series:
    """All measurements of one call, and what they were made on."""

    machine: Hardware
    pixels: str
    """The size of the frame, such as 640x480."""
    before: Heat
    after: Heat
    trigger: str = "motion"
    """The kind of trigger that found the items."""
    measured: list[Measured] = field(default_factory=list)
    rehearsals: list[Rehearsal] = field(default_factory=list)
    """A whole station with each bundle; empty: none was run."""

    @property
    def slowed(self) -> tuple[str, ...]:
        """What slowed the machine while it was measured, in words."""
        return self.after.slowed_since(self.before)

    def to_json(self) -> dict[str, Any]:
        """The series as JSON. A single measurement has its figures at the top, too, as of
        `Benchmark.to_json`."""
        measurements = [each.to_json() for each in self.measured]
        return {
            **(measurements[0] if len(measurements) == 1 else {}),
            "pilah": edge.__version__,
            "frame": self.pixels,
            "trigger": self.trigger,
            "machine": self.machine.to_json(),
            "heat": {"before": self.before.to_json(), "after": self.after.to_json()},
            "measurements": measurements,
            "stations": [each.to_json() for each in self.rehearsals],
        }


def accuracy_of(figures: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The accuracy of the int8 model on its test split, of a bundle's figures; None: not known."""
    found = figures.get("int8")
    return found if isinstance(found, dict) and found.get("accuracy_interval") else None


def soak(
    classifier: Classifier,
    view: View,
    *,
    minutes: int,
    heat: Callable[[], Heat] = this_heat,
    clock: Callable[[], float] = time.perf_counter,
) -> Iterator[tuple[Benchmark, Minute]]:
    """Measures minute after minute without a pause, as a machine that gets warm.

    Args:
        view: what the station sees.
        heat: tells how hot the machine is.
        clock: seconds.
    """
    for _ in range(minutes):
        found = measure(classifier, view, runs=1, warmup_runs=1, min_seconds=60.0, clock=clock)
        total = found.stages["total"]
        yield found, Minute(total.p50, total.p99, heat())
