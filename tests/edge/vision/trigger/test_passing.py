"""When an item passes is not mistaken for good by what is seen of it for a moment."""

from __future__ import annotations

import pytest

from edge.core.images.preprocess import Box
from edge.vision.trigger.motion import Settings
from edge.vision.trigger.track import Track
from tests.edge.vision.trigger.scenes import PER_SECOND, RED, Scene, Thing, travelling, watch

PACE = 80.0
"""Pixels of the small picture a second."""


def test_a_can_whose_shadow_comes_in_before_it_passes_when_its_middle_does() -> None:
    """As it comes in, its shadow is taken for a part of it at first: it seems to go back, and up.
    The line through these pictures is at the picture's middle while it has hardly come in."""
    comes_in = [
        (Box(0, 45, 13, 19), Box(0, 45, 13, 19)),
        (Box(0, 30, 16, 35), Box(0, 30, 6, 25)),
        (Box(0, 25, 19, 42), Box(0, 25, 9, 31)),
        (Box(0, 23, 21, 46), Box(0, 23, 12, 35)),
        (Box(0, 24, 24, 47), Box(0, 24, 14, 35)),
        (Box(0, 20, 26, 52), Box(0, 20, 17, 42)),
        (Box(0, 20, 29, 53), Box(0, 20, 20, 43)),
    ]
    (box, body), *others = comes_in
    track = Track(box, box, 0.0, size=(160, 120), body=body)
    for number in range(1, 60):
        if others:
            box, body = others.pop(0)
        else:
            right = 20 + PACE * (number - 6) / 30
            left = max(0, round(right - 62))
            body = Box(left, 20, round(right) - left, 56)
            box = body._replace(width=body.width + 9, height=62)
        track.move(box, box, number / 30, body=body)
    middle = 6 / 30 + (80 + 31 - 20) / PACE
    assert track.passed == pytest.approx(middle, abs=0.005)


@pytest.mark.parametrize("y", [30, 200])
def test_a_speck_on_the_belt_behind_an_item_does_not_change_when_that_passes(y: float) -> None:
    """Even where things that look like several are joined: all of the item was in view before."""
    item = Thing(travelling(start=2, pace=100), RED, plain=True)
    speck = Thing(travelling(start=3.2, pace=100, x=0, y=y), RED, width=14, height=14, plain=True)
    settings = Settings(kind="motion", min_area=0.01, min_gap=0.3)
    (alone,) = watch(Scene(6, (item,)).frames(), settings)
    (seen,) = watch(Scene(6, (item, speck)).frames(), settings)
    assert alone.observations[-1].passed == pytest.approx(100 + 2 + 200 / 100, abs=0.2 / PER_SECOND)
    assert seen.observations[-1].passed == pytest.approx(alone.observations[-1].passed, abs=0.002)
