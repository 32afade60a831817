"""The split is drawn by content, stratified, and never parts a group."""

from collections import Counter
from pathlib import Path

import pytest

from edge.pictures import LabelledPicture
from trainer.data.split import draw, fold_pictures, split_pictures
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


@pytest.mark.parametrize("seed", range(20))
def test_shares_are_as_near_as_the_docstring_says(seed: int) -> None:
    """1,000 groups: 82 to 118 in 95 of 100 draws; the bounds here are of 9,999 in 10,000."""
    pictures = [*series("can", 1000, 1), *series("jar", 300, 3)]
    counts = Counter((p.label, p.part) for p in split_pictures(pictures, SHARES, seed=seed))
    for part in ("test", "validation"):
        assert 63 <= counts["can", part] <= 140
        assert 3 * 11 <= counts["jar", part] <= 3 * 53


def test_over_many_seeds_the_shares_are_met() -> None:
    pictures = series("can", 100, 1)
    counts = Counter(
        p.part for seed in range(200) for p in split_pictures(pictures, SHARES, seed=seed)
    )
    assert abs(counts["test"] / 20000 - 0.1) < 0.007
    assert abs(counts["validation"] / 20000 - 0.1) < 0.007


@pytest.mark.parametrize("seed", range(5))
def test_a_class_of_three_groups_has_one_in_each_part(seed: int) -> None:
    split = split_pictures([*series("can", 3, 40), *series("jar", 4, 2)], SHARES, seed=seed)
    assert {(p.label, p.part) for p in split} == {
        (label, part) for label in ("can", "jar") for part in ("train", "validation", "test")
    }


@pytest.mark.parametrize("seed", range(10))
def test_a_part_is_not_left_with_a_crumb_of_a_class(seed: int) -> None:
    """Twelve series of twenty, and one of a single picture."""
    pictures = [*series("can", 12, 20), LabelledPicture(Path("rest.jpg"), "can", "rest")]
    counts = Counter(p.part for p in split_pictures(pictures, SHARES, seed=seed))
    assert min(counts["test"], counts["validation"]) >= 20


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


def test_groups_that_are_added_move_no_other() -> None:
    few = {p.path: p.part for p in split_pictures(series("can", 100, 2), SHARES, seed=4)}
    more = {p.path: p.part for p in split_pictures(series("can", 140, 2), SHARES, seed=4)}
    assert {path: more[path] for path in few} == few


def test_what_a_group_is_known_by_decides_not_its_name() -> None:
    pictures = series("can", 50, 1)
    other = [LabelledPicture(p.path, p.label, f"other {p.group}") for p in pictures]
    names = {f"other {p.group}": str(p.group) for p in pictures}
    parts = [p.part for p in split_pictures(pictures, SHARES, seed=0)]
    assert [p.part for p in split_pictures(other, SHARES, seed=0, identities=names)] == parts
    assert [p.part for p in split_pictures(other, SHARES, seed=0)] != parts


def test_draws_are_spread_evenly() -> None:
    draws = sorted(draw(3, str(i)) for i in range(10_000))
    assert max(abs(value - i / 10_000) for i, value in enumerate(draws)) < 0.02


@pytest.mark.parametrize(("groups", "says"), [(2, "2 separate groups"), (1, "1 separate group of")])
def test_a_class_with_too_few_groups_is_refused_by_name(groups: int, says: str) -> None:
    pictures = [*series("can", 10, 1), *series("jar", groups, 5)]
    with pytest.raises(TooFewPicturesError, match=rf"'jar' has {says}.*at least 3 are needed"):
        split_pictures(pictures, SHARES, seed=0)


def given(label: str, part: str | None, group: str) -> LabelledPicture:
    return LabelledPicture(Path(f"{label}{group}.jpg"), label, group, part)


def test_parts_that_are_given_are_kept() -> None:
    parts = ("train", "validation", "test")
    pictures = [given(label, part, f"{label}{part}") for label in "ab" for part in parts]
    assert list(split_pictures(pictures, SHARES, seed=3)) == pictures


def test_what_is_added_to_a_group_goes_where_that_is() -> None:
    pictures = [*series("a", 20, 1), given("a", "validation", "x"), given("a", None, "x")]
    assert {p.part for p in split_pictures(pictures, SHARES, seed=3) if p.group == "x"} == {
        "validation"
    }


@pytest.mark.parametrize(
    ("pictures", "words"),
    [
        ([given("a", "train", "1"), given("a", "test", "1")], "'1' into test and train"),
        ([given("a", "train", "1"), given("a", "test", "2")], "none for the validation part"),
    ],
)
def test_given_parts_that_would_flatter_are_refused(
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


def test_the_same_pictures_in_another_folder_come_into_the_same_folds() -> None:
    """Also where groups are called by a picture's path, as of copies that were found."""

    def folds(folder: str) -> list[int]:
        pictures = [
            LabelledPicture(
                Path(f"{folder}/{label}/{i}.png"), label, f"{folder}/{label}/{i // 2}.png"
            )
            for label in ("can", "jar")
            for i in range(20)
        ]
        return fold_pictures(pictures, 4, seed=1)

    assert folds("/first") == folds("/second/place") == folds("/third")
