"""The data types of a set of labelled pictures, whatever form it was read from."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge.core.terminal.wording import number_of

SPLITS = ("train", "validation", "test")
"""The splits of a data set, by the names that a manifest's `split` column uses."""


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """A picture file with its label."""

    path: Path
    label: str
    group: str | None = None
    """Pictures of one group are always in the same split; None means a group of its own."""
    split: str | None = None
    """One of SPLITS if the manifest or the folder decides it; otherwise None."""
    source: int = 0
    """The index of the source that it was read from: 0 is the first, 1 and up were added later."""


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """A file that looks like a picture but is not read."""

    path: Path
    kind: str
    """The kind of file, as a plural: `HEIC pictures`."""
    why: str
    """Why the file is not read, and what to do."""
    label: str = ""
    """The class that the file would belong to; empty if it is not known."""

    def __str__(self) -> str:
        return f"{printable(self.path)}: {self.why}"


@dataclass(frozen=True, slots=True)
class PictureSet:
    """Labelled pictures in a stable order, and the files that were left out."""

    source: Path
    pictures: tuple[LabelledPicture, ...]
    classes: tuple[str, ...]
    """Every label, sorted, including those without a picture, such as that of an empty folder."""
    left_out: tuple[SkippedFile, ...] = ()
    """Each file that looks like a picture but whose format or name cannot be read."""
    notes: tuple[str, ...] = ()
    """Sentences for the user about how the set was read."""
    missing_splits: str = ""
    """What a training does about the splits that the set lacks; empty if it lacks none."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of all pictures, each once, sorted."""
        return tuple(sorted({picture.label for picture in self.pictures}))

    @property
    def skipped(self) -> tuple[str, ...]:
        """One line of text for each file that was left out."""
        return tuple(map(str, self.left_out))


def kinds_of(left_out: Iterable[SkippedFile]) -> str:
    """The files that were left out, counted by kind: `38 HEIC pictures, 2 broken links`."""
    return counted(Counter(file.kind for file in left_out))


def counted(kinds: Counter[str]) -> str:
    """The counts as text, the largest first: `38 .txt files, 2 .xml files`."""
    return ", ".join(number_of(count, kind) for kind, count in kinds.most_common())


def printable(path: Path) -> str:
    """A path, which may not be UTF-8, as text that can be printed."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def is_utf8(path: Path | str) -> bool:
    """Whether a name is valid UTF-8, so that it can be written to a text file."""
    # Python uses a lone surrogate for each byte that is not UTF-8; no text file can hold one.
    return not any("\ud800" <= character <= "\udfff" for character in str(path))


def complete_splits(
    pictures: Sequence[LabelledPicture],
) -> tuple[tuple[LabelledPicture, ...], str]:
    """The pictures with a test split, and a note on what was changed (empty if nothing was).

    If a set with splits has no test split, its validation split becomes the test split: its
    pictures are not trained on, and they are used once, at the end. The pictures for choosing the
    best epoch are then taken out of the train split.
    """
    parts = {picture.split for picture in pictures} - {None}
    if "train" not in parts or parts == set(SPLITS):
        return tuple(pictures), ""
    drawn = "the validation split is taken out of the train split"
    if "test" in parts:
        return tuple(pictures), f"no validation split is given: {drawn}"
    if "validation" in parts:
        renamed = [
            replace(picture, split="test") if picture.split == "validation" else picture
            for picture in pictures
        ]
        return tuple(renamed), (
            f"no test split is given: the validation split is used for the test, and {drawn}"
        )
    return tuple(replace(picture, split=None) for picture in pictures), (
        "no validation split and no test split are given: both are taken out of the train split"
    )
