"""A camera that is bumped makes no items of the scene that it sees then; what passes stays one."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edge.core.images.image_file import Image
from tests.edge.vision.trigger.scenes import (
    EMPTY,
    HEIGHT,
    WIDTH,
    Scene,
    Seen,
    Thing,
    along,
    look_at,
    lying,
    travelling,
)

BUMP, BACK = 5.0, 9.0
"""When the camera is bumped, and when it is put back, in seconds."""


def plates(seed: int, rows: int = 60, *, grid: tuple[int, int]) -> Image:
    """A plain view with a grid of plates of many greys at its top, and one at its bottom."""
    view = EMPTY.copy()
    random = np.random.default_rng(seed)
    for place in (slice(0, rows), slice(HEIGHT - rows, HEIGHT)):
        small = random.integers(60, 200, grid, np.uint8)
        large = cv2.resize(small, (WIDTH, rows), interpolation=cv2.INTER_NEAREST)
        view[place] = large[..., None]
    return view


FRAMED = plates(1, grid=(2, 10))
"""A belt between the parts of a machine: half of the view is as plain as another one's."""


def bumped(swing: float) -> Callable[[float], Image]:
    """The scene turns aside within so many seconds, and comes back at once."""
    wide = np.hstack([FRAMED, plates(2, grid=(3, 7))])

    def ground(at: float) -> Image:
        share = float(np.clip((at - BUMP) / max(swing, 1e-9), 0, 1)) if at < BACK else 0.0
        aside = round(share * WIDTH)
        return wide[:, aside : aside + WIDTH]

    return ground


def during(items: list[Seen]) -> list[Seen]:
    """Those that are new while the camera looks elsewhere."""
    return [item for item in items if BUMP < item.times[0] < BACK + 1]


@pytest.mark.parametrize("swing", [0, 0.1, 0.2])
def test_another_scene_is_no_item(swing: float) -> None:
    assert look_at(Scene(12, ground=bumped(swing))) == []


@pytest.mark.parametrize("swing", [0, 0.2])
def test_nor_is_it_beside_an_item_that_is_in_view_as_the_camera_is_bumped(swing: float) -> None:
    passing = along((4, -40, 120), (BUMP, 110, 120))
    things = Thing(passing), Thing(travelling(start=10.5, pace=150))
    items = look_at(Scene(14, things, ground=bumped(swing)))
    assert during(items) == []
    assert len(items) == 2


@pytest.mark.parametrize("size", [0.5, 0.8, 1.0])
def test_what_hides_the_scene_as_it_passes_is_an_item(size: float) -> None:
    width, height = round(size * WIDTH), round(size * HEIGHT)
    thing = Thing(travelling(start=2, pace=150, x=-width / 2), width=width, height=height)
    assert len(look_at(Scene(9, (thing,), ground=lambda at: FRAMED))) == 1


def test_what_appears_at_once_before_much_of_the_scene_is_an_item() -> None:
    """As in a bin, the largest one that `max_area` allows."""
    thing = Thing(lying(start=3, end=6), width=250, height=200)
    scene = Scene(9, (thing,), ground=lambda at: FRAMED, settings={"still_seconds": 0.4})
    assert len(look_at(scene)) == 1


def test_two_that_come_in_at_once_far_apart_are_two_items() -> None:
    pair = Thing(travelling(start=2, pace=150, y=40)), Thing(travelling(start=2, pace=150, y=200))
    assert len(look_at(Scene(7, pair, ground=lambda at: FRAMED))) == 2
