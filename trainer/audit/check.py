"""The check of a set of pictures: its steps in order, and all that it finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.core.dataset import LabelledPicture, read_picture_set
from edge.core.errors import PictureSetError
from edge.core.terminal.wording import number_of
from trainer.audit.copies import Copies, find_copies, join_groups
from trainer.audit.file_facts import FileFacts, Unreadable, read_facts
from trainer.audit.label_errors import LabelErrors, find_label_errors
from trainer.audit.outliers import Outlier, find_outliers
from trainer.audit.pooled_features import SPEC, pooled_features
from trainer.audit.shortcut import (
    ShortcutResult,
    Table,
    file_table,
    frame_and_middle,
    measure_shortcut,
)
from trainer.audit.sources import Sources, find_sources
from trainer.data.arrays import unpacked
from trainer.data.cache import DecodedPictures, decode_pictures
from trainer.data.duplicates.near_duplicates import find_near_duplicates
from trainer.data.groups import assign_groups, group_column
from trainer.errors import WeightsMissingError

_FEWEST_TO_TELL = 10
"""Pictures that at least two classes must have each before a model judges the labels."""


@dataclass(frozen=True, slots=True, eq=False)
class CheckResult:
    """The findings of a check. Pictures are named by their indices in `pictures`."""

    source: Path
    """The set that was checked, as the user gave it."""
    root: Path
    """The folder that shown paths are relative to."""
    classes: tuple[str, ...]
    pictures: tuple[LabelledPicture, ...]
    """The pictures that can be read."""
    facts: tuple[FileFacts, ...]
    """The facts of the file of each picture in `pictures`."""
    tensors: Any
    """The decoded pictures, uint8 (pictures, 224, 224, 3), indexed like an array."""
    unreadable: tuple[tuple[LabelledPicture, Unreadable], ...]
    skipped: tuple[str, ...]
    """A line for each file that looks like a picture and is not read."""
    notes: tuple[str, ...]
    copies: tuple[Copies, ...]
    sources: Sources | None
    """The sources of the pictures; None if all come from one source."""
    source_shows: ShortcutResult | None
    """How well a classifier predicts the source from the picture's frame and its file."""
    background: ShortcutResult | None
    """How well a classifier predicts the class from the picture's frame alone; None if there are
    too few pictures."""
    files: ShortcutResult | None
    """How well a classifier predicts the class from the file's size, format and compression; None
    if all files have the same."""
    label_errors: LabelErrors | None
    outliers: tuple[Outlier, ...]
    without_features: str
    """The reason why label errors and outliers were not looked for; empty if they were."""

    @property
    def counts(self) -> Counter[str]:
        """The number of readable pictures of each class, including classes with 0."""
        counts = Counter(dict.fromkeys(self.classes, 0))
        counts.update(picture.label for picture in self.pictures)
        return counts


def check_pictures(source: Path, *, groups: str | None = None) -> CheckResult:
    """Everything in the pictures of `source` that is wrong or worth knowing before a training.

    Args:
        source: see `read_picture_set`; arrays of pictures are unpacked first.
        groups: which pictures belong together; see `assign_groups`. With them a model is never
            asked about a picture when it has seen another of the same thing.

    Raises:
        PictureSetError: there is no such set, or none of its files can be read.
        GroupError: `groups` does not fit the pictures.
        StorageError: the cache cannot be written.
    """
    place = unpacked(source)
    found = read_picture_set(place, group_column=group_column(groups))
    grouped = assign_groups(found.pictures, groups)
    all_facts = read_facts(grouped)
    unreadable = tuple(
        (picture, facts)
        for picture, facts in zip(grouped, all_facts, strict=True)
        if isinstance(facts, Unreadable)
    )
    facts = tuple(facts for facts in all_facts if isinstance(facts, FileFacts))
    if not facts:
        raise PictureSetError(
            f"{source}: none of its {number_of(len(grouped), 'pictures')} can be read, "
            f"first: {unreadable[0][0].path}: {unreadable[0][1].why}"
        )
    readable = [p for p, f in zip(grouped, all_facts, strict=True) if isinstance(f, FileFacts)]
    decoded = decode_pictures(readable, SPEC)
    copies = find_copies(
        decoded.pictures, decoded.digests, find_near_duplicates(decoded.tensors, SPEC)
    )
    pictures = join_groups(decoded.pictures, copies)
    sources = find_sources(place, pictures)
    background, files, source_shows = _give_aways(decoded.tensors, facts, pictures, sources)
    label_errors, outliers, why = _by_features(decoded, pictures)
    return CheckResult(
        source=source,
        root=place if place.is_dir() else place.parent,
        classes=found.classes,
        pictures=pictures,
        facts=facts,
        tensors=decoded.tensors,
        unreadable=unreadable,
        skipped=found.skipped,
        notes=(*found.notes, *filter(None, [found.missing_splits])),
        copies=copies,
        sources=sources,
        source_shows=source_shows,
        background=background,
        files=files,
        label_errors=label_errors,
        outliers=outliers,
        without_features=why,
    )


def _give_aways(
    tensors: Any,
    facts: Sequence[FileFacts],
    pictures: Sequence[LabelledPicture],
    sources: Sources | None,
) -> tuple[ShortcutResult | None, ShortcutResult | None, ShortcutResult | None]:
    """How well the frame predicts the class, the file the class, and both together the source."""
    if not _enough(pictures):
        return None, None, None
    frame, middle = frame_and_middle(tensors)
    background = measure_shortcut(frame, pictures, middle=middle)
    table = file_table(facts)
    files = measure_shortcut(table, pictures) if _varies(table) else None
    shows = None
    if sources is not None:
        of = [replace(p, label=name) for p, name in zip(pictures, sources.of, strict=True)]
        shows = measure_shortcut(np.concatenate([frame, table], axis=1), of)
    return background, files, shows


def _by_features(
    decoded: DecodedPictures, pictures: Sequence[LabelledPicture]
) -> tuple[LabelErrors | None, tuple[Outlier, ...], str]:
    labels = sorted({picture.label for picture in pictures})
    if not _enough(pictures):
        return (
            None,
            (),
            (f"it takes two classes of {_FEWEST_TO_TELL} pictures or more to tell a wrong label"),
        )
    try:
        features = pooled_features(decoded)
    except WeightsMissingError as error:
        return None, (), str(error)
    truth = np.array([labels.index(picture.label) for picture in pictures])
    _, groups = np.unique([str(picture.group) for picture in pictures], return_inverse=True)
    return (
        find_label_errors(features.products, pictures, labels),
        find_outliers(features.means, truth, groups),
        "",
    )


def _enough(pictures: Sequence[LabelledPicture]) -> bool:
    counts = Counter(picture.label for picture in pictures)
    return sum(count >= _FEWEST_TO_TELL for count in counts.values()) > 1


def _varies(table: Table) -> bool:
    constant: npt.NDArray[np.bool_] = (table == table[0]).all(axis=0)
    return not bool(constant.all())
