"""Where an object is: with what is thin of it, and without its shadow."""

from __future__ import annotations

import numpy as np
import pytest

from edge.core.images.image_file import Image
from edge.core.images.preprocess import Box
from edge.vision.trigger.blobs import Blob, connected
from edge.vision.trigger.motion import Settings
from tests.edge.vision.trigger.scenes import PER_SECOND, RED, Scene, Thing, travelling, watch

BELT = 100
BROWN = 110, 110, 200
ITEM = Box(40, 40, 30, 40)


def picture() -> Image:
    """A white item with a grey end on its right, and a shadow there that is dark in its middle."""
    level = np.full((120, 160), BELT, np.float32)
    level[40:80, 70:100] = 0.7 * BELT
    level[54:66, 82:96] = 0.35 * BELT
    level[40:80, 40:70] = 220
    return np.repeat(level[..., None], 3, axis=2).astype(np.uint8)


def found(seen: Image) -> list[Blob]:
    mean = np.full(seen.shape, BELT, np.float32)
    front = 255 * (np.abs(seen[..., 0] - mean[..., 0]) > 10).astype(np.uint8)
    return connected(front, seen, mean, least=20)


def test_the_dark_of_a_shadow_that_a_grey_end_divides_from_its_item_is_where_the_item_is() -> None:
    """It is a blob, which may be joined to the item again, and would move the item's middle."""
    item, shade = found(picture())
    assert tuple(item.body) == pytest.approx(tuple(ITEM), abs=2)
    assert tuple(shade.box) == pytest.approx((82, 54, 14, 12), abs=4)
    assert shade.body == item.body


def test_a_dark_thing_of_an_items_size_stays_where_it_is() -> None:
    seen = picture()
    seen[40:80, 80:110] = 0.35 * BELT
    _, other = found(seen)
    assert other.body == other.box


@pytest.mark.parametrize("ahead", [True, False])
def test_a_stem_belongs_to_the_fruit_whose_middle_passes(ahead: bool) -> None:
    """It is thinner than the specks that are left out, but joined to what is not."""
    length = 12
    fruit = Thing(travelling(start=2, pace=100), RED, plain=True)
    beside = (1 if ahead else -1) * (fruit.width + length) / 2
    stem = Thing(travelling(start=2, pace=100, x=-40 + beside), BROWN, length, 2, plain=True)
    (alone,) = watch(Scene(6, (fruit,)).frames(), Settings(kind="motion"))
    (both,) = watch(Scene(6, (fruit, stem)).frames(), Settings(kind="motion"))
    passed = [seen.last.passed for seen in (alone, both) if seen.last and seen.last.passed]
    earlier = (1 if ahead else -1) * (length / 2) / 100
    assert passed[0] - passed[1] == pytest.approx(earlier, abs=0.3 / PER_SECOND)
