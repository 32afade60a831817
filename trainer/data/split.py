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

    Every class has at least one group in each part, and a third of the share wanted where its
    groups allow: where the draw gave it less, the nearest ones are moved there. So only in a class
    of a few dozen groups or fewer can pictures that are added still move another.

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
        sizes = {group: len(members[group]) for group in by_label[label]}
        _fill(label, sizes, free, parts, draws, shares)
    return tuple(
        replace(picture, part=parts[picture.group or str(picture.path)]) for picture in pictures
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
    sizes: Mapping[str, int],
    free: Sequence[str],
    parts: dict[str, str],
    draws: Mapping[str, float],
    shares: Mapping[str, float],
) -> None:
    """Moves the nearest groups of a class into the parts that have none, or hardly any, of it.

    Args:
        sizes: pictures of each of its groups.
        free: those that may be moved.
    """
    middles = {
        "test": shares["test"] / 2,
        "validation": shares["test"] + shares["validation"] / 2,
        "train": 1.0,
    }
    total = sum(sizes.values())
    for part, middle in middles.items():
        enough = max(1.0, shares.get(part, 0.0) * total / 3)
        while sum(size for group, size in sizes.items() if parts[group] == part) < enough:
            counts = Counter(parts[group] for group in sizes)
            spare = [g for g in free if parts[g] != part and counts[parts[g]] > 1]
            if not spare and counts[part]:
                break
            if not spare:
                raise TooFewPicturesError(
                    f"class {label!r} has {len(sizes)} separate group{'s' * (len(sizes) != 1)} of "
                    f"pictures and none for the {part} part: at least {len(PARTS)} are needed, one "
                    "each to train, validate and test on. Take more pictures, use smaller groups, "
                    "or remove the class"
                )
            # Out of train first: the other has little enough.
            parts[min(spare, key=lambda g: (parts[g] != "train", abs(draws[g] - middle), g))] = part
