"""Representative pictures: what ranges, and the rounding of weights, are chosen by."""

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

CALIBRATED_ON = 100
"""Pictures to calibrate on, unless told: each costs time."""

BLACK_AND_WHITE = 2
"""Tensors at the front that no camera gives: pure black and pure white."""

FEWEST = 10
"""Pictures below which what they show is an accident of the choice."""

Tensors = npt.NDArray[np.uint8]
"""uint8 (pictures, height, width, channels), as `preprocess` makes them."""


def choose_calibration(
    pictures: Sequence[LabelledPicture], count: int, *, seed: int
) -> tuple[LabelledPicture, ...]:
    """At most `count` pictures of the training part, the same number of each label where it can be.

    The same pictures in the same order and the same seed give the same choice on every Python.

    Args:
        pictures: of a run, every part.
        count: how many; the whole training part where it has fewer.

    Raises:
        CalibrationError: the training part has fewer than FEWEST pictures, or `count` asks for
            fewer than FEWEST or than there are labels.
    """
    # `random()` is the one stream that Python promises to keep between versions.
    draw = random.Random(seed)
    training = [picture for picture in pictures if picture.split == "train"]
    shuffled = [
        picture for _, picture in sorted(((draw.random(), p) for p in training), key=lambda t: t[0])
    ]
    labels = sorted({picture.label for picture in shuffled})
    if len(shuffled) < FEWEST:
        raise CalibrationError(
            f"the training part has {len(shuffled)} pictures; calibration takes {FEWEST} or more: "
            "train on more pictures"
        )
    if count < max(FEWEST, len(labels)):
        raise CalibrationError(
            f"--calibration-pictures {count} is too few: give {max(FEWEST, len(labels))} or more "
            f"({FEWEST} at least, and one for each of the {len(labels)} labels)"
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

    With both ends of the scale among them the input becomes scale 1, zero point 0: raw levels.

    Raises:
        UnreadableImageError: a picture has been damaged since the training.
    """
    tensors = np.empty((BLACK_AND_WHITE + len(pictures), *spec.shape), np.uint8)
    tensors[0], tensors[1] = 0, 255
    with Progress("reading pictures to calibrate on", total=len(pictures)) as progress:
        for tensor, picture in zip(tensors[BLACK_AND_WHITE:], pictures, strict=True):
            preprocess(read_image(picture.path), spec, out=tensor)
            progress.advance()
    return tensors
