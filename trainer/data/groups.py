"""Groups of pictures that belong together and must stay in one split."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from edge.core.dataset import LabelledPicture
from edge.core.terminal.wording import number_of
from trainer.errors import GroupError

_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Before:
    """Where a picture lay in an earlier run."""

    split: str
    group: str
    """Empty where that is not known."""


@dataclass(frozen=True, slots=True)
class Regrouped:
    """Pictures in the groups of an earlier run, and what is new in groups beside them."""

    pictures: tuple[LabelledPicture, ...]
    links: tuple[tuple[int, int], ...]
    """A new picture, and a known one that belongs together with it though not by a group."""
    notes: tuple[str, ...]
    """One line for each note to the user."""


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


def regrouped(
    pictures: Sequence[LabelledPicture],
    digests: Sequence[str],
    before: Mapping[str, Before],
    plan: str | None,
) -> Regrouped:
    """The pictures in the groups that they had before, and what is new in those of its own kind.

    A new picture comes into the group of the known pictures that the plan holds together with it.
    Where these were in several, by another plan, it is linked to each of them.

    Args:
        pictures: each with the group that the plan gives it.
        digests: of their files.
        before: by the digest, where pictures lay.
        plan: see `assign_groups`.
    """
    if not before:
        return Regrouped(tuple(pictures), (), ())
    known: dict[str, dict[str, int]] = defaultdict(dict)
    splits: dict[str, set[str]] = defaultdict(set)
    for i, (picture, digest) in enumerate(zip(pictures, digests, strict=True)):
        if digest in before:
            group = str(picture.group)
            known[group].setdefault(before[digest].group or group, i)
            splits[group].add(before[digest].split)
    taken = {place.group for place in before.values()}
    # Blocks are named by numbers, which other series have as well; other names are the user's.
    names = _free_names(taken) if (plan or "").startswith("blocks:") else str
    changed, links = [], []
    for i, (picture, digest) in enumerate(zip(pictures, digests, strict=True)):
        group = str(picture.group)
        there = known.get(group, {})
        if digest in before:
            group = before[digest].group or group
        elif len(there) == 1:
            group = next(iter(there))
        else:
            links += [(other, i) for other in there.values()]
            group = names(group)
        changed.append(replace(picture, group=group))
    notes = []
    if crossing := sum(len(found) > 1 for found in splits.values()):
        notes.append(
            f"{number_of(crossing, 'groups', verb='lie')} in several splits of the earlier run, "
            "which divided its pictures otherwise: these stay in its splits and its groups"
        )
    own = {digest[:16] for digest in before}
    if plan is None and (named := sorted(taken - own - {""})):
        new = sum(
            digest not in before and picture.group == str(picture.path)
            for picture, digest in zip(pictures, digests, strict=True)
        )
        if new:
            notes.append(
                f"the earlier run has its pictures in groups, such as {named[0]!r}, and no "
                f"--groups is given: each of the {new} new pictures is one of its own. Give "
                "--groups if they are series, else figures and promises are too good"
            )
    return Regrouped(tuple(changed), tuple(links), tuple(notes))


def _free_names(taken: Collection[str]) -> Callable[[str], str]:
    def name(group: str) -> str:
        while group in taken:
            group += "+"
        return group

    return name


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
