"""Augmented pictures keep their shape, and change only as the plan allows."""

import numpy as np
import pytest

from trainer.augment import augmented
from trainer.recipe import AugmentPlan

STILL = AugmentPlan(
    flip_horizontal=False, rotate=0, zoom=0, shift=0, brightness=0, contrast=0, color=0
)


def picture(channels: int = 3) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (20, 30, channels), dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_shape_and_type_stay(channels: int) -> None:
    plan = AugmentPlan(blur=1, occlude=0.2, flip_vertical=True)
    for seed in range(20):
        changed = augmented(picture(channels), plan, np.random.default_rng(seed))
        assert changed.shape == (20, 30, channels)
        assert changed.dtype == np.uint8


def test_a_plan_of_nothing_changes_nothing() -> None:
    for seed in range(20):
        assert np.array_equal(augmented(picture(), STILL, np.random.default_rng(seed)), picture())


@pytest.mark.parametrize(("name", "axis"), [("flip_horizontal", 1), ("flip_vertical", 0)])
def test_flips_happen_half_of_the_time_and_only_when_wanted(name: str, axis: int) -> None:
    plan = STILL.model_copy(update={name: True})
    flipped = 0
    for seed in range(60):
        changed = augmented(picture(), plan, np.random.default_rng(seed))
        if np.array_equal(changed, np.flip(picture(), axis)):
            flipped += 1
        else:
            assert np.array_equal(changed, picture())
    assert 15 < flipped < 45


def test_the_same_chance_gives_the_same_picture() -> None:
    first, again, other = (
        augmented(picture(), AugmentPlan(), np.random.default_rng(seed)) for seed in (3, 3, 4)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_original_is_left_alone() -> None:
    original = picture()
    augmented(original, AugmentPlan(occlude=0.5), np.random.default_rng(0))
    assert np.array_equal(original, picture())


def test_brightness_stays_within_its_bounds() -> None:
    plan = STILL.model_copy(update={"brightness": 0.2})
    grey = np.full((8, 8, 3), 100, np.uint8)
    levels = [int(augmented(grey, plan, np.random.default_rng(s))[0, 0, 0]) for s in range(200)]
    assert min(levels) >= 80
    assert max(levels) <= 120
    assert max(levels) - min(levels) > 30
