"""The split into train, validation and test: by content, stratified, whole groups together."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from edge.pictures import PARTS, LabelledPicture
from trainer.errors import TooFewPicturesError


def split_pictures(
    pictures: Sequence[LabelledPicture],
    shares: Mapping[str, float],
    *,
    seed: int,
    identities: Mapping[str, str] | None = None,
) -> tuple[LabelledPicture, ...]:
    """The pictures, each with its part, in the same order.

    Every group draws a number from 0 to 1, a hash of the seed and of what it is known by, and
    nothing else decides: below the share of the test part it is tested on, in the share above that
    it validates, else it is trained on. So pictures that are added move no other. The price is that
    shares are met by chance: of 100 groups of one size 10 are tested on, but in one class out of
    twenty fewer than 5 or more than 15; of 1,000 between 82 and 118.

    Every class has at least one group in each part: where the draw gave it none, the nearest ones
    are moved there. So only in a class of a few dozen groups or fewer can pictures that are added
    still move another.

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
    given = _given(pictures, members)
    names = identities or {}
    draws = {group: draw(seed, names.get(group, group)) for group in members}
    parts = {group: given.get(group) or _part(draws[group], shares) for group in members}
    # A group with several labels counts for the one it has most of.
    by_label: dict[str, list[str]] = defaultdict(list)
    for group, indices in members.items():
        counts = Counter(pictures[i].label for i in indices)
        by_label[min(counts, key=lambda label: (-counts[label], label))].append(group)
    for label in sorted({picture.label for picture in pictures}):
        free = [group for group in by_label[label] if group not in given]
        _fill(label, by_label[label], free, parts, draws, shares)
    return tuple(
        replace(picture, part=parts[picture.group or str(picture.path)]) for picture in pictures
    )


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


def _part(drawn: float, shares: Mapping[str, float]) -> str:
    if drawn < shares["test"]:
        return "test"
    return "validation" if drawn < shares["test"] + shares["validation"] else "train"


def _given(
    pictures: Sequence[LabelledPicture], members: Mapping[str, Sequence[int]]
) -> dict[str, str]:
    given = {}
    for group, indices in members.items():
        parts = sorted({part for i in indices if (part := pictures[i].part)})
        if len(parts) > 1:
            raise TooFewPicturesError(
                f"the pictures put group {group!r} into {' and '.join(parts)}, as "
                f"{pictures[indices[0]].path}: a group must stay in one part, else the test "
                "flatters"
            )
        if parts:
            given[group] = parts[0]
    return given


def _fill(
    label: str,
    groups: Sequence[str],
    free: Sequence[str],
    parts: dict[str, str],
    draws: Mapping[str, float],
    shares: Mapping[str, float],
) -> None:
    """Moves the nearest groups of a class into the parts that have none of it."""
    middles = {
        "test": shares["test"] / 2,
        "validation": shares["test"] + shares["validation"] / 2,
        "train": 1.0,
    }
    for part in ("test", "validation", "train"):
        if any(parts[group] == part for group in groups):
            continue
        counts = Counter(parts[group] for group in groups)
        spare = [group for group in free if counts[parts[group]] > 1]
        if not spare:
            raise TooFewPicturesError(
                f"class {label!r} has {len(groups)} separate group{'s' * (len(groups) != 1)} of "
                f"pictures and none for the {part} part: at least {len(PARTS)} are needed, one "
                "each to train, validate and test on. Take more pictures, use smaller groups, or "
                "remove the class"
            )
        nearest = min(spare, key=lambda group: (abs(draws[group] - middles[part]), group))
        parts[nearest] = part
