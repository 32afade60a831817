"""Pictures of one object stay together."""

from dataclasses import replace
from pathlib import Path

import pytest

from edge.core.dataset import LabelledPicture, read_picture_set
from trainer.data.groups import assign_groups, group_column, join_copies
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
