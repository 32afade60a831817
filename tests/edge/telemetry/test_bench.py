from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge.core.model.bundle import read_bundle
from edge.core.model.classifier import Classifier
from edge.telemetry.bench import measure, resident_bytes, synthetic_frame


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
    found = measure(classifier, synthetic_frame(), runs=20, warmup_runs=2, clock=ticking())
    # preprocess, inference and decision take one look each, so the whole takes three
    for stage, milliseconds in (("preprocess", 1), ("invoke", 1), ("decide", 1), ("total", 3)):
        percentiles = found.stages[stage]
        assert (percentiles.p50, percentiles.p99) == pytest.approx((milliseconds, milliseconds))
    assert found.total_over_invoke == pytest.approx(3)
    assert found.runs == 20


@pytest.mark.parametrize(
    ("runs", "min_seconds", "max_seconds", "expected"),
    [
        (10, 0.0, 1e9, 10),
        (1, 0.1, 1e9, 15),  # a run takes seven looks of a millisecond
        (1000, 0.0, 0.1, 15),
        (1000, 0.0, 0.0, 1),
    ],
)
def test_runs_go_on_for_the_least_and_end_at_the_most_seconds(
    runs: int, min_seconds: float, max_seconds: float, expected: int, classifier: Classifier
) -> None:
    found = measure(
        classifier,
        synthetic_frame(),
        runs=runs,
        warmup_runs=1,
        min_seconds=min_seconds,
        max_seconds=max_seconds,
        clock=ticking(),
    )
    assert found.runs == pytest.approx(expected, abs=2)


def test_the_frame_is_the_same_each_time() -> None:
    frame = synthetic_frame()
    assert frame.shape == (480, 640, 3)
    assert np.array_equal(frame, synthetic_frame())
    assert frame.std() > 50


def test_resident_memory_is_read_from_the_kernel(tmp_path: Path) -> None:
    status = tmp_path / "status"
    status.write_text("Name:\tpython\nVmHWM:\t   90000 kB\nVmRSS:\t   61440 kB\n")
    assert resident_bytes(status) == 61440 * 1024
    status.write_text("Name:\tpython\n")
    with pytest.raises(ValueError, match="VmRSS"):
        resident_bytes(status)
    assert 1e6 < resident_bytes() < 1e10
