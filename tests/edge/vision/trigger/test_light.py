"""Light that changes quickly, while items pass, does not become an item."""

from __future__ import annotations

import numpy as np
import pytest

from edge.core.images.image_file import Image
from tests.edge.vision.trigger.scenes import EMPTY, Scene, Thing, look_at, lying, travelling


def rails(at: float) -> Image:
    """A belt between two rails that are lighter than it."""
    ground = EMPTY.copy()
    ground[:16] = ground[-16:] = 200
    return ground


@pytest.mark.parametrize("factor", [0.6, 1.5])
@pytest.mark.parametrize("per_second", [15, 30])
def test_items_are_found_after_the_light_has_faded_within_half_a_second(
    factor: float, per_second: float
) -> None:
    """The rails differ first. Where parts near each other are one item, they were one with the item
    in view; it was as large as the picture then, and nothing was left to tell the light by."""

    def light(at: float) -> float:
        return float(np.interp(at, (3.2, 3.7), (1.0, factor)))

    things = tuple(Thing(travelling(start=start, pace=100)) for start in (2, 6, 10))
    settings = {"contrast": 10, "min_area": 0.01, "min_gap": 0.3}
    scene = Scene(
        15, things, ground=rails, light=light, settings=settings, per_second=per_second, noise=1
    )
    items = look_at(scene)
    assert len(items) == 3
    for start, item in zip((2, 6, 10), items, strict=True):
        assert item.last is not None
        assert item.last.passed == pytest.approx(100 + start + 2, abs=0.1)


def test_a_belt_that_stays_as_it_was_is_no_light_that_changed() -> None:
    """A pale thing covers most of what is free beside another one: its colour is no light."""

    def pale(at: float) -> Image:
        return np.full_like(EMPTY, 200)

    things = (
        Thing(lying(start=3, end=6, x=60), (60, 60, 60), width=122, height=240, plain=True),
        Thing(lying(start=4, end=6, x=220), (175, 210, 180), width=120, height=240, plain=True),
    )
    settings = {"contrast": 20, "max_area": 0.9}
    scene = Scene(4.5, things, ground=pale, noise=0, per_second=30, settings=settings)
    dark, *others = look_at(scene)
    assert dark.times[-1] > 4.4
    assert {box.left + box.width for box in dark.boxes} <= set(range(118, 128))
    bare = [box for item in others for box in item.boxes if box.left + box.width > 290]
    assert bare == []
