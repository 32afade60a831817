from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.benchmark.frame_to_verdict import View, measure, resident_bytes
from edge.benchmark.views import drawn_view
from edge.core.errors import UsageError
from edge.core.model.bundle import read_bundle
from edge.core.model.classifier import Classifier
from edge.vision.trigger.motion import Settings


@pytest.fixture
def classifier(tiny_bundle: Path) -> Classifier:
    return Classifier(read_bundle(tiny_bundle))


def ticking(seconds: float = 0.001) -> Callable[[], float]:
    """A clock on which every look takes `seconds`."""
    looks = itertools.count()
    return lambda: next(looks) * seconds


def test_stages_are_timed_apart_and_the_whole_over_the_bare_inference(
    classifier: Classifier,
) -> None:
    found = measure(classifier, drawn_view(), runs=20, warmup_runs=2, clock=ticking())
    # each part takes a look at the clock; the four of the whole follow each other
    parts = ("trigger", 1), ("preprocess", 1), ("invoke", 1), ("decide", 1), ("total", 4)
    for stage, milliseconds in parts:
        percentiles = found.stages[stage]
        assert (percentiles.p50, percentiles.p99) == pytest.approx((milliseconds, milliseconds))
    assert found.total_over_invoke == pytest.approx(4)
    assert found.runs == 20


@pytest.mark.parametrize(
    ("runs", "min_seconds", "max_seconds", "expected"),
    [
        (10, 0.0, 1e9, 10),
        (1, 0.1, 1e9, 12),  # a run takes some nine looks of a millisecond
        (1000, 0.0, 0.1, 12),
        (1000, 0.0, 0.0, 1),
    ],
)
def test_runs_go_on_for_the_least_and_end_at_the_most_seconds(
    runs: int, min_seconds: float, max_seconds: float, expected: int, classifier: Classifier
) -> None:
    found = measure(
        classifier,
        drawn_view(),
        runs=runs,
        warmup_runs=1,
        min_seconds=min_seconds,
        max_seconds=max_seconds,
        clock=ticking(),
    )
    assert found.runs == pytest.approx(expected, abs=2)


def test_a_trigger_that_finds_nothing_is_told(classifier: Classifier) -> None:
    view = View(drawn_view().belt, Settings(kind="motion", min_area=0.5))
    with pytest.raises(UsageError, match="finds no item in the frames"):
        measure(classifier, view, runs=1, warmup_runs=1)


def test_resident_memory_is_read_from_the_kernel(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text("Name:\tpython\nVmHWM:\t   90000 kB\nVmRSS:\t   61440 kB\n")
    assert resident_bytes(status) == 61440 * 1024
    status.write_text("Name:\tpython\n")
    with pytest.raises(ValueError, match="VmRSS"):
        resident_bytes(status)
    assert 1e6 < resident_bytes() < 1e10
