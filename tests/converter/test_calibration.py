"""Calibration pictures are seeded, of every label, and of the training split only."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from converter.calibration import calibration_tensors, choose_calibration
from converter.errors import CalibrationError
from edge.core.dataset import LabelledPicture
from edge.core.errors import UnreadableImageError
from edge.core.images.image_file import read_image
from edge.core.images.preprocess import InputSpec, preprocess
from tests.bundles import BGR, write_picture


def pictures(**training: int) -> list[LabelledPicture]:
    """Pictures of which so many of each label are for training, and as many in the other parts."""
    return [
        LabelledPicture(Path(f"{label}/{part}{number}.jpg"), label, None, part)
        for label, count in training.items()
        for part in ("train", "validation", "test")
        for number in range(count)
    ]


def test_the_same_seed_chooses_the_same_and_another_seed_others() -> None:
    offered = pictures(can=40, glass=40)
    assert choose_calibration(offered, 20, seed=3) == choose_calibration(offered, 20, seed=3)
    assert choose_calibration(offered, 20, seed=3) != choose_calibration(offered, 20, seed=4)


def test_the_choice_never_changes_between_versions() -> None:
    chosen = choose_calibration(pictures(can=9, glass=9), 10, seed=0)
    assert [picture.path.stem for picture in chosen] == [
        "train3", "train6", "train7", "train3", "train5", "train2", "train2", "train0", "train8",
        "train5",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("training", "count", "expected"),
    [
        # the same number of each
        ({"can": 40, "glass": 40}, 20, {"can": 10, "glass": 10}),
        # a rare label gives all it has, the others fill up
        ({"can": 40, "glass": 40, "trash": 3}, 33, {"can": 15, "glass": 15, "trash": 3}),
        # what does not divide evenly
        ({"a": 9, "b": 9, "c": 9}, 10, {"a": 4, "b": 3, "c": 3}),
        # more than there are: all of them
        ({"can": 6, "glass": 7}, 200, {"can": 6, "glass": 7}),
    ],
)
def test_every_label_has_its_share(
    training: dict[str, int], count: int, expected: dict[str, int]
) -> None:
    chosen = choose_calibration(pictures(**training), count, seed=1)
    assert Counter(picture.label for picture in chosen) == expected
    assert {picture.split for picture in chosen} == {"train"}
    assert len({picture.path for picture in chosen}) == len(chosen)


@pytest.mark.parametrize(
    ("training", "count", "message"),
    [
        ({"can": 5, "glass": 4}, 100, "the training split has 9 pictures"),
        ({"can": 50, "glass": 40}, 9, "--calibration-pictures 9 is too few: give 10 or more"),
        ({str(n): 5 for n in range(12)}, 11, "give 12 or more"),
    ],
)
def test_too_few_is_an_error(training: dict[str, int], count: int, message: str) -> None:
    with pytest.raises(CalibrationError, match=message):
        choose_calibration(pictures(**training), count, seed=1)


def test_tensors_are_black_and_white_and_what_the_device_makes_of_each(tmp_path: Path) -> None:
    spec = InputSpec(height=24, width=32)
    files = [write_picture(tmp_path / f"{name}.png", bgr) for name, bgr in BGR.items()]
    tensors = calibration_tensors([LabelledPicture(file, "a") for file in files], spec)
    assert (tensors.shape, tensors.dtype) == ((5, 24, 32, 3), np.uint8)
    assert tensors[0].max() == 0
    assert tensors[1].min() == 255
    for tensor, file in zip(tensors[2:], files, strict=True):
        np.testing.assert_array_equal(tensor, preprocess(read_image(file), spec))


def test_a_picture_damaged_since_the_training_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(UnreadableImageError, match=r"a\.jpg"):
        calibration_tensors([LabelledPicture(tmp_path / "a.jpg", "a")], InputSpec())
