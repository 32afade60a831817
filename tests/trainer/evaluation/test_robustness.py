"""Every disturbance does what it says, to the picture and not to its bars, the same each time."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.core.images.preprocess import Box, Tensor
from trainer.augment.background_swap import find_board
from trainer.evaluation.robustness import (
    DISTURBANCES,
    LIMIT,
    Disturbance,
    disturb,
    robustness,
    without_bars,
)
from trainer.statistics.intervals import Resampling

NAMES = {each.name: each for each in DISTURBANCES}


def photo(side: int = 96, channels: int = 3, *, item: int = 40) -> Tensor:
    """A dark item with a pattern on a pale board."""
    image = np.full((side, side, channels), 210, np.uint8)
    low, high = (side - item) // 2, (side + item) // 2
    pattern = np.indices((item, item)).sum(axis=0) // 4 % 2 * 60
    image[low:high, low:high] = (40 + pattern[:, :, None]).astype(np.uint8)
    return image


def changed(
    name: str, level: int, image: Tensor, *, seed: int = 0, box: Box | None = None
) -> Tensor:
    height, width = image.shape[:2]
    return disturb(
        image, NAMES[name], level, np.random.default_rng(seed), box or Box(0, 0, width, height)
    )


@pytest.mark.parametrize("each", DISTURBANCES, ids=lambda each: each.name)
@pytest.mark.parametrize("shape", [(96, 96, 3), (28, 28, 1), (64, 96, 3), (40, 24, 3)])
def test_a_disturbed_picture_is_a_picture_and_strong_is_stronger(
    each: Disturbance, shape: tuple[int, int, int]
) -> None:
    image = cv2.resize(photo(), shape[1::-1], interpolation=cv2.INTER_AREA)[:, :, : shape[2]]
    before = image.copy()
    mild, strong = (changed(each.name, level, image) for level in (0, 1))
    assert mild.shape == strong.shape == shape
    assert mild.dtype == strong.dtype == np.uint8
    assert (image == before).all(), "the picture itself is left as it was"
    off = [np.abs(other.astype(float) - image).mean() for other in (mild, strong)]
    assert off[1] > 0.4
    if each.name != "other background":
        assert off[0] < off[1]


@pytest.mark.parametrize("each", DISTURBANCES, ids=lambda each: each.name)
def test_letterbox_bars_stay(each: Disturbance) -> None:
    image = np.full((96, 96, 3), 128, np.uint8)
    image[20:76] = photo()[20:76]
    box = without_bars(image, 128)
    assert box == Box(0, 20, 96, 56)
    result = changed(each.name, 1, image, box=box)
    assert (result[:20] == 128).all()
    assert (result[76:] == 128).all()
    assert (result[20:76] != image[20:76]).any()


def test_a_picture_without_bars_is_whole() -> None:
    assert without_bars(photo(), 128) == Box(0, 0, 96, 96)
    assert without_bars(np.full((8, 9, 3), 128, np.uint8), 128) == Box(0, 0, 9, 8)


def test_light_is_less_or_more() -> None:
    image = photo()
    for name, level, factor in (("dark", 0, 0.6), ("dark", 1, 0.3), ("bright", 0, 1.4)):
        wanted = np.clip(np.rint(image * factor), 0, 255)
        assert np.abs(changed(name, level, image) - wanted).max() <= 1


def test_blur_takes_the_pattern_away_and_covering_hides_a_share() -> None:
    image = photo()
    assert changed("blur", 1, image)[40:56, 40:56].std() < 0.5 * image[40:56, 40:56].std()
    black = np.zeros((100, 100, 3), np.uint8)
    for level, share in ((0, 0.10), (1, 0.25)):
        hidden = (changed("occlusion", level, black) > 0).any(axis=2).mean()
        assert hidden == pytest.approx(share, abs=0.01)


def test_the_colours_of_a_jpeg_stay_in_their_channels() -> None:
    red = np.zeros((64, 64, 3), np.uint8)
    red[:, :, 0] = 200
    assert np.abs(changed("JPEG", 1, red).astype(int) - red).max() < 12


def test_another_board_leaves_the_item() -> None:
    image = photo()
    assert find_board(image) is not None
    result = changed("other background", 1, image)
    assert np.abs(result[32:64, 32:64].astype(int) - image[32:64, 32:64]).max() <= 1
    assert np.abs(result[:20].astype(int) - image[:20]).mean() > 20


def test_where_there_is_no_board_the_picture_gets_a_frame() -> None:
    busy = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    assert find_board(busy) is None
    result = changed("other background", 0, busy)
    assert (result[8:-8, 8:-8] == busy[8:-8, 8:-8]).all()
    assert len(np.unique(result[:8].reshape(-1, 3), axis=0)) == 1


def dark_item(images: np.ndarray) -> np.ndarray:
    """Scores of a "model" that takes all with a dark middle for class 0."""
    middle = images[:, 40:56, 40:56].mean(axis=(1, 2, 3))
    return np.stack([150 - middle, middle - 150], axis=1)


@pytest.fixture
def pictures() -> tuple[np.ndarray, np.ndarray]:
    pale = np.full((96, 96, 3), 210, np.uint8)
    return np.stack([photo(), pale] * 20), np.array([0, 1] * 20)


def test_accuracy_and_its_change_are_told_for_each(pictures: tuple[np.ndarray, np.ndarray]) -> None:
    tensors, truth = pictures
    found = robustness(dark_item, tensors, truth, groups=None, seed=0)
    assert [(each.name, each.severity) for each in found] == [
        (name, severity) for name in NAMES for severity in ("mild", "strong")
    ]
    dark = next(each for each in found if (each.name, each.severity) == ("dark", "strong"))
    assert (dark.accuracy.count, dark.accuracy.total) == (20, 40), "all are taken for dark items"
    assert (dark.undisturbed.count, dark.undisturbed.total) == (40, 40)
    assert dark.change.value == -0.5
    before, after = np.ones(40, bool), truth == 0
    assert dark.change == Resampling(None, 40).change(before, after)
    assert {each.applied for each in found if each.name == "other background"} == {20}
    assert {each.applied for each in found if each.name != "other background"} == {None}
    assert dark.to_json()["accuracy"] == 0.5


def test_pictures_of_one_object_widen_the_interval(
    pictures: tuple[np.ndarray, np.ndarray],
) -> None:
    tensors, truth = pictures
    groups = [str(n // 4) for n in range(40)]
    alone = robustness(dark_item, tensors, truth, groups=None, seed=0)
    series = robustness(dark_item, tensors, truth, groups=groups, seed=0)
    assert series[5].change.value == alone[5].change.value
    (low, high), (one, other) = series[5].change.interval or (), alone[5].change.interval or ()
    assert high - low >= other - one
    assert series[0].change.interval != alone[0].change.interval


def test_of_many_pictures_some_are_taken_and_the_same_each_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("trainer.evaluation.robustness.LIMIT", 10)
    tensors = np.random.default_rng(1).integers(0, 256, (60, 24, 24, 3), np.uint8)
    seen: list[np.ndarray] = []

    def predict(images: np.ndarray) -> np.ndarray:
        seen.append(images)
        return np.tile([1.0, 0.0], (len(images), 1))

    truth = np.arange(60) % 2
    first = robustness(predict, tensors, truth, groups=None, seed=3)
    once, seen = seen, []
    again = robustness(predict, tensors, truth, groups=None, seed=3)
    assert {each.accuracy.total for each in first} == {10}
    assert first == again
    assert all((a == b).all() for a, b in zip(once, seen, strict=True))
    seen = []
    robustness(predict, tensors, truth, groups=None, seed=4)
    assert not all((a == b).all() for a, b in zip(once, seen, strict=True))


def test_rows_choose_the_pictures_and_few_are_read_at_a_time() -> None:
    tensors = np.zeros((300, 16, 16, 1), np.uint8)
    tensors[100:] = 255
    asked: list[int] = []

    class OnDisk:
        def __len__(self) -> int:
            return len(tensors)

        def __getitem__(self, rows: np.ndarray) -> np.ndarray:
            asked.append(len(rows))
            return tensors[rows]

    def predict(images: np.ndarray) -> np.ndarray:
        assert len(images) <= 64
        bright = images.mean(axis=(1, 2, 3)) / 255
        return np.stack([1 - bright, bright], axis=1)

    rows = np.arange(100, 300)
    found = robustness(predict, OnDisk(), np.ones(200, np.int64), groups=None, seed=0, rows=rows)
    assert found[0].undisturbed.count == LIMIT
    assert sum(asked) == LIMIT
    assert max(asked) <= 64
