"""The split into train, validation and test: by content, stratified, whole groups together."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from edge.core.dataset import SPLITS, LabelledPicture
from trainer.errors import TooFewPicturesError

_FILLED = {"test": 1, "validation": -1}
"""The splits that are filled to a share, and from which end of the draws: opposite ones, so that
where the one ends does not move the other."""


def stratified_split(
    pictures: Sequence[LabelledPicture],
    shares: Mapping[str, float],
    *,
    seed: int,
    identities: Mapping[str, str] | None = None,
) -> tuple[LabelledPicture, ...]:
    """The pictures, each with its split, in the same order.

    Every group draws a number from 0 to 1, a hash of the seed and of what it is known by. In each
    class the groups of the lowest numbers are tested on and those of the highest validate, until
    taking another one would bring the split no nearer to its wanted share of the class's pictures;
    a group that is too large for what is still wanted is passed over.

    So every split of a class has the whole number of pictures that is nearest to its wanted share,
    where each picture is a group of its own and the class has five or more; else it is at most half
    a group away from it. Every split has at least one group of each class.

    Pictures whose split is given keep it and count: what is added to a divided set goes where it
    brings the whole nearest to the shares. Where no split is given, the order of draws decides
    among all of them, so that a set which has grown without its earlier splits moves a few pictures
    that lie at the edge of a split: no rule that knows only the content can both meet the shares of
    every set and move nothing, since a picture's split would have to follow from it alone.

    Args:
        pictures: each with a group. Those that have a split keep it, and so do their groups.
        shares: the wanted share of "validation" and of "test"; the rest is trained on.
        seed: another one gives another split.
        identities: by group, what it is known by; None: its name.

    Raises:
        TooFewPicturesError: a class has fewer groups than there are splits, or those that are given
            leave a split without it, or a group has been given two splits.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for index, picture in enumerate(pictures):
        members[picture.group or str(picture.path)].append(index)
    splits = _given(pictures, members)
    names = identities or {}
    groups: dict[str, list[_Group]] = defaultdict(list)
    for name, indices in members.items():
        # A group with several labels is placed with the one it has most of, and counts for all.
        counts = Counter(pictures[i].label for i in indices)
        label = min(counts, key=lambda label: (-counts[label], label))
        groups[label].append(_Group(name, draw(seed, names.get(name, name)), counts))
    totals = Counter(picture.label for picture in pictures)
    placed: dict[str, Counter[str]] = defaultdict(Counter)
    for name, split in splits.items():
        placed[split].update(pictures[i].label for i in members[name])
    for label in sorted(totals):
        _place(label, groups[label], splits, placed, shares, totals[label])
    return tuple(
        replace(picture, split=splits[picture.group or str(picture.path)]) for picture in pictures
    )


def fold_pictures(pictures: Sequence[LabelledPicture], folds: int, *, seed: int) -> list[int]:
    """A fold number 0..folds-1 for each picture, stratified, whole groups together.

    Used to cross-fit: each picture is scored by a model that trained on the other folds. A group
    that has no name but a picture's path is known by the place of that picture among `pictures`.
    """
    # Not by the path: the same pictures in another folder are to come into the same folds.
    places = {str(picture.path): f"\0{index}" for index, picture in enumerate(pictures)}
    members: dict[str, list[int]] = defaultdict(list)
    for index, picture in enumerate(pictures):
        group = picture.group or str(picture.path)
        members[places.get(group, group)].append(index)
    load: dict[str, Counter[int]] = defaultdict(Counter)
    result = [0] * len(pictures)
    # Largest groups first, each to the fold that has least of its labels so far.
    for group in sorted(members, key=lambda g: (-len(members[g]), draw(seed, f"fold\0{g}"))):
        labels = Counter(pictures[i].label for i in members[group])
        fold = min(
            range(folds), key=lambda f: (sum(load[label][f] * n for label, n in labels.items()), f)
        )
        for index in members[group]:
            result[index] = fold
            load[pictures[index].label][fold] += 1
    return result


def draw(seed: int, identity: str) -> float:
    """A number from 0 to below 1 that looks random, the same for the same two."""
    digest = hashlib.sha256(f"{seed}\0{identity}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Pictures that must lie in one split."""

    name: str
    draw: float
    counts: Counter[str]
    """Pictures of it by label."""


def _given(
    pictures: Sequence[LabelledPicture], members: Mapping[str, Sequence[int]]
) -> dict[str, str]:
    given = {}
    for group, indices in members.items():
        splits = sorted({split for i in indices if (split := pictures[i].split)})
        if len(splits) > 1:
            raise TooFewPicturesError(
                f"the pictures put group {group!r} into {' and '.join(splits)}, as "
                f"{pictures[indices[0]].path}: a group must stay in one split, or the "
                "test result is too good"
            )
        if splits:
            given[group] = splits[0]
    return given


def _place(
    label: str,
    groups: Sequence[_Group],
    splits: dict[str, str],
    placed: Mapping[str, Counter[str]],
    shares: Mapping[str, float],
    total: int,
) -> None:
    """Gives a split to those groups of a class that have none.

    Args:
        splits: of the groups that have one; those of the others are written to it.
        placed: by split, how many pictures of each label lie there; kept up to date.
        total: pictures of the class.
    """
    waiting = sorted(
        (group for group in groups if group.name not in splits), key=lambda g: (g.draw, g.name)
    )
    reached = {splits[group.name] for group in groups if group.name in splits}

    def put(group: _Group, split: str) -> None:
        waiting.remove(group)
        splits[group.name] = split
        placed[split].update(group.counts)
        reached.add(split)

    def gap(split: str, more: int) -> float:
        return abs(placed[split][label] + more - shares[split] * total)

    def spare() -> bool:
        """Whether a group can be taken without leaving a later split none."""
        return len(waiting) > len(_FILLED.keys() - reached) + ("train" not in reached)

    for split, step in _FILLED.items():
        for group in waiting[::step]:
            # One more than the splits that have none: this split's own first group is among those.
            if (spare() or split not in reached) and gap(split, group.counts[label]) < gap(
                split, 0
            ):
                put(group, split)
        if split not in reached and waiting:
            put(min(waiting, key=lambda g: (gap(split, g.counts[label]), step * g.draw)), split)
    for group in list(waiting):
        put(group, "train")
    missing = [split for split in ("test", "validation", "train") if split not in reached]
    if missing and len(groups) >= len(SPLITS):
        raise TooFewPicturesError(
            f"class {label!r} has {len(groups)} groups of pictures, all with a split already and "
            f"none for the {missing[0]} split: add new pictures of it, start from (or keep the "
            "split of) a run of another --seed, or let the pictures be divided anew"
        )
    if missing:
        raise TooFewPicturesError(
            f"class {label!r} has {len(groups)} separate group{'s' * (len(groups) != 1)} of "
            f"pictures and none for the {missing[0]} split: at least {len(SPLITS)} are needed, one "
            "each to train, validate and test on. Take more pictures, use smaller groups, "
            "or remove the class"
        )
