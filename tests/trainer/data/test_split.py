"""No copy and no group crosses from one split to another, and what is added moves nothing."""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from edge.core.dataset import SPLITS, LabelledPicture
from edge.core.images.image_file import Image
from edge.core.images.preprocess import InputSpec, preprocess
from tests.benchmarks.near_duplicates import planted
from tests.trainer.data.duplicates.test_near_duplicates import drawn
from trainer.data.cache import DecodedPictures
from trainer.data.groups import Before
from trainer.data.split import Split, split_pictures
from trainer.errors import TooFewPicturesError
from trainer.recipes.plan import SplitPlan

SPEC = InputSpec(height=64, width=64, geometry="squash")
BLANK = np.zeros(SPEC.shape, np.uint8)


@dataclass(frozen=True)
class Photo:
    """A picture with its content: two of the same content are the same file."""

    name: str
    content: str
    label: str = "can"
    group: str | None = None
    split: str | None = None
    source: int = 0
    image: Image | None = None

    @property
    def picture(self) -> LabelledPicture:
        path = Path(f"photos{self.source}") / self.label / self.name
        return LabelledPicture(path, self.label, self.group, self.split, self.source)


def photos(count: int, label: str = "can", *, start: int = 0, source: int = 0) -> list[Photo]:
    numbers = range(start, start + count)
    return [Photo(f"{n}.jpg", f"{label} {n}", label, source=source) for n in numbers]


def scenes(count: int, label: str = "can", *, start: int = 0) -> list[Photo]:
    return [
        replace(photo, image=drawn(start + n))
        for n, photo in enumerate(photos(count, label, start=start))
    ]


def split(
    given: Sequence[Photo],
    *,
    groups: str | None = None,
    seed: int = 0,
    near: bool = False,
    earlier: dict[str, Before] | None = None,
    absent: Sequence[Photo] = (),
) -> Split:
    given = [*given, *absent]
    tensors = [BLANK if p.image is None else preprocess(p.image, SPEC) for p in given]
    decoded = DecodedPictures(
        pictures=tuple(photo.picture for photo in given),
        tensors=np.stack(tensors),  # type: ignore[arg-type]
        digests=tuple(digest(photo.content) for photo in given),
        skipped=(),
    )
    plan = SplitPlan(validation=0.1, test=0.1, near_duplicates=near)
    return split_pictures(
        decoded,
        plan,
        groups=groups,
        seed=seed,
        spec=SPEC,
        earlier=earlier,
        absent=len(absent),
    )


def digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def digested(by_content: dict[str, str]) -> dict[str, Before]:
    return {digest(content): Before(split, "") for content, split in by_content.items()}


def splits(given: Sequence[Photo], **options: object) -> dict[str, str]:
    """By content, so that names do not matter."""
    found = split(given, **options)  # type: ignore[arg-type]
    return {given[i].content: str(p.split) for i, p in zip(found.kept, found.pictures, strict=True)}


def test_every_picture_has_a_part_and_a_group() -> None:
    given = [*photos(60), *photos(40, "jar")]
    found = split(given)
    assert [p.path for p in found.pictures] == [photo.picture.path for photo in given]
    assert found.kept.tolist() == list(range(100))
    assert {p.split for p in found.pictures} == {"train", "validation", "test"}
    assert len({p.group for p in found.pictures}) == 100
    assert (found.left_out, found.notes, found.pairs) == ((), (), ())


def test_names_and_the_order_of_files_change_nothing() -> None:
    given = [*photos(80), *photos(40, "jar")]
    shuffled = [replace(photo, name=f"IMG_{i}.png") for i, photo in enumerate(given)]
    random.Random(1).shuffle(shuffled)
    assert splits(shuffled) == splits(given)
    assert splits(given, seed=1) != splits(given)


@pytest.mark.parametrize("source", [0, 1], ids=["in the same folder", "by --add"])
@pytest.mark.parametrize("groups", [None, "blocks:2"])
def test_pictures_that_are_added_move_none_of_the_old(source: int, groups: str | None) -> None:
    """Those of the same folder, where the earlier splits are given."""
    given = [*photos(151), *photos(90, "jar")]
    more = [*photos(60, start=500, source=source), *photos(30, "jar", start=500, source=source)]
    before = splits(given, groups=groups)
    after = splits([*more, *given], groups=groups, earlier=None if source else digested(before))
    assert {content: after[content] for content in before} == before
    assert len(after) == 331
    for label, total in (("can", 211), ("jar", 120)):
        counts = Counter(split for content, split in after.items() if content.startswith(label))
        assert abs(counts["test"] - 0.1 * total) <= 1
        assert abs(counts["validation"] - 0.1 * total) <= 1


def test_of_a_folder_that_has_grown_a_block_stays_with_its_old_pictures() -> None:
    """Pictures 100 and 101 are of one block, and the second came later."""
    given = photos(101)
    before = {photo.content: "train" for photo in given} | {"can 100": "test"}
    before |= {"can 0": "validation", "can 1": "validation"}
    more = photos(1, start=101)
    grown = splits([*given, *more], groups="blocks:2", earlier=digested(before))
    assert grown["can 101"] == grown["can 100"] == "test"


def test_the_same_file_twice_lies_in_one_part() -> None:
    given = [*photos(60), *(replace(photo, name=f"again{photo.name}") for photo in photos(60))]
    found = split(given)
    assert [p.split for p in found.pictures[:60]] == [p.split for p in found.pictures[60:]]
    assert len({p.group for p in found.pictures}) == 60
    assert len(found.pairs) == 60


@pytest.mark.parametrize("seed", range(3))
def test_near_duplicates_are_never_separated(seed: int) -> None:
    given = [*scenes(30), *scenes(30, "jar", start=100)]
    rng = np.random.default_rng(seed)
    changes = ("cropped", "flipped", "darker", "encoded")
    copies = [
        Photo(f"copy{i}.jpg", f"copy {i}", given[i].label, image=planted(given[i].image, c, rng))  # type: ignore[arg-type]
        for i, c in zip(range(0, 60, 5), changes * 3, strict=True)
    ]
    found = split([*given, *copies], seed=seed, near=True)
    assert {(p.first, p.second) for p in found.pairs} == {(5 * n, 60 + n) for n in range(12)}
    assert all(found.pictures[p.first].split == found.pictures[p.second].split for p in found.pairs)
    apart = split([*given, *copies], seed=seed)
    assert apart.pairs == ()
    assert any(apart.pictures[5 * n].split != apart.pictures[60 + n].split for n in range(12))


def test_copies_join_the_groups_they_lie_in() -> None:
    given = [
        *(replace(photo, group=f"g{i // 4}") for i, photo in enumerate(photos(80))),
        Photo("x.jpg", "can 0", group="gx"),
        Photo("y.jpg", "y", group="gx"),
    ]
    found = split(given, groups="column:group")
    groups = {p.path.name: p.group for p in found.pictures}
    assert groups["0.jpg"] == groups["3.jpg"] == groups["x.jpg"] == groups["y.jpg"] == "g0"


# Pictures that came later


def by_part(given: Sequence[Photo]) -> dict[str, list[Photo]]:
    placed = splits(given)
    return {
        split: [p for p in given if placed[p.content] == split]
        for split in ("train", "validation", "test")
    }


def test_a_later_copy_joins_its_original() -> None:
    given = photos(60)
    old = by_part(given)
    copies = [replace(old[split][0], name=f"{split}.jpg", source=1) for split in ("train", "test")]
    found = split([*given, *copies])
    assert [p.split for p in found.pictures[60:]] == ["train", "test"]


def test_what_would_join_two_parts_is_left_out_and_told() -> None:
    """A newcomer of a group of two, copies of pictures of two splits."""
    given = photos(60)
    old = by_part(given)
    one, other = old["train"][0], old["test"][0]
    new = [
        replace(one, name="one.jpg", source=1, group="pair"),
        replace(other, name="other.jpg", source=1, group="pair"),
        Photo("fine.jpg", "fine", source=1),
    ]
    found = split([*given, *new])
    assert found.kept.tolist() == [*range(60), 62]
    assert len(found.left_out) == 2
    assert "photos1/can/one.jpg: a copy of photos0/can/" in found.left_out[0]
    assert "and cannot lie in two splits" in found.left_out[0]
    assert {p.split for p in found.pictures[:60]} == {"train", "validation", "test"}
    assert [p.split for p in found.pictures[:60]] == [p.split for p in split(given).pictures]


def test_a_later_near_duplicate_of_two_parts_is_left_out() -> None:
    """Two pictures side by side, of which each is a part of the third."""
    given = scenes(40)
    before = split(given, near=True)
    train = next(i for i, p in enumerate(before.pictures) if p.split == "train")
    test = next(i for i, p in enumerate(before.pictures) if p.split == "test")
    rng = np.random.default_rng(0)
    new = [
        Photo("a.jpg", "a", group="g", source=1, image=planted(given[train].image, "flipped", rng)),  # type: ignore[arg-type]
        Photo("b.jpg", "b", group="g", source=1, image=planted(given[test].image, "darker", rng)),  # type: ignore[arg-type]
    ]
    after = split([*new, *given], near=True)
    assert len(after.left_out) == 2
    assert [p.split for p in after.pictures] == [p.split for p in before.pictures]


def test_a_new_class_comes_into_every_part() -> None:
    found = split([*photos(60), *photos(30, "jar", source=1)])
    assert {p.split for p in found.pictures if p.label == "jar"} == {"train", "validation", "test"}


# Sets that come divided


def divided(**counts: int) -> list[Photo]:
    return [
        Photo(f"{split}{n}.jpg", f"{label} {split} {n}", label, split=split)
        for label in ("can", "jar")
        for split, count in counts.items()
        for n in range(count)
    ]


def test_given_parts_stay() -> None:
    given = divided(train=20, validation=5, test=5)
    assert [p.split for p in split(given).pictures] == [photo.split for photo in given]


@pytest.mark.parametrize(
    ("counts", "tested"),
    [({"train": 100, "test": 20}, "test"), ({"train": 100, "validation": 20}, "validation")],
)
def test_what_a_divided_set_lacks_is_taken_out_of_train(
    counts: dict[str, int], tested: str
) -> None:
    given = divided(**counts)
    found = split(given)
    was = Counter((photo.split, p.split) for photo, p in zip(given, found.pictures, strict=True))
    assert was[tested, "test"] == 40
    assert 8 <= was["train", "validation"] <= 34
    assert was["train", "train"] + was["train", "validation"] == 200


def test_a_picture_to_train_on_that_is_a_copy_of_one_to_test_on_is_left_out() -> None:
    given = divided(train=30, validation=10, test=10)
    test, validation = given[40], given[30]
    given += [
        replace(test, name="seen.jpg", split="train"),
        replace(validation, name="known.jpg", split="train"),
        replace(test, name="twice.jpg"),
    ]
    found = split(given)
    assert found.kept.tolist() == [*range(100), 102]
    assert found.left_out == (
        "photos0/can/seen.jpg: a copy of photos0/can/test0.jpg (test), and cannot lie in two "
        "splits",
        "photos0/can/known.jpg: a copy of photos0/can/validation0.jpg (validation), and cannot lie "
        "in two splits",
    )


def test_what_is_left_to_draw_of_a_divided_set_never_joins_its_test_part() -> None:
    given = divided(train=40, test=10)
    given.append(replace(given[40], name="seen.jpg", split="train"))
    found = split(given)
    assert found.kept.tolist() == list(range(100))
    assert len(found.left_out) == 1


def test_pictures_added_to_a_divided_set_leave_its_test_part_as_it_is() -> None:
    given = divided(train=40, test=10)
    found = split([*given, *photos(100, start=900, source=1)])
    assert {p.split for p in found.pictures[100:]} == {"train", "validation"}


@pytest.mark.parametrize("tested", ["test", "validation"])
def test_a_divided_set_that_has_grown_keeps_its_earlier_splits(tested: str) -> None:
    """Also the validation split that was drawn from those to train on."""
    given = divided(train=100, **{tested: 20})
    before = splits(given)
    assert set(before.values()) == set(SPLITS)
    more = [
        replace(photo, name=f"later-{photo.name}", content=f"later {photo.content}")
        for photo in divided(train=40, **{tested: 10})
    ]
    # Another seed would draw another validation split.
    after = splits([*more, *given], seed=1, earlier=digested(before))
    assert {content: after[content] for content in before} == before
    drawn_anew = Counter(
        (photo.split, after[photo.content]) for photo in more if photo.content in after
    )
    assert drawn_anew[tested, "test"] == 20
    assert drawn_anew["train", "test"] == 0
    assert drawn_anew["train", "train"] + drawn_anew["train", "validation"] == 80


def test_what_was_trained_on_is_not_tested_on_though_it_lies_among_the_test_pictures_now() -> None:
    given = divided(train=20, validation=5, test=5)
    before = splits(given)
    moved = [replace(given[0], split="test"), *given[1:]]
    assert splits(moved, earlier=digested(before)) == before


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([Photo("a", "a", split="train"), Photo("b", "b")], "fill it in every line"),
        (
            [Photo("a", "a", group="1", split="train"), Photo("b", "b", group="1", split="test")],
            r"group '1' is given train .* and test .*: a group must stay in one split",
        ),
        (photos(2), "2 separate groups"),
        ([Photo(str(i), "the same") for i in range(9)], "1 separate group of pictures"),
        (divided(train=3, validation=2, test=1)[:-1], "none for the test split"),
    ],
)
def test_what_cannot_be_divided_is_refused(given: list[Photo], says: str) -> None:
    with pytest.raises(TooFewPicturesError, match=says):
        split(given)


def test_a_class_whose_pictures_are_all_alike_is_divided_and_told() -> None:
    """An empty belt before a camera that never moves."""
    rng = np.random.default_rng(0)
    belt = drawn(500)
    empty = [
        Photo(f"{n}.jpg", f"empty {n}", "empty", image=planted(belt, "encoded", rng))
        for n in range(12)
    ]
    found = split([*scenes(20), *empty], near=True)
    assert {p.split for p in found.pictures if p.label == "empty"} == {
        "train", "validation", "test",
    }  # fmt: skip
    assert found.notes[0].startswith("empty: nearly all its pictures are copies of one another")


@pytest.mark.parametrize("where", SPLITS)
def test_a_copy_of_what_is_not_given_any_more_comes_to_where_that_lay(where: str) -> None:
    """And with it what is of its group; what is not given counts for no share."""
    old = [replace(photo, split=where, group=f"old {photo.name}") for photo in scenes(3)]
    image = planted(drawn(0), "encoded", np.random.default_rng(0))
    new = [replace(photo, name=f"new{photo.name}") for photo in scenes(30, start=100)]
    new[7] = replace(new[7], content="saved again", image=image, group="one thing")
    new[8] = replace(new[8], group="one thing")
    before = {digest(photo.content): Before(where, str(photo.group)) for photo in old}
    found = split(new, near=True, earlier=before, absent=old)
    assert found.kept.tolist() == list(range(30))
    assert [found.pictures[i].split for i in (7, 8)] == [where, where]
    assert {found.pictures[i].group for i in (7, 8)} == {"old 0.jpg"}
    counts = Counter(picture.split for picture in found.pictures)
    assert counts["test"] == counts["validation"] == 3
    assert (found.left_out, found.pairs) == ((), ())


def test_what_is_of_the_group_of_two_splits_of_an_earlier_run_is_left_out() -> None:
    given = photos(40)
    before = {
        digest(photo.content): Before(SPLITS[i % 3], photo.name) for i, photo in enumerate(given)
    }
    found = split([*given[:2], *given[3:]], groups="blocks:3", earlier=before)
    assert not found.left_out
    del before[digest("can 2")]
    found = split(given[::-1], groups="blocks:3", earlier=before)
    (line,) = found.left_out
    assert re.fullmatch(
        r"photos0/can/2.jpg: of the group of .*, and cannot lie in two splits", line
    )
    assert not found.pairs


def test_a_class_of_which_an_earlier_run_tested_nothing_is_told_so() -> None:
    given = [*photos(20), *photos(10, "jar")]
    before = splits(given) | {f"jar {number}": "train" for number in range(10)}
    with pytest.raises(TooFewPicturesError, match="'jar' has 10 groups of pictures, all with a sp"):
        split(given, earlier=digested(before))
