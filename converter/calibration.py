"""Chooses the calibration pictures, which decide int8 ranges and the rounding of weights."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from converter.errors import CalibrationError
from edge.core.dataset import LabelledPicture
from edge.core.images.image_file import read_image
from edge.core.images.preprocess import InputSpec, preprocess
from edge.core.terminal.progress import Progress
from edge.core.terminal.wording import number_of

CALIBRATION_PICTURES = 100
"""The default number of calibration pictures. More of them take more time."""

BLACK_AND_WHITE = 2
"""The number of artificial pictures in front of the others: one pure black, one pure white."""

MIN_CALIBRATION_PICTURES = 10
"""The smallest number of calibration pictures: with fewer, the result depends on which they are."""

Tensors = npt.NDArray[np.uint8]
"""Model inputs as `preprocess` makes them, uint8 (pictures, height, width, channels)."""


def choose_calibration(
    pictures: Sequence[LabelledPicture], count: int, *, seed: int
) -> tuple[LabelledPicture, ...]:
    """At most `count` pictures of the training split, with equally many of each label if possible.

    The same pictures in the same order and the same seed give the same choice on every Python.

    Args:
        pictures: all pictures of a run, of every part.
        count: the number of pictures; the whole training split is taken if it has fewer.
        seed: decides which pictures are chosen.

    Raises:
        CalibrationError: the training split has fewer than MIN_CALIBRATION_PICTURES pictures, or
            `count` is less than that, or less than the number of labels.
    """
    # `random()` is the one stream that Python promises to keep between versions.
    draw = random.Random(seed)
    training = [picture for picture in pictures if picture.split == "train"]
    shuffled = [
        picture for _, picture in sorted(((draw.random(), p) for p in training), key=lambda t: t[0])
    ]
    labels = sorted({picture.label for picture in shuffled})
    if len(shuffled) < MIN_CALIBRATION_PICTURES:
        raise CalibrationError(
            f"the training split has {number_of(len(shuffled), 'pictures')}; calibration needs "
            f"{MIN_CALIBRATION_PICTURES} or more: train on more pictures"
        )
    needed = max(MIN_CALIBRATION_PICTURES, len(labels))
    if count < needed:
        raise CalibrationError(
            f"--calibration-pictures {count} is too few: give {needed} or more "
            f"({MIN_CALIBRATION_PICTURES} at least, and one for each of the {len(labels)} labels)"
        )
    waiting = {label: [p for p in shuffled if p.label == label] for label in labels}
    chosen: list[LabelledPicture] = []
    while len(chosen) < min(count, len(shuffled)):
        for label in labels:
            if waiting[label] and len(chosen) < count:
                chosen.append(waiting[label].pop(0))
    return tuple(chosen)


def calibration_tensors(pictures: Sequence[LabelledPicture], spec: InputSpec) -> Tensors:
    """Pure black, pure white and then `pictures`, uint8 (2 + pictures, height, width, channels).

    Because both ends of the scale are among them, the quantised input has scale 1 and zero point 0
    and so takes raw levels.

    Raises:
        UnreadableImageError: a picture has been damaged since the training.
    """
    tensors = np.empty((BLACK_AND_WHITE + len(pictures), *spec.shape), np.uint8)
    tensors[0], tensors[1] = 0, 255
    with Progress("reading calibration pictures", total=len(pictures)) as progress:
        for tensor, picture in zip(tensors[BLACK_AND_WHITE:], pictures, strict=True):
            preprocess(read_image(picture.path), spec, out=tensor)
            progress.advance()
    return tensors
