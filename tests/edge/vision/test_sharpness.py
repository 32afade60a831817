from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.core.images.preprocess import Box
from edge.vision.sharpness import sharpness


@pytest.mark.parametrize("box", [None, Box(left=40, top=20, width=60, height=50)])
def test_of_two_pictures_of_an_item_the_blurred_one_is_less_sharp(box: Box | None) -> None:
    chance = np.random.default_rng(0)
    sharp = chance.integers(0, 256, (100, 200, 3), dtype=np.uint8)
    blurred = cv2.GaussianBlur(sharp, (0, 0), 1.5)
    assert sharpness(sharp, box) > 4 * sharpness(blurred, box)


def test_what_lies_beside_the_item_does_not_count() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    image[::2, 150:] = 255
    assert sharpness(image, Box(left=0, top=0, width=100, height=100)) == 0
    assert sharpness(image, None) > 0
