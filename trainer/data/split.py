"""The split into train, validation and test: seeded, stratified, whole groups together."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from edge.pictures import PARTS, LabelledPicture
from trainer.errors import TooFewPicturesError


def split_pictures(
    pictures: Sequence[LabelledPicture], shares: Mapping[str, float], *, seed: int
) -> tuple[LabelledPicture, ...]:
    """The pictures, each with its part, in the same order.

    Every class is divided by `shares` as nearly as its groups allow, and has at least one group
    in each part. Where the pictures name their parts already (a manifest's `split` column), those
    are kept.

    Args:
        pictures: each with a group.
        shares: the wanted share of "validation" and of "test"; the rest is trained on.
        seed: another one gives another split.

    Raises:
        TooFewPicturesError: a class has fewer groups than there are parts, or a manifest's split
            leaves a part empty, or puts a group into two parts.
    """
    if any(picture.part for picture in pictures):
        return _given_split(pictures)
    members: dict[str, list[int]] = defaultdict(list)
    for index, picture in enumerate(pictures):
        members[picture.group or str(picture.path)].append(index)
    # A group with several labels counts for the one it has most of.
    by_label: dict[str, list[str]] = defaultdict(list)
    for group, indices in members.items():
        counts = Counter(pictures[i].label for i in indices)
        by_label[min(counts, key=lambda label: (-counts[label], label))].append(group)
    parts: dict[int, str] = {}
    for label in sorted({picture.label for picture in pictures}):
        groups = by_label[label]
        if len(groups) < len(PARTS):
            raise TooFewPicturesError(
                f"class {label!r} has {len(groups)} separate group{'s' * (len(groups) != 1)} of "
                f"pictures ({sum(len(members[g]) for g in groups)} pictures): at least "
                f"{len(PARTS)} are needed, one each to train, validate and test on. Take more "
                "pictures, use smaller groups, or remove the class"
            )
        total = sum(len(members[group]) for group in groups)
        waiting = sorted(groups, key=lambda group: _draw(seed, label, group))
        for part in ("test", "validation"):
            wanted, taken = shares[part] * total, 0
            while len(waiting) > 1:
                size = len(members[waiting[0]])
                room_left = len(waiting) > 1 + (part == "test")
                if taken and (abs(taken + size - wanted) >= abs(taken - wanted) or not room_left):
                    break
                taken += size
                parts.update(dict.fromkeys(members[waiting.pop(0)], part))
        parts.update({i: "train" for group in waiting for i in members[group]})
    return tuple(replace(picture, part=parts[i]) for i, picture in enumerate(pictures))


def fold_pictures(pictures: Sequence[LabelledPicture], folds: int, *, seed: int) -> list[int]:
    """A fold number 0..folds-1 for each picture, stratified, whole groups together.

    Used to cross-fit: each picture is scored by a model that trained on the other folds.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for index, picture in enumerate(pictures):
        members[picture.group or str(picture.path)].append(index)
    load: dict[str, Counter[int]] = defaultdict(Counter)
    result = [0] * len(pictures)
    # Largest groups first, each to the fold that has least of its labels so far.
    for group in sorted(members, key=lambda g: (-len(members[g]), _draw(seed, "fold", g))):
        labels = Counter(pictures[i].label for i in members[group])
        fold = min(
            range(folds), key=lambda f: (sum(load[label][f] * n for label, n in labels.items()), f)
        )
        for index in members[group]:
            result[index] = fold
            load[pictures[index].label][fold] += 1
    return result


def _draw(seed: int, label: str, group: str) -> str:
    return hashlib.sha256(f"{seed}\0{label}\0{group}".encode()).hexdigest()


def _given_split(pictures: Sequence[LabelledPicture]) -> tuple[LabelledPicture, ...]:
    for picture in pictures:
        if picture.part is None:
            raise TooFewPicturesError(
                f"{picture.path} has no part in the manifest's column `split`: "
                "fill it in every line, or in none"
            )
    seen: dict[str, str] = {}
    for picture in pictures:
        group, part = picture.group or str(picture.path), picture.part or ""
        if seen.setdefault(group, part) != part:
            raise TooFewPicturesError(
                f"the manifest puts group {group!r} into {seen[group]} and {part}: "
                "a group must stay in one part, else the test flatters"
            )
    counts = Counter((picture.label, picture.part) for picture in pictures)
    for label in sorted({picture.label for picture in pictures}):
        for part in PARTS:
            if not counts[label, part]:
                raise TooFewPicturesError(
                    f"the manifest has no picture of class {label!r} in part {part}"
                )
    return tuple(pictures)
