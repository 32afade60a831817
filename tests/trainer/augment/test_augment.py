"""Augmented pictures keep their shape, and change only as the plan allows."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from trainer.augment import augment_batch, augmented
from trainer.augment.background_swap import find_board
from trainer.augment.camera_effects import (
    defocused,
    gaussian_blurred,
    motion_blurred,
    noisy,
    through_jpeg,
)
from trainer.augment.light import saturated, shaded
from trainer.augment.occlusion import SHAPES, lay_over
from trainer.augment.randaugment import OPERATIONS
from trainer.recipes.plan import AugmentPlan, RandomChange

OFF: dict[str, Any] = {
    "flip_horizontal": False,
    "rotate": 0,
    "zoom": 0,
    "shift": 0,
    "brightness": 0,
    "contrast": 0,
    "color": 0,
}
STILL = AugmentPlan(**OFF)
CHANGES: dict[str, Any] = {
    "flip_horizontal": True,
    "flip_vertical": True,
    "rotate": 20,
    "zoom": 0.2,
    "shear": 0.2,
    "shift": 0.2,
    "brightness": 0.3,
    "contrast": 0.3,
    "gamma": 0.5,
    "color": 0.3,
    "white_balance": 0.3,
    "light": 0.6,
    "blur": 2,
    "defocus": 3,
    "motion": 9,
    "noise": 20,
    "jpeg": 0.8,
    "occlude": 0.3,
    "background": 1,
    "randaugment": {"layers": 2, "magnitude": 8},
}
"""Every change by itself."""


def plan(**changes: Any) -> AugmentPlan:
    return AugmentPlan.model_validate(OFF | changes)


def picture(channels: int = 3) -> np.ndarray:
    """Noise, so that no change leaves it as it was."""
    return np.random.default_rng(1).integers(0, 256, (20, 30, channels), dtype=np.uint8)


def thing(channels: int = 3) -> np.ndarray:
    """A dark disc on a light board that is brighter on one side."""
    board = np.add.outer(np.zeros(64), np.linspace(170, 230, 80))[:, :, None]
    drawn = np.repeat(board, channels, axis=2).astype(np.uint8)
    return cv2.circle(drawn, (40, 32), 18, (40,) * channels, cv2.FILLED).reshape(drawn.shape)


def of_many(plan: AugmentPlan, tensor: np.ndarray, count: int = 40) -> np.ndarray:
    return augment_batch(np.stack([tensor] * count), plan, np.random.default_rng(5))


def test_every_change_is_known_here() -> None:
    assert set(CHANGES) | {"copies"} == set(AugmentPlan.model_fields)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_keeps_shape_and_type(change: str, channels: int) -> None:
    changed = of_many(plan(**{change: CHANGES[change]}), thing(channels))
    assert changed.shape == (40, 64, 80, channels)
    assert changed.dtype == np.uint8


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_changes_some_pictures_and_each_in_its_own_way(change: str) -> None:
    tensor = thing() if change == "background" else picture()
    changed = of_many(plan(**{change: CHANGES[change]}), tensor)
    different = {each.tobytes() for each in changed} - {tensor.tobytes()}
    assert len(different) >= (1 if change.startswith("flip") else 10)


def test_a_plan_of_nothing_changes_nothing() -> None:
    for seed in range(20):
        assert np.array_equal(augmented(picture(), STILL, np.random.default_rng(seed)), picture())


def test_random_changes_of_no_magnitude_change_nothing() -> None:
    changed = of_many(plan(randaugment={"layers": 3, "magnitude": 0}), picture())
    assert (changed == picture()).all()


@pytest.mark.parametrize(("name", "axis"), [("flip_horizontal", 1), ("flip_vertical", 0)])
def test_flips_happen_half_of_the_time_and_only_when_wanted(name: str, axis: int) -> None:
    flipped = 0
    for seed in range(60):
        changed = augmented(picture(), plan(**{name: True}), np.random.default_rng(seed))
        if np.array_equal(changed, np.flip(picture(), axis)):
            flipped += 1
        else:
            assert np.array_equal(changed, picture())
    assert 15 < flipped < 45


def test_the_same_chance_gives_the_same_picture() -> None:
    wild = AugmentPlan.model_validate(CHANGES)
    first, again, other = (
        augmented(thing(), wild, np.random.default_rng(seed)) for seed in (3, 3, 4)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_batch_is_its_pictures_one_after_the_other(channels: int) -> None:
    wild = AugmentPlan.model_validate(CHANGES)
    rng = np.random.default_rng(3)
    singly = [augmented(thing(channels), wild, rng) for _ in range(6)]
    batch = augment_batch(np.stack([thing(channels)] * 6), wild, np.random.default_rng(3))
    np.testing.assert_array_equal(batch, singly)


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_draws_no_more_chance_than_none(change: str) -> None:
    """So that switching one off leaves the others as they were."""
    rngs = [np.random.default_rng(3) for _ in range(2)]
    augmented(thing(), STILL, rngs[0])
    augmented(thing(), plan(**{change: CHANGES[change]}), rngs[1])
    assert rngs[0].uniform() == rngs[1].uniform()


def test_the_original_is_left_alone() -> None:
    original = thing()
    augmented(original, AugmentPlan.model_validate(CHANGES), np.random.default_rng(0))
    assert np.array_equal(original, thing())


@pytest.mark.parametrize(
    ("change", "lowest", "highest"),
    [
        ({"brightness": 0.2}, 80, 120),
        ({"contrast": 0.5}, 86, 114),
        ({"gamma": 0.3}, 76, 124),
        ({"color": 0.1}, 90, 110),
        ({"light": 0.4}, 60, 100),
    ],
)
def test_light_stays_within_its_bounds(change: dict[str, Any], lowest: int, highest: int) -> None:
    changed = of_many(plan(**change), np.full((9, 9, 1), 100, np.uint8), 300)
    assert lowest <= changed.min() < lowest + 4
    assert highest - 4 < changed.max() <= highest


def test_a_warm_light_is_redder_and_a_cold_one_bluer() -> None:
    changed = of_many(plan(white_balance=0.2), np.full((4, 4, 3), 100, np.uint8))[:, 0, 0]
    red, green, blue = changed.astype(int).T
    assert (green == 100).all()
    assert (abs(red + blue - 200) <= 1).all()
    assert {80, 120} & set(np.concatenate([red, blue]).tolist())


@pytest.mark.parametrize("edge", [-1.0, 0.9])
def test_a_shadow_falls_where_it_is_sent(edge: float) -> None:
    lit = shaded(np.full((40, 40, 3), 200, np.uint8), 0.5, 0.0, place=0, edge=edge)
    assert (lit[:, 0] == 200).all()
    assert (lit[:, -1] == 100).all()
    between = np.unique(lit[20, :, 0])
    assert (len(between) > 30) == (edge < 0)  # a slope, or two levels and a narrow edge


def test_defocus_spreads_a_point_over_a_disc() -> None:
    point = np.zeros((31, 31, 1), np.uint8)
    point[15, 15] = 255
    lit = defocused(point, 4)[:, :, 0] > 0
    rows, columns = np.nonzero(lit)
    assert np.hypot(rows - 15, columns - 15).max() <= 5
    assert 40 <= lit.sum() <= 69  # 50 is a disc of radius 4


def test_motion_spreads_a_point_along_its_way() -> None:
    point = np.zeros((31, 31, 1), np.uint8)
    point[15, 15] = 255
    rows, columns = np.nonzero(motion_blurred(point, 9, 0)[:, :, 0])
    assert set(rows) == {15}
    assert (columns.min(), columns.max()) == (11, 19)
    rows, columns = np.nonzero(motion_blurred(point, 9, np.pi / 2)[:, :, 0])
    assert set(columns) == {15}


def test_blur_keeps_the_mean_and_lowers_the_contrast() -> None:
    changed = gaussian_blurred(picture(), 1.5)
    assert changed.mean() == pytest.approx(picture().mean(), abs=4)
    assert changed.std() < 0.5 * picture().std()


def test_noise_is_as_strong_as_told_and_another_in_each_picture() -> None:
    grey = np.full((60, 60, 3), 120, np.uint8)
    changed = noisy(grey, 10)
    assert changed.std() == pytest.approx(10, rel=0.1)
    assert changed.mean() == pytest.approx(120, abs=1)
    other = noisy(grey, 10, row=0.3, column=-0.4)
    between = np.corrcoef(changed.ravel(), other.ravel())[0, 1]
    assert abs(between) < 0.1


def test_jpeg_keeps_colours_and_loses_detail() -> None:
    red = np.full((32, 32, 3), (200, 40, 30), np.uint8)
    assert np.abs(through_jpeg(red, 60).astype(int) - red).max() < 8
    errors = [
        np.abs(through_jpeg(picture(), quality).astype(int) - picture()).mean()
        for quality in (90, 40, 10)
    ]
    assert 0 < errors[0] < errors[1] < errors[2]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shape_covers_no_more_than_its_share(shape: str) -> None:
    rng = np.random.default_rng(2)
    shares = []
    for _ in range(60):
        tensor = np.full((60, 60, 3), 255, np.uint8)
        tensor[::2] = 0
        before = tensor.copy()
        lay_over(tensor, 0.2, shape, rng.uniform(-1, 1, 7))
        shares.append((tensor != before).any(axis=2).mean())
    assert max(shares) <= 0.2 * (1.6 if shape == "bar" else 1.25)  # a bar may lie along a diagonal
    assert np.median(shares) > 0.06


def test_a_cut_out_has_the_mean_colour_of_the_picture() -> None:
    tensor = picture()
    lay_over(tensor, 0.25, "cut_out", np.zeros(7))
    mean = np.rint(picture().mean(axis=(0, 1)))
    assert (tensor[10, 15] == mean).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_board_lit_from_one_side_is_found(channels: int) -> None:
    board = find_board(thing(channels))
    assert board is not None
    disc = thing(channels)[:, :, 0] == 40
    assert ((board == 255) == ~disc).mean() > 0.99


def test_only_the_board_gets_another_look() -> None:
    disc = thing()[:, :, 0] == 40
    inside = cv2.erode(disc.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    changed = of_many(plan(background=1), thing())
    assert (changed[:, inside] == 40).all()
    corners = changed[:, [2, 2, -3, -3], [2, -3, 2, -3]].astype(int)
    assert np.abs(corners - thing()[[2, 2, -3, -3], [2, -3, 2, -3]]).mean() > 30


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_a_background_changes_as_often_as_told(share: float) -> None:
    changed = of_many(plan(background=share), thing(), 200)
    assert (changed != thing()).any(axis=(1, 2, 3)).mean() == pytest.approx(share, abs=0.1)


@pytest.mark.parametrize(
    "tensor",
    [
        picture(),
        np.full((40, 40, 3), 200, np.uint8),  # nothing lies on it
        cv2.rectangle(np.full((40, 40, 3), 200, np.uint8), (1, 1), (38, 38), (0, 0, 0), -1),
        # An item of the board's own colour, of which only bits stand out.
        np.where(
            np.random.default_rng(0).uniform(size=(64, 64, 1)) < 0.3 * (thing() < 50)[:, :64, :1],
            np.uint8(20),
            np.full((64, 64, 3), 200, np.uint8),
        ),
    ],
    ids=["noise", "empty", "filled", "bits"],
)
def test_where_no_plain_board_is_found_nothing_changes(tensor: np.ndarray) -> None:
    assert find_board(tensor) is None
    assert (of_many(plan(background=1), tensor, 5) == tensor).all()


def test_the_random_changes_are_those_that_a_recipe_may_leave_out() -> None:
    assert set(OPERATIONS) == set(RandomChange.__args__)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_random_change_is_stronger_at_full_strength(name: str, channels: int) -> None:
    tensor = (picture(channels) // 2 + 60).astype(np.uint8)
    little, much = (
        np.abs(OPERATIONS[name](tensor, strength).astype(int) - tensor).mean()
        for strength in (0.1, 1.0)
    )
    if name in ("auto_contrast", "equalise"):
        assert little == much > 5
    elif name == "colour" and channels == 1:
        assert little == much == 0
    else:
        assert little < much
        assert much > 5


def test_a_random_change_left_out_never_happens() -> None:
    grey_stays = [name for name in OPERATIONS if name != "colour"]
    wanted = {"layers": 1, "magnitude": 10, "leave_out": grey_stays}
    changed = of_many(plan(randaugment=wanted), picture())
    luma = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY).astype(int) for each in (picture(), changed[0])]
    assert (changed != picture()).any()
    assert np.abs(luma[0] - luma[1]).mean() < 12


def test_no_saturation_is_grey() -> None:
    grey = saturated(picture(), 0)
    assert (grey == grey[:, :, :1]).all()
    assert (saturated(picture(), 1) == picture()).all()
