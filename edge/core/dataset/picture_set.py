"""What a set of labelled pictures is, however it was written down."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

SPLITS = ("train", "validation", "test")
"""The parts of a split, by the names a manifest's `split` column uses."""


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """A picture file and what is on it."""

    path: Path
    label: str
    group: str | None = None
    """Pictures of one group never land in two parts of a split; None: a group of its own."""
    split: str | None = None
    """One of PARTS where the manifest or the folder decides the split."""
    source: int = 0
    """Which of the places it came from: 0 the first, 1 and up those added later, in order."""


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file that looks like a picture and is not read."""

    path: Path
    kind: str
    """What it is, as a plural: `HEIC pictures`."""
    why: str
    """Why it is not read, and what to do."""
    label: str = ""
    """The class that it would be of."""

    def __str__(self) -> str:
        return f"{printable(self.path)}: {self.why}"


@dataclass(frozen=True, slots=True)
class PictureSet:
    """Labelled pictures in a stable order, and what had to be left out."""

    source: Path
    pictures: tuple[LabelledPicture, ...]
    classes: tuple[str, ...]
    """Every label that is named, sorted: those of no picture too, as of an empty folder."""
    left_out: tuple[SkippedFile, ...] = ()
    """Each file that looks like a picture but whose format or name cannot be read."""
    notes: tuple[str, ...] = ()
    """A line for each thing a person should know of how the set was read."""
    missing_splits: str = ""
    """What a training does about parts that a divided set lacks, if it does."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Every label of a picture once, sorted."""
        return tuple(sorted({picture.label for picture in self.pictures}))

    @property
    def skipped(self) -> tuple[str, ...]:
        """A line for each file that was left out."""
        return tuple(map(str, self.left_out))


def kinds_of(left_out: Iterable[SkippedFile]) -> str:
    """What was left out, counted by kind: `38 HEIC pictures, 2 links that lead nowhere`."""
    return counted(Counter(file.kind for file in left_out))


def counted(kinds: Counter[str]) -> str:
    """`38 .txt files, 2 .xml files`, the most common first."""
    return ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())


def printable(path: Path) -> str:
    """A path that may not be UTF-8 as text that can be printed."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def is_utf8(path: Path | str) -> bool:
    """Whether a name can be written in a text file."""
    # Python has a lone surrogate for each byte of a name that is not UTF-8. No text file takes it.
    return not any("\ud800" <= character <= "\udfff" for character in str(path))


def complete_splits(
    pictures: Sequence[LabelledPicture],
) -> tuple[tuple[LabelledPicture, ...], str]:
    """The pictures of a set that comes divided with a test part, and what to tell of it, if any.

    Where it has none, its validation part is tested on: it is made of other pictures than those
    trained on, and is looked at once, at the end. What to choose the best epoch by is then taken
    out of the pictures to train on.
    """
    parts = {picture.split for picture in pictures} - {None}
    if "train" not in parts or parts == set(SPLITS):
        return tuple(pictures), ""
    drawn = "validation is taken out of train"
    if "test" in parts:
        return tuple(pictures), f"no validation part is given: {drawn}"
    if "validation" in parts:
        renamed = [
            replace(picture, split="test") if picture.split == "validation" else picture
            for picture in pictures
        ]
        return tuple(renamed), f"no test part is given: validation is tested on, and {drawn}"
    return tuple(replace(picture, split=None) for picture in pictures), (
        "no validation and no test part are given: both are taken out of train"
    )
