"""Pictures of one object stay together."""

from dataclasses import replace
from pathlib import Path

import pytest

from edge.core.dataset import LabelledPicture, read_picture_set
from trainer.data.groups import Before, assign_groups, group_column, join_copies, regrouped
from trainer.errors import GroupError


def pictures(*names: str, label: str = "can") -> list[LabelledPicture]:
    return [LabelledPicture(Path("photos") / label / name, label) for name in names]


def groups(plan: str | None, *names: str) -> list[str | None]:
    return [picture.group for picture in assign_groups(pictures(*names), plan)]


def test_without_a_plan_every_picture_is_its_own_group() -> None:
    found = groups(None, "1.jpg", "2.jpg")
    assert len(set(found)) == 2
    assert None not in found


def test_without_a_plan_a_manifest_group_is_kept() -> None:
    given = [LabelledPicture(Path("a.jpg"), "can", group="shelf 3")]
    assert assign_groups(given, None)[0].group == "shelf 3"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["can1.jpg", "can20.jpg", "can21.jpg"], ["can/0", "can/0", "can/1"]),
        (["can0.jpg", "can19.jpg", "can20.jpg"], ["can/0", "can/0", "can/1"]),  # counted from 0
        (["can61.jpg", "can80.jpg", "can81.jpg"], ["can/3", "can/3", "can/4"]),  # gaps move none
        (["v2_007.jpg", "v2_041.jpg"], ["can/0", "can/2"]),  # the last number counts
    ],
)
def test_blocks_follow_the_number_in_the_name(names: list[str], expected: list[str]) -> None:
    assert groups("blocks:20", *names) == expected


def test_blocks_of_two_classes_are_apart() -> None:
    both = [*pictures("1.jpg"), *pictures("1.jpg", label="jar")]
    assert len({picture.group for picture in assign_groups(both, "blocks:20")}) == 2


@pytest.mark.parametrize(
    ("plan", "expected"),
    [(r"pattern:obj(\d+)", ["7", "7", "8"]), (r"pattern:obj\d+", ["obj7", "obj7", "obj8"])],
)
def test_a_pattern_takes_its_first_group_or_all_it_matches(plan: str, expected: list[str]) -> None:
    assert groups(plan, "obj7_a.jpg", "obj7_b.jpg", "obj8_a.jpg") == expected


@pytest.mark.parametrize(
    ("plan", "names", "words"),
    [
        ("blocks:0", ["1.jpg"], "N at least 1"),
        ("blocks:x", ["1.jpg"], "blocks:x"),
        ("rows:20", ["1.jpg"], "blocks:N"),
        ("blocks:20", ["left.jpg"], "left.jpg has no number"),
        ("pattern:(", ["1.jpg"], "no regular expression"),
        ("pattern:obj", ["1.jpg"], "matches nothing in photos/can/1.jpg"),
        ("column:shelf", ["1.jpg"], "photos/can/1.jpg has no group"),
    ],
)
def test_a_plan_that_does_not_fit_says_why(plan: str, names: list[str], words: str) -> None:
    with pytest.raises(GroupError, match=words.replace("(", r"\(")):
        groups(plan, *names)


def test_copies_join_their_groups() -> None:
    """`a` and `c` are copies, so are `d` and `e`, and `b` is of the group of `c`."""
    given = [
        LabelledPicture(Path(name), "can", group)
        for name, group in zip("abcde", ["1", "2", "2", "3", "4"], strict=True)
    ]
    joined = [p.group for p in join_copies(given, [(0, 2), (4, 3)])]
    assert joined == ["1", "1", "1", "3", "3"]


def test_blocks_of_pictures_that_came_later_are_a_series_of_their_own() -> None:
    later = [replace(picture, source=1) for picture in pictures("1.jpg", "25.jpg")]
    found = assign_groups([*pictures("1.jpg", "25.jpg"), *later], "blocks:20")
    assert [p.group for p in found] == ["can/0", "can/1", "can+1/0", "can+1/1"]


def test_any_column_of_a_manifest_can_name_the_groups(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.jpg").touch()
    manifest = tmp_path / "set.csv"
    manifest.write_text("path,label,group,shelf\na.jpg,can,1,x\nb.jpg,can,2,x\nc.jpg,jar,3,y\n")
    for plan, expected in (("column:shelf", ["x", "x", "y"]), (None, ["1", "2", "3"])):
        found = read_picture_set(manifest, group_column=group_column(plan))
        assert [p.group for p in assign_groups(found.pictures, plan)] == expected


def again(given: list[LabelledPicture], before: dict[str, Before], plan: str | None):  # type: ignore[no-untyped-def]
    """The pictures, each of a file whose digest is its name, after an earlier run."""
    digests = [picture.path.stem for picture in given]
    return regrouped(assign_groups(given, plan), digests, before, plan)


def test_known_pictures_keep_their_groups_and_what_is_new_of_these_comes_to_them() -> None:
    """The label is another one than then, and so is the name of the block."""
    given = pictures("1.jpg", "2.jpg", "3.jpg", "41.jpg", label="metal")
    before = {"1": Before("test", "can/0"), "2": Before("test", "can/0")}
    found = again(given, before, "blocks:20")
    assert [picture.group for picture in found.pictures] == ["can/0"] * 3 + ["metal/2"]
    assert (found.links, found.notes) == ((), ())


def test_a_block_that_the_earlier_run_divided_stays_divided_and_is_told() -> None:
    """What is new of it is linked to both sides, and so can lie on neither."""
    before = {"1": Before("test", "can/0"), "2": Before("train", "paper/0")}
    found = again(pictures("1.jpg", "2.jpg", "3.jpg", label="other"), before, "blocks:20")
    assert [picture.group for picture in found.pictures] == ["can/0", "paper/0", "other/0"]
    assert found.links == ((0, 2), (1, 2))
    assert found.notes[0].startswith("1 group lies in several splits of the earlier run")


@pytest.mark.parametrize(("plan", "group"), [("blocks:20", "can/0+"), ("pattern:can", "can")])
def test_blocks_of_another_series_are_others_and_what_the_user_named_is_the_same(
    plan: str, group: str
) -> None:
    before = {"old": Before("test", "can/0"), "older": Before("test", "can")}
    found = again(pictures("1.jpg"), before, plan)
    assert [picture.group for picture in found.pictures] == [group]


def test_new_pictures_without_groups_beside_some_that_had_them_are_told() -> None:
    before = {"1": Before("test", "can/0"), "2": Before("train", "can/1")}
    (note,) = again(pictures("1.jpg", "2.jpg", "3.jpg"), before, None).notes
    assert "in groups, such as 'can/0', and no --groups is given: each of the 1 new" in note
    assert not again(pictures("1.jpg", "2.jpg"), before, None).notes
    alone = {"1" * 64: Before("test", "1" * 16)}
    assert not again(pictures("3.jpg"), alone, None).notes
