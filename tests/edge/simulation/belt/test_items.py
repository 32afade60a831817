"""Photographs on the belt: how large they are there, and where."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.simulation.belt.items import photographed
from edge.simulation.belt.scene import PlacedLayer, Scene
from edge.simulation.belt.traffic import BeltItem
from edge.simulation.belt.wire import BeltOrder, BeltPhotograph

BELT = (128, 128, 128)
REGION = Box(left=40, top=20, width=90, height=120)


def photograph(file: Path, *, width: int, height: int, item: tuple[int, int, int, int]) -> None:
    left, top, wide, high = item
    image = np.full((height, width, 3), BELT, np.uint8)
    image[top : top + high, left : left + wide] = (30, 30, 200)
    assert cv2.imwrite(str(file), image)


def order_of(file: Path, **settings: object) -> BeltOrder:
    usual = {
        "items": 1, "labels": ("red",), "pictures": (BeltPhotograph(path=file, label="red"),),
        "scale": 1.0, "width": 200, "height": 150, "frames_per_second": 20.0,
        "views_per_second": 0.5, "spacing_views": 2.2, "jitter": 0.1, "exposure_seconds": 0.0,
        "background": "#808080", "seed": 0, "paced": False, "truth": None, "region": REGION,
    }  # fmt: skip
    return BeltOrder.model_validate(usual | settings)


def scene() -> Scene:
    random = np.random.default_rng(1)
    return Scene(random=random, width=200, height=150, background=BELT, noise_levels=0, blur=1)


def taken(order: BeltOrder, on: Scene) -> BeltItem:
    return next(photographed(order, scene=on))


def region_of(thing: BeltItem, on: Scene) -> Image:
    """The region while the photograph lies in its middle."""
    assert thing.left is not None
    placed = PlacedLayer(thing.layer, thing.left, thing.top)
    frame = on.view([placed], moved=0, random=np.random.default_rng(1))
    bottom, right = REGION.top + REGION.height, REGION.left + REGION.width
    return frame[REGION.top : bottom, REGION.left : right]


def test_at_its_best_moment_the_region_shows_the_photograph(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    photograph(file, width=180, height=240, item=(60, 40, 70, 90))
    on = scene()
    expected = cv2.resize(cv2.imread(str(file)), (90, 120), interpolation=cv2.INTER_AREA)
    off = cv2.absdiff(region_of(taken(order_of(file), on), on), expected).max(axis=2)
    assert (off > 40).mean() < 0.05  # but for the soft edge of what was cut out


@pytest.mark.parametrize(
    ("width", "height", "shown"),
    [(240, 120, (90, 45)), (120, 240, (60, 120))],
    ids=["wider than the region", "higher"],
)  # fmt: skip
def test_a_photograph_of_another_shape_lies_in_the_region_with_all_of_it(
    tmp_path: Path, width: int, height: int, shown: tuple[int, int]
) -> None:
    file = tmp_path / "a.png"
    inner = width // 4, height // 4, width // 2, height // 2
    photograph(file, width=width, height=height, item=inner)
    box = taken(order_of(file), scene()).layer.box
    assert (box.width, box.height) == pytest.approx((shown[0] / 2, shown[1] / 2), abs=3)


def test_an_item_that_no_trigger_would_take_is_drawn_smaller_which_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "a.png"
    photograph(file, width=90, height=120, item=(6, 8, 78, 104))
    things = photographed(order_of(file, largest=0.5), scene=scene())
    boxes = [next(things).layer.box for _ in range(3)]
    for box in boxes:
        assert box.width * box.height == pytest.approx(0.5 * 90 * 120, rel=0.05)
        assert box.height / box.width == pytest.approx(104 / 78, rel=0.05)
    assert caplog.text.count("is drawn smaller") == 1
    assert str(file) in caplog.text
