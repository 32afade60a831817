"""Copies are found however they were changed, and different pictures are not taken for copies."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from edge.core.dataset import read_picture_set
from edge.core.images.image_file import Image, read_image
from edge.core.images.preprocess import InputSpec, preprocess
from tests.benchmarks.near_duplicates import CHANGES, measure, planted
from trainer.data.duplicates.near_duplicates import find_near_duplicates

SPEC = InputSpec(height=128, width=128, geometry="squash")


def drawn(number: int, *, noise: int = 0) -> Image:
    """A scene of its own for each number: a few dozen shapes on a soft background.

    `noise` moves every shape by a pixel or two, as between two photographs by hand.
    """
    rng, shake = np.random.default_rng(number), np.random.default_rng(1000 + noise)
    image = np.full((192, 256, 3), rng.integers(90, 200, 3), np.uint8)
    for _ in range(40):
        place = rng.integers(0, (256, 192)) + (shake.integers(-3, 4, 2) if noise else 0)
        x, y = (int(v) for v in place)
        colour = tuple(int(v) for v in rng.integers(40, 190, 3))
        size = int(rng.integers(6, 40))
        if rng.random() < 0.5:
            cv2.circle(image, (x, y), size // 2, colour, -1)
        else:
            cv2.rectangle(image, (x, y), (x + size, y + size // 2), colour, -1)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 1), np.uint8)


def tensors(images: list[Image], spec: InputSpec = SPEC) -> npt.NDArray[np.uint8]:
    return np.stack([preprocess(image, spec) for image in images])


def pairs(found: npt.NDArray[np.uint8], spec: InputSpec = SPEC) -> list[tuple[int, int]]:
    return [(pair.first, pair.second) for pair in find_near_duplicates(found, spec)]


@pytest.fixture(scope="module")
def scenes() -> list[Image]:
    return [drawn(number) for number in range(40)]


@pytest.mark.parametrize("geometry", ["squash", "letterbox"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found_and_nothing_else(
    scenes: list[Image], change: str, geometry: str
) -> None:
    spec = SPEC.model_copy(update={"geometry": geometry})
    copies = [planted(scenes[i], change, np.random.default_rng(i)) for i in range(6)]
    assert pairs(tensors([*scenes, *copies], spec), spec) == [(i, 40 + i) for i in range(6)]


@pytest.mark.parametrize(
    ("change", "how"),
    [
        ("exact", "identical"),
        ("encoded", "resized or saved again"),
        ("flipped", "mirrored"),
        ("cropped", "cropped"),
        ("darker", "in another light"),
        ("cropped, flipped", "mirrored, cropped"),
    ],
)
def test_what_was_done_to_a_copy_is_said(scenes: list[Image], change: str, how: str) -> None:
    copy = planted(scenes[3], change, np.random.default_rng(1))
    (pair,) = find_near_duplicates(tensors([*scenes, copy]), SPEC)
    assert (pair.first, pair.second, pair.how) == (3, 40, how)
    assert pair.similarity == 1 if change == "exact" else 0.8 < pair.similarity <= 1


def test_another_photograph_of_the_same_things_is_no_copy(scenes: list[Image]) -> None:
    assert pairs(tensors([*scenes, *(drawn(number, noise=1) for number in range(10))])) == []


def test_another_thing_before_the_same_background_is_no_copy() -> None:
    shelf = drawn(7)
    other = shelf.copy()
    cv2.circle(other, (120, 90), 24, (30, 30, 200), -1)
    cv2.circle(other, (120, 90), 12, (230, 230, 30), -1)
    assert pairs(tensors([shelf, other, *(drawn(n) for n in range(20, 40))])) == []


def test_another_colour_is_no_copy(scenes: list[Image]) -> None:
    recoloured = np.ascontiguousarray(scenes[0][:, :, ::-1])
    grey = cv2.cvtColor(scenes[0], cv2.COLOR_BGR2GRAY).astype(float)
    # The same lightness everywhere, so that nothing but the colour tells the two apart.
    gain = grey / np.maximum(cv2.cvtColor(recoloured, cv2.COLOR_BGR2GRAY), 1)
    recoloured = np.clip(recoloured * gain[:, :, None], 0, 255).astype(np.uint8)
    assert pairs(tensors([*scenes, recoloured])) == []


def test_pictures_of_nothing_are_no_copies_of_one_another() -> None:
    """An empty belt, photographed again and again: but the same file twice is a copy."""
    rng = np.random.default_rng(0)
    belts = [
        np.clip(rng.normal(120 + i, 1.5, (192, 256, 3)), 0, 255).astype(np.uint8) for i in range(8)
    ]
    assert pairs(tensors([*belts, belts[2]])) == [(2, 8)]


@pytest.mark.parametrize("size", [(28, 1), (28, 3), (300, 3)])
def test_small_grey_and_large_pictures_have_copies_too(
    scenes: list[Image], size: tuple[int, int]
) -> None:
    side, channels = size
    spec = InputSpec(height=side, width=side, channels=channels, geometry="squash")  # type: ignore[arg-type]
    copies = [planted(scenes[0], "exact", np.random.default_rng(0)), scenes[1][:, ::-1].copy()]
    assert pairs(tensors([*scenes, *copies], spec), spec) == [(0, 40), (1, 41)]


def test_only_pairs_with_a_later_picture_are_looked_for(scenes: list[Image]) -> None:
    both = tensors([*scenes, scenes[5], scenes[6]])
    found = find_near_duplicates(both, SPEC, since=41)
    assert [(pair.first, pair.second) for pair in found] == [(6, 41)]


def test_pictures_are_read_a_few_at_a_time(scenes: list[Image]) -> None:
    class Rows:
        def __init__(self, rows: npt.NDArray[np.uint8]) -> None:
            self.rows = rows

        def __len__(self) -> int:
            return len(self.rows)

        def __getitem__(self, index: int | npt.NDArray[np.intp]) -> npt.NDArray[np.uint8]:
            assert isinstance(index, int) or len(index) <= 256
            return self.rows[index]

    many = tensors([*(scenes * 7), scenes[0]])
    found = find_near_duplicates(Rows(many), SPEC)
    groups = {frozenset(pair) for pair in ((p.first % 40, p.second % 40) for p in found)}
    assert groups == {frozenset({i}) for i in range(40)}


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_to_have_a_pair(count: int) -> None:
    assert find_near_duplicates(np.zeros((count, 64, 64, 3), np.uint8)) == ()


@pytest.mark.parametrize("name", ["shoes", "trashnet"])
def test_copies_among_photographs(shared: Path, name: str) -> None:
    pictures = read_picture_set(shared / "data" / name).pictures[::5][:200]
    result = measure([read_image(picture.path) for picture in pictures], copies=60, seed=3)
    assert result.found().count >= 57
    assert result.false == []
