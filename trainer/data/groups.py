"""Groups of pictures that belong together and must stay in one split."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from edge.core.dataset import LabelledPicture
from trainer.errors import GroupError

_NUMBER = re.compile(r"\d+")


def group_column(plan: str | None) -> str:
    """The manifest's column that a plan for `assign_groups` reads groups from."""
    kind, _, name = (plan or "").partition(":")
    return name if kind == "column" and name else "group"


def assign_groups(
    pictures: Sequence[LabelledPicture], plan: str | None
) -> tuple[LabelledPicture, ...]:
    """The pictures, each with a group.

    Args:
        plan: `blocks:N`: each class cut into runs of N by the last number in the file name,
            for series of pictures of one object; `pattern:REGEX`: what the regular expression's
            first group (or all of it) matches in the path; `column:NAME` or None: the groups that
            the pictures have from their manifest. A picture without a group is one of its own.

    Raises:
        GroupError: the plan is of no such form, or a picture's name does not fit it.
    """
    if plan is None:
        grouped = [_own_group(picture) for picture in pictures]
    else:
        kind, _, value = plan.partition(":")
        if kind == "blocks" and value.isdecimal() and int(value) >= 1:
            grouped = _blocks(pictures, int(value))
        elif kind == "pattern" and value:
            grouped = _pattern(pictures, value)
        elif kind == "column" and value:
            grouped = _column(pictures, value)
        else:
            raise GroupError(
                "--groups must be blocks:N (N at least 1), pattern:REGEX or column:NAME. "
                f"Received: {plan!r}"
            )
    return tuple(grouped)


def join_copies(
    pictures: Sequence[LabelledPicture], pairs: Iterable[tuple[int, int]]
) -> tuple[LabelledPicture, ...]:
    """The pictures, with the groups of those that are copies of one another made one.

    Args:
        pictures: each with a group.
        pairs: two numbers of pictures that are copies.
    """
    parent: dict[str, str] = {}

    def root(group: str) -> str:
        while group in parent:
            group = parent[group]
        return group

    for first, second in pairs:
        one, other = sorted((root(str(pictures[first].group)), root(str(pictures[second].group))))
        if one != other:
            parent[other] = one
    return tuple(replace(picture, group=root(str(picture.group))) for picture in pictures)


def _own_group(picture: LabelledPicture) -> LabelledPicture:
    return picture if picture.group else replace(picture, group=str(picture.path))


def _blocks(pictures: Sequence[LabelledPicture], size: int) -> list[LabelledPicture]:
    numbers = []
    for picture in pictures:
        found = _NUMBER.findall(picture.path.stem)
        if not found:
            raise GroupError(
                f"--groups blocks:{size}: {picture.path} has no number in its name. "
                "Leave --groups out if the pictures are no series"
            )
        numbers.append(int(found[-1]))
    # Blocks follow the numbers, not the rank, so that a missing picture moves no other;
    # a series counted from 1 has its first block from 1 to N, one from 0 from 0 to N - 1.
    # What was added later counts anew: it is another series.
    series = [
        picture.label if picture.source == 0 else f"{picture.label}+{picture.source}"
        for picture in pictures
    ]
    first: dict[str, int] = defaultdict(lambda: 1)
    for name, number in zip(series, numbers, strict=True):
        first[name] = min(first[name], number)
    return [
        replace(picture, group=f"{name}/{(number - min(first[name], 1)) // size}")
        for picture, name, number in zip(pictures, series, numbers, strict=True)
    ]


def _pattern(pictures: Sequence[LabelledPicture], text: str) -> list[LabelledPicture]:
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise GroupError(f"--groups pattern:{text} is no regular expression: {error}") from error
    grouped = []
    for picture in pictures:
        match = pattern.search(picture.path.as_posix())
        if match is None:
            raise GroupError(
                f"--groups pattern:{text} matches nothing in {picture.path}: "
                "it must fit every picture's path"
            )
        grouped.append(replace(picture, group=match[1] if match.re.groups else match[0]))
    return grouped


def _column(pictures: Sequence[LabelledPicture], name: str) -> list[LabelledPicture]:
    for picture in pictures:
        if not picture.group:
            raise GroupError(
                f"--groups column:{name}: {picture.path} has no group: --data must be a manifest "
                f"with a column {name!r}, filled in every line"
            )
    return list(pictures)
