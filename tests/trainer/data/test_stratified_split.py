"""The split is drawn by content, meets the shares class by class, and never parts a group."""

import random
from collections import Counter
from pathlib import Path

import pytest

from edge.core.dataset import LabelledPicture
from trainer.data.stratified_split import draw, fold_pictures, stratified_split
from trainer.errors import TooFewPicturesError

SHARES = {"validation": 0.1, "test": 0.1}


def series(label: str, groups: int, size: int) -> list[LabelledPicture]:
    return [
        LabelledPicture(Path(f"{label}{number}.jpg"), label, f"{label}/{number // size}")
        for number in range(groups * size)
    ]


def test_no_group_lands_in_two_parts() -> None:
    split = stratified_split([*series("can", 20, 20), *series("jar", 7, 13)], SHARES, seed=1)
    splits: dict[str, set[str]] = {}
    for picture in split:
        splits.setdefault(str(picture.group), set()).add(str(picture.split))
    assert all(len(found) == 1 for found in splits.values())


def wanted(total: int) -> dict[str, float]:
    return {"train": 0.8 * total, "validation": 0.1 * total, "test": 0.1 * total}


@pytest.mark.parametrize("total", [*range(5, 60), 99, 315, 474])
def test_every_class_is_within_one_picture_of_the_wanted_counts(total: int) -> None:
    pictures = [*series("can", total, 1), *series("jar", 2 * total + 1, 1)]
    for seed in range(3):
        counts = Counter((p.label, p.split) for p in stratified_split(pictures, SHARES, seed=seed))
        for label, size in (("can", total), ("jar", 2 * total + 1)):
            for split, count in wanted(size).items():
                assert abs(counts[label, split] - count) <= 1
                assert counts[label, split] >= 1


@pytest.mark.parametrize("seed", range(10))
def test_groups_bring_each_part_to_within_half_a_group(seed: int) -> None:
    """Sizes drawn anew for each seed; at least one group always."""
    rng = random.Random(seed)
    sizes = [rng.randint(1, 12) for _ in range(rng.randint(8, 60))]
    pictures = [
        LabelledPicture(Path(f"{group}-{i}.jpg"), "can", str(group))
        for group, size in enumerate(sizes)
        for i in range(size)
    ]
    counts = Counter(p.split for p in stratified_split(pictures, SHARES, seed=seed))
    for split in ("test", "validation"):
        smallest = min(sizes)  # where a split's first group is larger than all that it wants
        allowed = max(max(sizes) / 2, smallest - wanted(len(pictures))[split])
        assert abs(counts[split] - wanted(len(pictures))[split]) <= allowed


@pytest.mark.parametrize("shares", [(0.0, 0.1), (0.3, 0.3), (0.45, 0.45), (0.02, 0.2)])
@pytest.mark.parametrize("total", [3, 7, 40])
def test_other_shares_leave_every_part_a_group(shares: tuple[float, float], total: int) -> None:
    split = stratified_split(
        series("can", total, 1), dict(zip(("test", "validation"), shares, strict=True)), seed=0
    )
    counts = Counter(p.split for p in split)
    assert min(counts[split] for split in ("train", "validation", "test")) >= 1
    if total == 40:
        assert abs(counts["test"] - max(1, 40 * shares[0])) <= 1
        assert abs(counts["validation"] - 40 * shares[1]) <= 1


@pytest.mark.parametrize("seed", range(5))
def test_a_class_of_three_groups_has_one_in_each_part(seed: int) -> None:
    split = stratified_split([*series("can", 3, 40), *series("jar", 4, 2)], SHARES, seed=seed)
    assert {(p.label, p.split) for p in split} == {
        (label, split) for label in ("can", "jar") for split in ("train", "validation", "test")
    }


@pytest.mark.parametrize("seed", range(10))
def test_a_part_is_not_left_with_a_crumb_of_a_class(seed: int) -> None:
    """Twelve series of twenty, and one of a single picture."""
    pictures = [*series("can", 12, 20), LabelledPicture(Path("rest.jpg"), "can", "rest")]
    counts = Counter(p.split for p in stratified_split(pictures, SHARES, seed=seed))
    assert min(counts["test"], counts["validation"]) >= 20


def test_the_seed_decides() -> None:
    pictures = series("can", 30, 3)
    first, again, other = (stratified_split(pictures, SHARES, seed=s) for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_order_of_files_does_not_matter() -> None:
    pictures = series("can", 30, 3)
    assert set(stratified_split(pictures, SHARES, seed=1)) == set(
        stratified_split(pictures[::-1], SHARES, seed=1)
    )


@pytest.mark.parametrize("seed", range(8))
def test_pictures_that_are_added_move_none_and_bring_the_whole_to_the_shares(seed: int) -> None:
    """A set of any size that grows five times by any number."""
    rng = random.Random(seed)
    placed: tuple[LabelledPicture, ...] = ()
    total = 0
    for _ in range(6):
        more = rng.randint(3, 60) if not total else rng.randint(1, 40)
        new = series("can", total + more, 1)[total:]
        before = {p.path: p.split for p in placed}
        placed = stratified_split([*placed, *new], SHARES, seed=seed)
        total += more
        assert {p.path: p.split for p in placed if p.path in before} == before
        counts = Counter(p.split for p in placed)
        for split, count in wanted(total).items():
            assert abs(counts[split] - count) <= (1 if total >= 5 else 1.5)


def test_a_set_that_has_grown_without_its_parts_moves_only_the_edges_of_the_parts() -> None:
    few = {p.path: p.split for p in stratified_split(series("can", 400, 1), SHARES, seed=4)}
    more = {p.path: p.split for p in stratified_split(series("can", 500, 1), SHARES, seed=4)}
    moved = [(few[path], more[path]) for path in few if more[path] != few[path]]
    assert 0 < len(moved) < 20
    assert {"test", "validation"}.isdisjoint(pair[0] for pair in moved if pair[1] != "train")


def test_what_a_group_is_known_by_decides_not_its_name() -> None:
    pictures = series("can", 50, 1)
    other = [LabelledPicture(p.path, p.label, f"other {p.group}") for p in pictures]
    names = {f"other {p.group}": str(p.group) for p in pictures}
    splits = [p.split for p in stratified_split(pictures, SHARES, seed=0)]
    assert [p.split for p in stratified_split(other, SHARES, seed=0, identities=names)] == splits
    assert [p.split for p in stratified_split(other, SHARES, seed=0)] != splits


def test_draws_are_spread_evenly() -> None:
    draws = sorted(draw(3, str(i)) for i in range(10_000))
    assert max(abs(value - i / 10_000) for i, value in enumerate(draws)) < 0.02


@pytest.mark.parametrize(("groups", "says"), [(2, "2 separate groups"), (1, "1 separate group of")])
def test_a_class_with_too_few_groups_is_refused_by_name(groups: int, says: str) -> None:
    pictures = [*series("can", 10, 1), *series("jar", groups, 5)]
    with pytest.raises(TooFewPicturesError, match=rf"'jar' has {says}.*at least 3 are needed"):
        stratified_split(pictures, SHARES, seed=0)


def given(label: str, split: str | None, group: str) -> LabelledPicture:
    return LabelledPicture(Path(f"{label}{group}.jpg"), label, group, split)


def test_parts_that_are_given_are_kept() -> None:
    splits = ("train", "validation", "test")
    pictures = [given(label, split, f"{label}{split}") for label in "ab" for split in splits]
    assert list(stratified_split(pictures, SHARES, seed=3)) == pictures


def test_what_is_added_to_a_group_goes_where_that_is() -> None:
    pictures = [*series("a", 20, 1), given("a", "validation", "x"), given("a", None, "x")]
    assert {p.split for p in stratified_split(pictures, SHARES, seed=3) if p.group == "x"} == {
        "validation"
    }


@pytest.mark.parametrize(
    ("pictures", "words"),
    [
        ([given("a", "train", "1"), given("a", "test", "1")], "'1' into test and train"),
        ([given("a", "train", "1"), given("a", "test", "2")], "none for the validation split"),
    ],
)
def test_given_parts_that_would_flatter_are_refused(
    pictures: list[LabelledPicture], words: str
) -> None:
    with pytest.raises(TooFewPicturesError, match=words):
        stratified_split(pictures, SHARES, seed=0)


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
