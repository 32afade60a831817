"""Copies hang together, whoever found them; those that contradict come first."""

from __future__ import annotations

from pathlib import Path

from edge.core.dataset import LabelledPicture
from trainer.audit.copies import find_copies, join_groups
from trainer.data.duplicates.near_duplicates import NearPair


def picture(name: str, label: str = "can", split: str | None = None) -> LabelledPicture:
    return LabelledPicture(Path(name), label, name, split)


def test_files_of_the_same_bytes_are_copies() -> None:
    (found,) = find_copies([picture(n) for n in "abc"], ["x", "y", "x"], [])
    assert (found.members, found.exact, found.how) == ((0, 2), True, "the same file")


def test_copies_of_copies_are_one_set() -> None:
    pairs = [NearPair(1, 2, 0.97, "mirrored"), NearPair(2, 3, 0.95, "cropped")]
    (found,) = find_copies(
        [picture(n) for n in "abcd"],
        ["x", "x", "y", "z"],
        [NearPair(0, 1, 1.0, "identical"), *pairs],
    )
    assert found.members == (0, 1, 2, 3)
    assert not found.exact
    assert found.how == "cropped; mirrored"
    assert found.similarity == 0.95


def test_those_with_different_labels_come_first_then_the_largest() -> None:
    pictures = [*(picture(n) for n in "abcde"), picture("f"), picture("g", "jar")]
    digests = ["1", "1", "2", "2", "2", "3", "3"]
    found = find_copies(pictures, digests, [])
    assert [copies.members for copies in found] == [(5, 6), (2, 3, 4), (0, 1)]
    assert found[0].labels == ("can", "jar")


def test_parts_that_copies_lie_in_are_told() -> None:
    pictures = [picture("a", split="train"), picture("b", split="test")]
    (found,) = find_copies(pictures, ["1", "1"], [])
    assert found.splits == ("test", "train")


def test_groups_of_copies_become_one() -> None:
    pictures = [picture(n) for n in "abcd"]
    joined = join_groups(pictures, find_copies(pictures, ["1", "2", "1", "4"], []))
    groups = [p.group for p in joined]
    assert groups[0] == groups[2]
    assert len(set(groups)) == 3
