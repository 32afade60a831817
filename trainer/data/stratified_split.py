"""The split into train, validation and test: by content, stratified, whole groups together."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from edge.core.dataset import SPLITS, LabelledPicture
from trainer.errors import TooFewPicturesError

_FILLED = {"test": 1, "validation": -1}
"""The parts that are filled to a share, and from which end of the draws: opposite ones, so that
where the one ends does not move the other."""


def stratified_split(
    pictures: Sequence[LabelledPicture],
    shares: Mapping[str, float],
    *,
    seed: int,
    identities: Mapping[str, str] | None = None,
) -> tuple[LabelledPicture, ...]:
    """The pictures, each with its part, in the same order.

    Every group draws a number from 0 to 1, a hash of the seed and of what it is known by. In each
    class the groups of the lowest numbers are tested on and those of the highest validate, until
    taking another one would bring the part no nearer to its wanted share of the class's pictures;
    a group that is too large for what is still wanted is passed over.

    So every part of a class has the whole number of pictures that is nearest to its wanted share,
    where each picture is a group of its own and the class has five or more; else it is at most half
    a group away from it. Every part has at least one group of each class.

    Pictures whose part is given keep it and count: what is added to a divided set goes where it
    brings the whole nearest to the shares. Where no part is given, the order of draws decides
    among all of them, so that a set which has grown without its earlier parts moves a few pictures
    that lie at the edge of a part: no rule that knows only the content can both meet the shares of
    every set and move nothing, since a picture's part would have to follow from it alone.

    Args:
        pictures: each with a group. Those that have a part keep it, and so do their groups.
        shares: the wanted share of "validation" and of "test"; the rest is trained on.
        seed: another one gives another split.
        identities: by group, what it is known by; None: its name.

    Raises:
        TooFewPicturesError: a class has fewer groups than there are parts, or those that are given
            leave a part without it, or a group has been given two parts.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for index, picture in enumerate(pictures):
        members[picture.group or str(picture.path)].append(index)
    parts = _given(pictures, members)
    names = identities or {}
    groups: dict[str, list[_Group]] = defaultdict(list)
    for name, indices in members.items():
        # A group with several labels is placed with the one it has most of, and counts for all.
        counts = Counter(pictures[i].label for i in indices)
        label = min(counts, key=lambda label: (-counts[label], label))
        groups[label].append(_Group(name, draw(seed, names.get(name, name)), counts))
    totals = Counter(picture.label for picture in pictures)
    placed: dict[str, Counter[str]] = defaultdict(Counter)
    for name, part in parts.items():
        placed[part].update(pictures[i].label for i in members[name])
    for label in sorted(totals):
        _place(label, groups[label], parts, placed, shares, totals[label])
    return tuple(
        replace(picture, split=parts[picture.group or str(picture.path)]) for picture in pictures
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
    """Pictures that must lie in one part."""

    name: str
    draw: float
    counts: Counter[str]
    """Pictures of it by label."""


def _given(
    pictures: Sequence[LabelledPicture], members: Mapping[str, Sequence[int]]
) -> dict[str, str]:
    given = {}
    for group, indices in members.items():
        parts = sorted({part for i in indices if (part := pictures[i].split)})
        if len(parts) > 1:
            raise TooFewPicturesError(
                f"the pictures put group {group!r} into {' and '.join(parts)}, as "
                f"{pictures[indices[0]].path}: a group must stay in one split, or the "
                "test result is too good"
            )
        if parts:
            given[group] = parts[0]
    return given


def _place(
    label: str,
    groups: Sequence[_Group],
    parts: dict[str, str],
    placed: Mapping[str, Counter[str]],
    shares: Mapping[str, float],
    total: int,
) -> None:
    """Gives a part to those groups of a class that have none.

    Args:
        parts: of the groups that have one; those of the others are written to it.
        placed: by part, how many pictures of each label lie there; kept up to date.
        total: pictures of the class.
    """
    waiting = sorted(
        (group for group in groups if group.name not in parts), key=lambda g: (g.draw, g.name)
    )
    reached = {parts[group.name] for group in groups if group.name in parts}

    def put(group: _Group, part: str) -> None:
        waiting.remove(group)
        parts[group.name] = part
        placed[part].update(group.counts)
        reached.add(part)

    def gap(part: str, more: int) -> float:
        return abs(placed[part][label] + more - shares[part] * total)

    def spare() -> bool:
        """Whether a group can be taken without leaving a later part none."""
        return len(waiting) > len(_FILLED.keys() - reached) + ("train" not in reached)

    for part, step in _FILLED.items():
        for group in waiting[::step]:
            # One more than the parts that have none: this part's own first group is among those.
            if (spare() or part not in reached) and gap(part, group.counts[label]) < gap(part, 0):
                put(group, part)
        if part not in reached and waiting:
            put(min(waiting, key=lambda g: (gap(part, g.counts[label]), step * g.draw)), part)
    for group in list(waiting):
        put(group, "train")
    missing = [part for part in ("test", "validation", "train") if part not in reached]
    if missing:
        raise TooFewPicturesError(
            f"class {label!r} has {len(groups)} separate group{'s' * (len(groups) != 1)} of "
            f"pictures and none for the {missing[0]} part: at least {len(SPLITS)} are needed, one "
            "each to train, validate and test on. Take more pictures, use smaller groups, "
            "or remove the class"
        )
