"""Copies: pictures of the same bytes, or of the same photograph, that hang together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from edge.core.dataset import LabelledPicture
from trainer.data.duplicates.near_duplicates import NearPair
from trainer.data.groups import join_copies


@dataclass(frozen=True, slots=True)
class Copies:
    """Pictures of one photograph."""

    members: tuple[int, ...]
    """Numbers of the pictures, at least two, rising."""
    labels: tuple[str, ...]
    """Every label among them, sorted."""
    splits: tuple[str, ...]
    """Every split among them that was given, sorted."""
    exact: bool
    """True if all files have the same bytes."""
    how: str
    """The change between the copies, such as "mirrored"."""
    similarity: float
    """The similarity of the least similar pair that links them, at most 1."""


def find_copies(
    pictures: Sequence[LabelledPicture], digests: Sequence[str], pairs: Sequence[NearPair]
) -> tuple[Copies, ...]:
    """The sets of copies, those with several labels first, then the largest.

    Args:
        digests: SHA-256 of each picture's file.
        pairs: what `find_near_duplicates` found among them.
    """
    links = [*_same_files(digests), *pairs]
    root = list(range(len(pictures)))

    def find(index: int) -> int:
        while root[index] != index:
            root[index] = root[root[index]]
            index = root[index]
        return index

    for pair in links:
        low, high = sorted((find(pair.first), find(pair.second)))
        root[high] = low
    members: dict[int, list[int]] = defaultdict(list)
    for index in range(len(pictures)):
        members[find(index)].append(index)
    by_set: dict[int, list[NearPair]] = defaultdict(list)
    for pair in links:
        by_set[find(pair.first)].append(pair)
    found = [_copies(tuple(members[at]), by_set[at], pictures, digests) for at in by_set]
    return tuple(sorted(found, key=lambda c: (len(c.labels) == 1, -len(c.members), c.members)))


def join_groups(
    pictures: Sequence[LabelledPicture], found: Sequence[Copies]
) -> tuple[LabelledPicture, ...]:
    """The pictures, with the groups of those that are copies of one another made one.

    Args:
        pictures: each with a group.
    """
    pairs = ((copies.members[0], other) for copies in found for other in copies.members[1:])
    return join_copies(pictures, pairs)


def _same_files(digests: Sequence[str]) -> list[NearPair]:
    first: dict[str, int] = {}
    return [
        NearPair(at, index, 1.0, "identical")
        for index, digest in enumerate(digests)
        if (at := first.setdefault(digest, index)) != index
    ]


def _copies(
    members: tuple[int, ...],
    pairs: Sequence[NearPair],
    pictures: Sequence[LabelledPicture],
    digests: Sequence[str],
) -> Copies:
    exact = len({digests[i] for i in members}) == 1
    done = sorted({pair.how for pair in pairs} - {"identical"})
    return Copies(
        members=members,
        labels=tuple(sorted({pictures[i].label for i in members})),
        splits=tuple(sorted({split for i in members if (split := pictures[i].split)})),
        exact=exact,
        how="the same file" if exact else "; ".join(done) or "the same picture in other files",
        similarity=min(pair.similarity for pair in pairs),
    )
