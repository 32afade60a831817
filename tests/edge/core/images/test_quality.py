"""Dark, bright and blurred pictures are told from good ones."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.core.images.image_file import Image, read_image
from edge.core.images.quality import judge


def scene(*, scale: int = 1) -> Image:
    """Boxes in many greys on a belt, with a camera's noise."""
    random = np.random.default_rng(5)
    image = np.full((240 * scale, 320 * scale), 90.0)
    for _ in range(40):
        top, left = random.integers(0, 200 * scale), random.integers(0, 280 * scale)
        image[top : top + 40 * scale, left : left + 30 * scale] = random.integers(20, 235)
    image += random.normal(0, 2, image.shape)
    return np.repeat(image.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def flat(level: int, height: int = 60, width: int = 80) -> Image:
    return np.full((height, width, 3), level, np.uint8)


@pytest.mark.parametrize(
    ("image", "warnings"),
    [
        (scene(), ()),
        (scene(scale=4), ()),
        (cv2.GaussianBlur(scene(), (0, 0), 6), ("blurred",)),
        (cv2.GaussianBlur(scene(scale=4), (0, 0), 24), ("blurred",)),
        (cv2.GaussianBlur(scene(scale=8), (0, 0), 3), ()),  # gone when made small
        (cv2.blur(scene(), (25, 1)), ("blurred",)),  # moved across
        (cv2.blur(scene(), (1, 25)), ("blurred",)),  # moved down
        (scene() // 5, ("too dark",)),
        (flat(90), ()),  # an empty belt, on which nothing can be sharp
        (flat(10), ("too dark",)),
        (flat(250), ("too bright",)),
        (flat(90, 1, 1), ()),
        (flat(90, 1, 5000), ()),
    ],
)  # fmt: skip
def test_what_is_said_of_a_picture(image: Image, warnings: tuple[str, ...]) -> None:
    assert judge(image).warnings == warnings


def test_the_more_blur_the_higher_it_is_ranked() -> None:
    found = [judge(cv2.GaussianBlur(scene(), (0, 0), sigma)).blur for sigma in (0.5, 1, 2, 4, 8)]  # type: ignore[arg-type]
    assert found == sorted(found)


@pytest.mark.shared
def test_photographs_are_sharp_until_they_are_blurred(shared: Path) -> None:
    files = sorted((shared / "data" / "trashnet").rglob("*.jpg"))[::40]
    images = [read_image(file) for file in files]
    assert sum(judge(image).blurred for image in images) <= len(images) // 50
    soft = [cv2.GaussianBlur(image, (0, 0), 0.02 * max(image.shape)) for image in images]
    assert sum(judge(image).blurred for image in soft) >= len(images) * 9 // 10  # type: ignore[arg-type]
