from __future__ import annotations

import itertools

import pytest

from edge.benchmark.frame_to_verdict import View
from edge.benchmark.region_cost import region_cost
from edge.benchmark.views import drawn_view
from edge.core.images.preprocess import InputSpec
from edge.vision.region import Region


@pytest.mark.parametrize(
    ("size", "spec", "words"),
    [
        ((96, 96), InputSpec(height=96, width=96), "96x96, no resize to the model's input"),
        ((192, 96), InputSpec(height=96, width=96), "192x96, one resize"),
        ((90, 60), InputSpec(height=96, width=96), "90x60, one resize"),
        ((90, 60), InputSpec(crop="item"), "90x60; the model looks at the item's own box"),
    ],
)
def test_a_region_that_needs_no_second_resize(
    size: tuple[int, int], spec: InputSpec, words: str
) -> None:
    found = region_cost(spec, drawn_view(size))
    assert words in str(found)
    assert "one_resize" not in found.to_json()


def test_what_two_resizes_cost_is_measured_beside_one() -> None:
    ticks = itertools.cycle([0.0, 0.002, 0.002, 0.003])  # 2 ms and 1 ms by turns
    found = region_cost(
        InputSpec(height=96, width=96, geometry="squash"),
        drawn_view((250, 250)),
        clock=lambda: next(ticks),
    )
    assert found.to_json() == {
        "pixels": "250x250",
        "resizes": 2,
        "preprocess_ms": 2.0,
        "one_resize": {"pixels": "192x192", "preprocess_ms": 1.0},
    }
    assert "resized twice: 1.00 ms more than 192x192 (2.00 against 1.00 ms)" in str(found)


def test_a_region_may_grow_within_the_camera_s_picture() -> None:
    spec, region = InputSpec(height=96, width=96, geometry="squash"), Region(width=250, height=250)
    belt = drawn_view((250, 250)).belt
    found = region_cost(spec, View(belt, region=region, picture=(640, 480)))
    assert found.fitting == "288x288"
    assert region_cost(spec, View(belt, region=region)).fitting == "192x192"
