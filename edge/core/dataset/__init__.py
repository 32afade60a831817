"""Readers of labelled data sets: folders of classes with or without splits, manifests, class maps.

`pilah-edge evaluate` and the trainer read their pictures through this package.
"""

from edge.core.dataset.picture_set import (
    SPLITS,
    LabelledPicture,
    PictureSet,
    SkippedFile,
    complete_splits,
    kinds_of,
)
from edge.core.dataset.reading import read_picture_set, read_unlabelled

__all__ = [
    "SPLITS",
    "LabelledPicture",
    "PictureSet",
    "SkippedFile",
    "complete_splits",
    "kinds_of",
    "read_picture_set",
    "read_unlabelled",
]
