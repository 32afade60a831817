"""Whether a camera sees its scene: covered, blurred, moved, and what is none of these."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from edge.core.images.image_file import Image
from edge.vision.camera.scene_checks import EVERY_SECONDS, SceneChange, SceneChecker

RNG = np.random.default_rng(5)
_NOISE = RNG.integers(60, 200, (60, 80), np.uint8)
SCENE = cv2.cvtColor(cv2.resize(_NOISE, (320, 240), interpolation=cv2.INTER_LINEAR), 8)
"""A bench with things on it: something to recognise everywhere."""
PLAIN = np.full((240, 320, 3), 150, np.uint8)
"""A plain belt: nothing to recognise."""
Change = Callable[[Image, float], Image]


def shot(scene: Image) -> Image:
    return np.clip(scene + RNG.normal(0, 2, scene.shape), 0, 255).astype(np.uint8)


def seen(change: Change, *, scene: Image = SCENE, seconds: float = 5) -> list[SceneChange | None]:
    """What is said at each look, after five seconds in which nothing happens."""
    checker, found = SceneChecker(), list[SceneChange | None]()
    for number in range(20 + round(seconds / EVERY_SECONDS)):
        at = number * EVERY_SECONDS
        image = shot(scene if number < 20 else change(scene, at - 20 * EVERY_SECONDS))
        found.append(checker.look(image, at))
    assert set(found[:20]) == {None}
    return found[20:]


def covered(scene: Image, at: float) -> Image:
    """A hand before the lens: dark, and not quite even."""
    return np.asarray(
        np.linspace(10, 40, scene.shape[1])[None, :, None] * np.ones_like(scene), np.uint8
    )


def cloth(scene: Image, at: float) -> Image:
    """Something bright before the lens."""
    return np.full_like(scene, 140)


def blurred(scene: Image, at: float) -> Image:
    return np.asarray(cv2.GaussianBlur(scene, (0, 0), 3), np.uint8)


def moved(scene: Image, at: float) -> Image:
    return np.roll(scene, (57, 91), (0, 1))


@pytest.mark.parametrize(
    ("change", "said", "scene"),
    [
        (covered, SceneChange.COVERED, SCENE),
        (covered, SceneChange.COVERED, PLAIN),
        (cloth, SceneChange.COVERED, SCENE),
        (blurred, SceneChange.BLURRED, SCENE),
        (moved, SceneChange.MOVED, SCENE),
    ],
)
def test_it_is_named_within_two_seconds(change: Change, said: SceneChange, scene: Image) -> None:
    found = seen(change, scene=scene)
    assert found[round(2 / EVERY_SECONDS) :] == [said] * round(3 / EVERY_SECONDS)
    assert set(found) <= {None, said}


def lit(scene: Image, at: float) -> Image:
    return np.clip(scene * (1 + 0.1 * at), 0, 255).astype(np.uint8)


def dimmed(scene: Image, at: float) -> Image:
    return np.asarray(scene * 0.5, np.uint8)


def item(scene: Image, at: float) -> Image:
    """One that fills half of the picture and lies there."""
    image = scene.copy()
    image[30:210, 60:220] = (20, 40, 90)
    return image


def hand(scene: Image, at: float) -> Image:
    """A hand that is before the lens for half a second."""
    return covered(scene, at) if at < 0.5 else scene


def shaken(scene: Image, at: float) -> Image:
    return np.roll(scene, round(2 * np.sin(9 * at)), 1)


def belt(scene: Image, at: float) -> Image:
    return np.roll(scene, round(40 * at), 1)


@pytest.mark.parametrize("change", [lit, dimmed, item, hand, shaken])
def test_light_items_and_hands_are_none_of_these(change: Change) -> None:
    assert set(seen(change)) == {None}


@pytest.mark.parametrize("change", [moved, blurred, cloth])
def test_where_there_is_nothing_to_recognise_nothing_is_said(change: Change) -> None:
    assert set(seen(change, scene=PLAIN)) == {None}


def test_a_belt_with_a_pattern_is_not_the_scene() -> None:
    checker = SceneChecker()
    found = {
        checker.look(shot(belt(SCENE, number * EVERY_SECONDS)), number * EVERY_SECONDS)
        for number in range(60)
    }
    assert found == {None}


def test_what_is_over_is_said_to_be_over() -> None:
    found = seen(lambda scene, at: covered(scene, at) if at < 3 else scene, seconds=6)
    assert SceneChange.COVERED in found
    assert found[-8:] == [None] * 8
