"""Labelled pictures on disk: folders of classes, divided or not, a CSV manifest, or a class map.

`pilah-edge evaluate` and the trainer read their pictures through this one room.
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
