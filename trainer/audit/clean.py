"""A reviewed list applied to a set of pictures: a manifest without what was dropped.

The pictures themselves, and the list, stay as they are.
"""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge.core.dataset import LabelledPicture, PictureSet, read_picture_set
from edge.core.errors import PictureSetError, StorageError
from edge.core.files import storage_errors, write_file
from edge.core.suggestions import did_you_mean
from trainer.audit.review import DROP, KEEP, RELABEL, read_rows, relative_name, same_name
from trainer.data.arrays import unpacked
from trainer.errors import ReviewError

MANIFEST = "manifest.csv"
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class CleanResult:
    """The manifest of a cleaned set and how many pictures were changed."""

    manifest: Path
    kept: int
    dropped: int
    relabelled: int
    undecided: int
    """Rows of the list without a decision: their pictures are kept."""
    counts: dict[str, int]
    """The number of pictures that are kept, by label."""


def clean_pictures(
    source: Path, review: Path, out: Path | None = None, *, replace_out: bool = False
) -> CleanResult:
    """Writes a manifest of the pictures in `source` as the list `review` says.

    Groups and splits that the set has are kept.

    Args:
        source: what was checked.
        review: the list that `data check` wrote, its column `do` filled in.
        out: the manifest, or a folder for `manifest.csv`; None: beside the list.
        replace_out: take the place of a manifest that is there already.

    Raises:
        PictureSetError: there is no such set, or nothing is left of it.
        ReviewError: a line names a picture that is not there, or says what cannot be done.
        StorageError: the manifest exists, is the set or the list itself, or cannot be written.
    """
    place = unpacked(source)
    found = read_picture_set(place)
    root = place if place.is_dir() else place.parent
    decisions, undecided = _decisions(found, root, review)
    manifest = _place(out, review)
    _check_place(manifest, found.source, review, replace_out)
    kept = [
        picture if decision is None else replace(picture, label=decision)
        for picture, decision in (
            (picture, decisions.get(index)) for index, picture in enumerate(found.pictures)
        )
        if decision != ""
    ]
    if not kept:
        raise PictureSetError(f"{review}: it drops every picture of {source}: nothing is left")
    with storage_errors("create", manifest.parent):
        manifest.parent.mkdir(parents=True, exist_ok=True)
    write_file(manifest, _manifest(kept, manifest.parent))
    return CleanResult(
        manifest=manifest,
        kept=len(kept),
        dropped=len(found.pictures) - len(kept),
        relabelled=sum(
            bool(label) and label != found.pictures[index].label
            for index, label in decisions.items()
        ),
        undecided=undecided,
        counts=dict(sorted(Counter(picture.label for picture in kept).items())),
    )


def _decisions(found: PictureSet, root: Path, review: Path) -> tuple[dict[int, str], int]:
    """The new label by picture number, "" where it is dropped; and how many lines say nothing."""
    numbers = {
        same_name(relative_name(picture.path, root)): index
        for index, picture in enumerate(found.pictures)
    }
    decided: dict[int, tuple[str, int]] = {}
    undecided = 0
    mistakes: list[str] = []
    for line, row in read_rows(review):
        index = numbers.get(same_name(row["path"]))
        if index is None:
            mistakes.append(f"{review}:{line}: {_no_such(root, row['path'], found)}")
            continue
        try:
            label = _decision(row["do"], found.classes)
        except ReviewError as error:
            mistakes.append(f"{review}:{line}: {error}")
            continue
        if label is None:
            undecided += not row["do"].strip()
            continue
        before, first = decided.setdefault(index, (label, line))
        if before != label:
            mistakes.append(
                f"{review}:{line}: {row['path']} is to be {_words(label)} here and "
                f"{_words(before)} on line {first}: decide for one"
            )
    if mistakes:
        more = [f"and {len(mistakes) - _SHOWN} more"] if len(mistakes) > _SHOWN else []
        raise ReviewError("\n".join([*mistakes[:_SHOWN], *more]))
    return {index: label for index, (label, _) in decided.items()}, undecided


def _decision(text: str, classes: Sequence[str]) -> str | None:
    """The new label, "" to drop, None to keep."""
    word, colon, label = (part.strip() for part in text.partition(":"))
    if word.lower() in ("", KEEP) and not colon:
        return None
    if word.lower() == DROP and not colon:
        return ""
    if word.lower() == RELABEL and label:
        if label not in classes:
            raise ReviewError(f"there is no class {label!r}{did_you_mean(label, classes)}")
        return label
    raise ReviewError(
        f"do must be drop, keep, relabel:LABEL or empty (which keeps). Received: {text!r}"
    )


def _no_such(root: Path, name: str, found: PictureSet) -> str:
    if not name.strip():
        return "it names no picture"
    if (root / name).is_file():
        return f"{root / name} is no picture of {found.source}: was the list made of another set?"
    return f"{root / name} is not there (any more): remove the line, or check the set again"


def _place(out: Path | None, review: Path) -> Path:
    if out is None:
        return review.with_name(f"{review.stem}.clean.csv")
    return out if out.suffix.lower() == ".csv" else out / MANIFEST


def _check_place(manifest: Path, source: Path, review: Path, replace_out: bool) -> None:
    for other, words in ((source, "what is to be cleaned"), (review, "the list")):
        if manifest.exists() and other.exists() and manifest.samefile(other):
            raise StorageError(f"{manifest} is {words}: choose another --out")
    if manifest.exists() and not replace_out:
        raise StorageError(f"{manifest} is there already: choose another --out, or add --replace")


def _manifest(pictures: Sequence[LabelledPicture], folder: Path) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    grouped = any(picture.group for picture in pictures)
    divided = any(picture.split for picture in pictures)
    writer.writerow(("path", "label", *["group"] * grouped, *["split"] * divided))
    for picture in pictures:
        # Not through a link to the picture itself: its name may say what it belongs to.
        file = picture.path.parent.resolve() / picture.path.name
        path = Path(os.path.relpath(file, folder.resolve())).as_posix()
        row = [path, picture.label]
        row += [picture.group or ""] * grouped + [picture.split or ""] * divided
        writer.writerow(row)
    return text.getvalue()


def _words(label: str) -> str:
    return f"relabelled {label}" if label else "dropped"
