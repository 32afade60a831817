from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from edge.benchmark.frame_to_verdict import STAGES, Benchmark, Percentiles
from edge.benchmark.series import Measured, Series, accuracy_of, soak
from edge.benchmark.views import drawn_view
from edge.core.model.bundle import read_bundle
from edge.core.model.classifier import Classifier
from edge.telemetry.hardware import Hardware, Heat

MACHINE = Hardware("a board", "aarch64", 4, 3978, "ondemand", 1800, "Debian", "6.12")


def benchmark(bundle: str = "first 1", *, threads: int = 1, total: float = 2.0) -> Benchmark:
    """A benchmark whose runs took from 1 to `total` milliseconds."""
    stages = {name: Percentiles(total / 2, total, total, total) for name in STAGES}
    totals = [1 + (total - 1) * step / 9 for step in range(10)]
    return Benchmark(bundle, "ai-edge-litert 2", True, threads, 10, stages, 90.0, totals)


def series(*measured: Measured) -> Series:
    heat = Heat(50.0, 0)
    return Series(MACHINE, "640x480", before=heat, after=Heat(60.0, 0x4), measured=[*measured])


def test_a_single_measurement_has_its_figures_at_the_top_too() -> None:
    found = series(Measured(benchmark(), None)).to_json()
    assert found["total_over_invoke"] == found["measurements"][0]["total_over_invoke"] == 1
    assert found["heat"]["after"]["meaning"] == ["throttled now"]
    several = series(Measured(benchmark(), None), Measured(benchmark(threads=2), None)).to_json()
    assert "total_over_invoke" not in several
    assert [each["threads"] for each in several["measurements"]] == [1, 2]


@pytest.mark.parametrize(
    "figures", [{}, {"int8": {"images": 9}}, {"float": {"accuracy_interval": [0, 1]}}, {"int8": 3}]
)
def test_a_bundle_that_says_nothing_of_its_accuracy_has_none(figures: dict[str, object]) -> None:
    assert accuracy_of(figures) is None


def test_a_long_measurement_has_the_heat_after_each_minute(tiny_bundle: Path) -> None:
    looks, heats = itertools.count(), iter([Heat(50.0, 0), Heat(70.0, 0x4)])
    found = [
        minute
        for _, minute in soak(
            Classifier(read_bundle(tiny_bundle)),
            drawn_view(),
            minutes=2,
            heat=lambda: next(heats),
            clock=lambda: float(next(looks)),  # a second for each look, so a minute is few runs
        )
    ]
    assert [minute.heat.celsius for minute in found] == [50.0, 70.0]
    assert found[0].p50_ms == pytest.approx(4000)  # four looks from the frame to the verdict
    told = series(Measured(benchmark(), None, found)).to_json()["measurements"][0]["minutes"]
    assert told[1]["meaning"] == ["throttled now"]
