"""Whether a finished run may teach: whether it has seen what its student is to be tested on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edge.core.dataset import LabelledPicture
from edge.core.terminal.wording import number_of
from trainer.data.cache import decode_pictures
from trainer.data.duplicates.near_duplicates import find_near_duplicates
from trainer.errors import RunError
from trainer.fit.prepare import Prepared
from trainer.run import Run, SplitRow

_KEPT_APART = (("validation", ("train",)), ("test", ("train", "validation")))
"""Splits of the student, each with those of a teacher from which it may have nothing."""


def check_unseen(prepared: Prepared, run: Run, rows: Sequence[SplitRow]) -> list[str]:
    """Passes a teacher that has seen nothing that its student is kept from; what to know of it.

    Args:
        prepared: the student's pictures.
        run: the teacher.
        rows: its pictures, and those of the runs that it started from.

    Raises:
        RunError: it has learned from, or was chosen by, such a picture, or a copy of one that was
            saved again.
    """
    mine = {
        split: {prepared.decoded.digests[i]: i for i in prepared.of(split)}
        for split, _ in _KEPT_APART
    }
    for split, used in _KEPT_APART:
        theirs = {row.sha256 for row in rows if row.split in used}
        if seen := len(theirs & mine[split].keys()):
            raise RunError(
                f"distill.teacher: {run.path} has learned from, or was chosen by, {seen} of the "
                f"{len(mine[split])} pictures of the {split} split, and would tell of them. Train "
                f"with the split of that run: --keep-parts {run.path}"
            )
    if not prepared.recipe.split.near_duplicates:
        return []
    # Copies among the student's own pictures lie in one split already.
    given, root = set(prepared.decoded.digests), Path(run.facts.data.root)
    absent = [
        LabelledPicture(root / row.path, row.label, None, row.split)
        for row in rows
        if row.sha256 not in given and row.split != "test"
    ]
    there = [picture for picture in absent if picture.path.is_file()]
    kept = [i for found in mine.values() for i in found.values()]
    decoded = decode_pictures(
        [*there, *(replace(prepared.pictures[i], source=1) for i in kept)], prepared.recipe.input
    )
    first = sum(picture.source == 0 for picture in decoded.pictures)
    copies: dict[str, set[str]] = {split: set() for split in mine}
    pairs = find_near_duplicates(decoded.tensors, prepared.recipe.input, since=first)
    for pair in pairs if first else ():
        one, digest = decoded.pictures[pair.first], decoded.digests[pair.second]
        for split, used in _KEPT_APART:
            if pair.first < first and one.split in used and digest in mine[split]:
                copies[split].add(digest)
    for split, found in copies.items():
        if found:
            first_one = prepared.pictures[min(mine[split][digest] for digest in found)].path
            raise RunError(
                f"distill.teacher: {run.path} has learned from, or was chosen by, pictures of "
                f"which {len(found)} of the {len(mine[split])} pictures of the {split} split are "
                f"copies, saved again, and would tell of them: the first is {first_one}. Leave "
                f"these out, or give the pictures of that run too, with --keep-parts {run.path}"
            )
    if gone := len(absent) - first:
        return [
            f"{number_of(gone, 'pictures')} that the teacher has learned from cannot be read any "
            "more: that none of the student's test pictures is a copy of one is not known"
        ]
    return []
