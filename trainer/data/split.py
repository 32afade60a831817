"""The split into train, validation and test, which no copy and no group crosses."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.core.dataset import SPLITS, LabelledPicture, complete_splits
from edge.core.images.preprocess import InputSpec
from trainer.data.cache import DecodedPictures
from trainer.data.duplicates.near_duplicates import NearPair, Tensors, find_near_duplicates
from trainer.data.groups import Before, assign_groups, join_copies, regrouped
from trainer.data.stratified_split import stratified_split
from trainer.errors import TooFewPicturesError
from trainer.recipes.plan import SplitPlan

_Pair = tuple[int, int]
_OF_A_GROUP = "of a group"
"""What `NearPair.how` says of two that are no copies, and yet belong together."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The split of every picture that is used, and the pictures that are left out."""

    pictures: tuple[LabelledPicture, ...]
    """The pictures that are used, each with its group and its split."""
    kept: npt.NDArray[np.int64]
    """The indices of `pictures` in the pictures that were given."""
    left_out: tuple[str, ...]
    """One line for each picture that is left out, with the reason."""
    notes: tuple[str, ...]
    """One line for each note to the user about the splits."""
    pairs: tuple[NearPair, ...]
    """Pairs of copies, including identical files, by their indices in the given pictures."""


def split_pictures(
    decoded: DecodedPictures,
    plan: SplitPlan,
    *,
    groups: str | None,
    seed: int,
    spec: InputSpec | None = None,
    earlier: Mapping[str, Before] | None = None,
    absent: int = 0,
) -> Split:
    """The pictures in their splits, with copies and groups together.

    What is not given is drawn by content (see `stratified_split`): a picture by its bytes, a group
    by its name. Other names or another order of the files change nothing. Pictures of a later
    source are placed when all before them have been, and move none; so are, in a folder that has
    grown, those that are not in `earlier`.

    A picture that would have to lie in two splits is left out: one that was added and is a copy of
    two others, or in a set that comes divided, one to train on that is a copy of one to test on.

    Args:
        decoded: the pictures as they were read, their split given or not. Tensors are read a few
            hundred at a time.
        plan: the wanted shares, and whether copies are looked for by what pictures show, not only
            by their bytes.
        groups: a plan for `assign_groups`.
        seed: another one gives another split.
        spec: what the tensors were made by.
        earlier: where each picture that was divided before lay, by the digest of its file: it
            keeps that split, also where the set comes divided and gives it another one now, and
            its group; see `regrouped`.
        absent: how many pictures, the last of `decoded`, are not given, but were in the earlier
            split, which they bear. What is a copy of one, or of its group, comes to where it lay.

    Raises:
        GroupError: the plan does not fit the pictures.
        TooFewPicturesError: a class has too few groups, or a group has been given two splits.
    """
    digests = decoded.digests
    shares = {"validation": plan.validation, "test": plan.test}
    given = len(digests) - absent
    before = earlier or {}
    completed = _completed(decoded.pictures[:given])
    named = [
        groups is not None or bool(picture.group) or digest in before
        for picture, digest in zip(completed, digests, strict=False)
    ]
    again = regrouped(assign_groups(completed, groups), digests[:given], before, groups)
    grouped = again.pictures
    if before:
        is_divided = any(picture.split for picture in grouped)
        grouped = _as_before(grouped, digests[:given], before)
        if is_divided:
            completed = list(grouped)
    others = decoded.pictures[given:]
    grouped, named = (*grouped, *others), [*named, *(True for _ in others)]
    _check_named(grouped, named)
    order = sorted(range(len(grouped)), key=lambda i: (grouped[i].source, digests[i], i))
    pairs = _same_files(order, digests)
    for link in again.links:
        pairs[min(link), max(link)] = NearPair(min(link), max(link), 1.0, _OF_A_GROUP)
    placed: dict[int, LabelledPicture] = {}
    left_out: dict[int, str] = {}
    notes = list(again.notes)
    for source in sorted({picture.source for picture in grouped}):
        upto = [i for i in order if grouped[i].source <= source and i not in left_out]
        if plan.near_duplicates:
            since = sum(grouped[i].source < source for i in upto)
            found = find_near_duplicates(_Some(decoded.tensors, upto), spec, since=since)
            pairs = _with(pairs, found, upto)
        links, said = _useful(upto, grouped, pairs)
        notes += said
        joined = _joined(upto, grouped, links)
        out = _conflicting(upto, joined, grouped, placed, pairs)
        left_out |= out
        # Without what held them together, others may fall apart again.
        stay = [i for i in upto if i not in out]
        joined = _joined(stay, grouped, [pair for pair in links if not out.keys() & set(pair)])
        identities = _identities(joined, grouped, named, digests)
        # What is not given counts for no share, but its groups stay in its splits.
        held = {joined[i]: grouped[i].split for i in stay if i >= given}
        placed |= {i: grouped[i] for i in stay if i >= given}
        joined = {i: name for i, name in joined.items() if i < given}
        waiting = _waiting(joined, grouped, completed, placed, held, source)
        now = {i: picture for i, picture in placed.items() if i < given}
        wanted = _wanted(joined, grouped, completed, now, source, shares)
        divided = stratified_split(list(waiting.values()), wanted, seed=seed, identities=identities)
        placed |= {
            i: replace(picture, group=identities[str(picture.group)])
            for i, picture in zip(waiting, divided, strict=True)
        }
    kept = sorted(i for i in placed if i < given)
    return Split(
        pictures=tuple(placed[i] for i in kept),
        kept=np.array(kept, np.int64),
        left_out=tuple(left_out[i] for i in sorted(left_out) if i < given),
        notes=tuple(notes),
        pairs=tuple(
            pairs[pair]
            for pair in sorted(pairs)
            if max(pair) < given and pairs[pair].how != _OF_A_GROUP
        ),
    )


class _Some:
    """Some of the tensors in another order, read as they are asked for."""

    def __init__(self, tensors: Tensors, numbers: Sequence[int]) -> None:
        self._tensors, self._numbers = tensors, np.array(numbers, np.int64)

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: Any) -> npt.NDArray[np.uint8]:
        return self._tensors[self._numbers[index]]


def _completed(pictures: Sequence[LabelledPicture]) -> list[LabelledPicture]:
    """Each source with a test split, where it comes divided."""
    completed = list(pictures)
    for source in sorted({picture.source for picture in pictures}):
        numbers = [i for i, picture in enumerate(pictures) if picture.source == source]
        if not any(pictures[i].split for i in numbers):
            continue
        for i in numbers:
            if pictures[i].split is None:
                raise TooFewPicturesError(
                    f"{pictures[i].path} has no split in the manifest's column `split`: "
                    "fill it in every line, or in none"
                )
        changed, _ = complete_splits([pictures[i] for i in numbers])  # the reader has told
        for i, picture in zip(numbers, changed, strict=True):
            completed[i] = picture
    return completed


def _as_before(
    grouped: Sequence[LabelledPicture], digests: Sequence[str], earlier: Mapping[str, Before]
) -> tuple[LabelledPicture, ...]:
    """Pictures that were divided before with their splits, all others as of a later source.

    A picture that was trained on stays to be trained on, whatever a set that comes divided says of
    it now: a network that starts from that training has learned it.
    """
    return tuple(
        replace(picture, split=earlier[digest].split, source=0)
        if digest in earlier
        else replace(picture, source=picture.source + 1)
        for picture, digest in zip(grouped, digests, strict=True)
    )


def _check_named(grouped: Sequence[LabelledPicture], named: Sequence[bool]) -> None:
    first: dict[tuple[int, str], LabelledPicture] = {}
    for picture, has_name in zip(grouped, named, strict=True):
        if not has_name or picture.split is None:
            continue
        other = first.setdefault((picture.source, str(picture.group)), picture)
        if other.split != picture.split:
            raise TooFewPicturesError(
                f"group {picture.group!r} is given {other.split} ({other.path}) and "
                f"{picture.split} ({picture.path}): a group must stay in one split, or the test "
                "result is too good"
            )


def _same_files(order: Sequence[int], digests: Sequence[str]) -> dict[_Pair, NearPair]:
    first: dict[str, int] = {}
    pairs = {}
    for i in order:
        other = first.setdefault(digests[i], i)
        if other != i:
            pair = min(i, other), max(i, other)
            pairs[pair] = NearPair(*pair, 1.0, "identical")
    return pairs


def _with(
    pairs: Mapping[_Pair, NearPair], found: Sequence[NearPair], numbers: Sequence[int]
) -> dict[_Pair, NearPair]:
    more = {}
    for pair in found:
        one, other = sorted((numbers[pair.first], numbers[pair.second]))
        more[one, other] = NearPair(one, other, pair.similarity, pair.how)
    return {**more, **pairs}


def _useful(
    numbers: Sequence[int], grouped: Sequence[LabelledPicture], pairs: Mapping[_Pair, NearPair]
) -> tuple[list[_Pair], list[str]]:
    """The pairs to keep together, without those that would leave a class too few groups.

    Pictures of an empty belt, of a camera that never moves, are all alike.
    """
    within = set(numbers)
    links = {pair: near for pair, near in pairs.items() if within.issuperset(pair)}
    notes = []
    for label in sorted({grouped[i].label for i in numbers}):
        members = [i for i in numbers if grouped[i].label == label]
        looser = {
            pair: near
            for pair, near in links.items()
            if near.similarity == 1 or {grouped[i].label for i in pair} != {label}
        }
        if _groups(members, numbers, grouped, links) >= len(SPLITS):
            continue
        if _groups(members, numbers, grouped, looser) >= len(SPLITS):
            links = looser
            notes.append(
                f"{label}: nearly all its pictures are copies of one another, so they could not be "
                "kept together: its figures will flatter"
            )
    return list(links), notes


def _groups(
    members: Sequence[int],
    numbers: Sequence[int],
    grouped: Sequence[LabelledPicture],
    links: Mapping[_Pair, NearPair],
) -> int:
    joined = _joined(numbers, grouped, list(links))
    return len({joined[i] for i in members})


def _joined(
    numbers: Sequence[int], grouped: Sequence[LabelledPicture], links: Sequence[_Pair]
) -> dict[int, str]:
    """The name of the group each of these pictures comes into, once copies are joined."""
    at = {i: position for position, i in enumerate(numbers)}
    joined = join_copies([grouped[i] for i in numbers], [(at[a], at[b]) for a, b in links])
    return {i: str(picture.group) for i, picture in zip(numbers, joined, strict=True)}


def _conflicting(
    numbers: Sequence[int],
    joined: Mapping[int, str],
    grouped: Sequence[LabelledPicture],
    placed: Mapping[int, LabelledPicture],
    pairs: Mapping[_Pair, NearPair],
) -> dict[int, str]:
    """Why, for each picture that is to be placed and cannot stay with all its copies."""
    members: dict[str, list[int]] = defaultdict(list)
    for i in numbers:
        members[joined[i]].append(i)
    out: dict[int, str] = {}
    for group in members.values():
        splits = {i: split for i in group if (split := placed.get(i, grouped[i]).split)}
        if len(set(splits.values())) < 2:
            continue
        old = {split for i, split in splits.items() if i in placed}
        # What lies there stays; of what is new, what is to be tested on.
        stays = old if old else {next(p for p in ("test", "validation") if p in splits.values())}
        for i in group:
            split = grouped[i].split
            if i not in placed and (len(stays) > 1 or (split is not None and split not in stays)):
                others = {k: p for k, p in splits.items() if k != i and p != split}
                out[i] = f"{grouped[i].path}: {_why(i, others, grouped, pairs)}"
    return out


def _why(
    number: int,
    others: Mapping[int, str],
    grouped: Sequence[LabelledPicture],
    pairs: Mapping[_Pair, NearPair],
) -> str:
    near = {i: pair for i in others if (pair := pairs.get((min(i, number), max(i, number))))}
    where = {others[i]: i for i in near or others}
    of = " and of ".join(f"{grouped[i].path} ({split})" for split, i in sorted(where.items()))
    copies = any(pair.how != _OF_A_GROUP for pair in near.values())
    direct = "a copy of" if copies else "a copy, or of the group, of a copy of"
    direct = "of the group of" if near and not copies else direct
    return f"{direct} {of}, and cannot lie in two splits"


def _identities(
    joined: Mapping[int, str],
    grouped: Sequence[LabelledPicture],
    named: Sequence[bool],
    digests: Sequence[str],
) -> dict[str, str]:
    """The name of each joined group: a name from its earliest source, else the first digest."""
    candidates: dict[str, tuple[int, bool, str]] = {}
    for i, name in joined.items():
        own = grouped[i].group if named[i] else digests[i][:16]
        candidate = grouped[i].source, not named[i], str(own)
        candidates[name] = min(candidates.get(name, candidate), candidate)
    return {name: own for name, (_, _, own) in candidates.items()}


def _waiting(
    joined: Mapping[int, str],
    grouped: Sequence[LabelledPicture],
    completed: Sequence[LabelledPicture],
    placed: Mapping[int, LabelledPicture],
    held: Mapping[str, str | None],
    source: int,
) -> dict[int, LabelledPicture]:
    """The pictures in their joined groups, with the splits that they have to keep.

    Args:
        held: the splits of groups that have pictures which are not given.
    """
    given = Counter(completed[i].split for i in joined if grouped[i].source == source)
    # Divided without a validation split: that is drawn from those to train on.
    redrawn = given["train"] > 0 and not given["validation"]
    waiting = {}
    for i, name in joined.items():
        split = placed.get(i, grouped[i]).split
        if redrawn and i not in placed and split == "train":
            split = None
        waiting[i] = replace(grouped[i], group=name, split=split or held.get(name))
    return waiting


def _wanted(
    joined: Mapping[int, str],
    grouped: Sequence[LabelledPicture],
    completed: Sequence[LabelledPicture],
    placed: Mapping[int, LabelledPicture],
    source: int,
    shares: Mapping[str, float],
) -> Mapping[str, float]:
    """The shares to draw by: nothing is drawn into a test split that a set came with."""
    tested = {grouped[i].source for i in joined if completed[i].split == "test"}
    stays = source in tested or (
        0 in tested and {grouped[i].label for i in joined} == {p.label for p in placed.values()}
    )
    return {**shares, "test": 0.0} if stays else shares
