"""The split is seeded, stratified and never parts a group."""

from collections import Counter
from pathlib import Path

import pytest

from edge.pictures import LabelledPicture
from trainer.data.split import fold_pictures, split_pictures
from trainer.errors import TooFewPicturesError

SHARES = {"validation": 0.1, "test": 0.1}


def series(label: str, groups: int, size: int) -> list[LabelledPicture]:
    return [
        LabelledPicture(Path(f"{label}{number}.jpg"), label, f"{label}/{number // size}")
        for number in range(groups * size)
    ]


def test_no_group_lands_in_two_parts() -> None:
    split = split_pictures([*series("can", 20, 20), *series("jar", 7, 13)], SHARES, seed=1)
    parts: dict[str, set[str]] = {}
    for picture in split:
        parts.setdefault(str(picture.group), set()).add(str(picture.part))
    assert all(len(found) == 1 for found in parts.values())


@pytest.mark.parametrize("seed", range(5))
def test_every_class_is_divided_by_the_shares(seed: int) -> None:
    pictures = [*series("can", 50, 4), *series("jar", 100, 1)]
    counts = Counter((p.label, p.part) for p in split_pictures(pictures, SHARES, seed=seed))
    assert counts["can", "test"] == counts["can", "validation"] == 20
    assert counts["jar", "test"] == counts["jar", "validation"] == 10
    assert counts["can", "train"] == 160


def test_a_class_of_three_groups_has_one_in_each_part() -> None:
    split = split_pictures([*series("can", 3, 40), *series("jar", 3, 2)], SHARES, seed=0)
    assert {(p.label, p.part) for p in split} == {
        (label, part) for label in ("can", "jar") for part in ("train", "validation", "test")
    }


def test_the_seed_decides() -> None:
    pictures = series("can", 30, 3)
    first, again, other = (split_pictures(pictures, SHARES, seed=s) for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_order_of_files_does_not_matter() -> None:
    pictures = series("can", 30, 3)
    assert set(split_pictures(pictures, SHARES, seed=1)) == set(
        split_pictures(pictures[::-1], SHARES, seed=1)
    )


def test_a_class_with_two_pictures_is_refused_by_name() -> None:
    pictures = [*series("can", 10, 1), *series("jar", 2, 1)]
    with pytest.raises(TooFewPicturesError, match=r"'jar' has 2 separate groups.*2 pictures"):
        split_pictures(pictures, SHARES, seed=0)


def given(label: str, part: str | None, group: str) -> LabelledPicture:
    return LabelledPicture(Path(f"{label}{group}.jpg"), label, group, part)


def test_a_manifest_split_is_kept() -> None:
    parts = ("train", "validation", "test")
    pictures = [given(label, part, f"{label}{part}") for label in "ab" for part in parts]
    assert list(split_pictures(pictures, SHARES, seed=3)) == pictures


@pytest.mark.parametrize(
    ("pictures", "words"),
    [
        ([given("a", "train", "1"), given("a", None, "2")], "fill it in every line"),
        ([given("a", "train", "1"), given("a", "test", "1")], "into train and test"),
        ([given("a", "train", "1"), given("a", "test", "2")], "'a' in part validation"),
    ],
)
def test_a_manifest_split_that_would_flatter_is_refused(
    pictures: list[LabelledPicture], words: str
) -> None:
    with pytest.raises(TooFewPicturesError, match=words):
        split_pictures(pictures, SHARES, seed=0)


def test_folds_are_even_and_keep_groups() -> None:
    pictures = [*series("can", 12, 5), *series("jar", 9, 5)]
    folds = fold_pictures(pictures, 3, seed=4)
    assert Counter(zip(folds, (p.label for p in pictures), strict=True)) == {
        **{(fold, "can"): 20 for fold in range(3)},
        **{(fold, "jar"): 15 for fold in range(3)},
    }
    assert len({(p.group, f) for p, f in zip(pictures, folds, strict=True)}) == 21
