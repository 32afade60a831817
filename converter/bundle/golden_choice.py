"""Chooses golden pictures: a few pictures with known scores, which every device must reproduce."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from converter.tflite.operators import logit_scale
from edge.core.dataset import LabelledPicture
from edge.core.images.image_file import Image, decode_image, read_image
from edge.core.images.preprocess import InputSpec, Tensor, preprocess
from edge.core.model.interpreter import Interpreter
from edge.core.verdict import Prediction

GOLDEN_COUNT = 4
"""The number of golden pictures in a bundle. The exact check takes some tenths of a second each."""
MAX_STORED_SIDE = 640
"""The largest length of a stored picture's longer side, in pixels."""

_TRIED = 5
"""The number of pictures of each label among which golden pictures are chosen."""
_FEWEST_STEPS = 4
"""The smallest tolerance of a logit in quantisation steps, one for each of the last layers."""

_FOREIGN_STEP = 0.025
"""The assumed quantisation step of a logit in models that have none: float models, and models with
an int8 softmax."""

_FEWEST_ODDS = 0.2
"""The smallest tolerance of the novelty score's log-odds. At a score of 0.5 it is 0.05."""

Scores = npt.NDArray[np.float32]
"""The scores of one picture, float32 (classes,)."""


@dataclass(frozen=True, slots=True, eq=False)
class ReferencePicture:
    """A picture for `golden/`, with its input tensor and its scores."""

    png: bytes
    """The PNG file's bytes."""
    tensor: Tensor
    """The model's input for this picture."""
    prediction: Prediction
    """The scores that the reference kernels compute."""


def choose_golden(
    pictures: Sequence[LabelledPicture], model: bytes, spec: InputSpec, *, seed: int
) -> tuple[ReferencePicture, ...]:
    """GOLDEN_COUNT pictures, of different labels if possible, whose best score is clear.

    Args:
        pictures: all pictures of a run; the test split is used, or the validation split if the test
            split has fewer than GOLDEN_COUNT.
        model: the int8 `.tflite` file's bytes.
        spec: how a picture becomes a tensor.
        seed: decides which pictures are considered.
    """
    part = "test" if sum(p.split == "test" for p in pictures) >= GOLDEN_COUNT else "validation"
    offered = [picture for picture in pictures if picture.split == part]
    draw = random.Random(seed)  # `random()` gives the same on every Python
    shuffled = [p for _, p in sorted(((draw.random(), p) for p in offered), key=lambda t: t[0])]
    fast = Interpreter(model)
    found: list[tuple[int, float, bytes, Tensor]] = []
    for label in sorted({picture.label for picture in offered}):
        tried = []
        for picture in [p for p in shuffled if p.label == label][:_TRIED]:
            png = stored_png(read_image(picture.path))
            tensor = preprocess(decode_image(png), spec)
            second, first = np.sort(fast.scores(tensor))[-2:]
            tried.append((float(first - second), png, tensor))
        tried.sort(key=lambda entry: -entry[0])
        found.extend((rank, -clear, png, tensor) for rank, (clear, png, tensor) in enumerate(tried))
    # The clearest of each label first, then the second clearest of each.
    found.sort(key=lambda entry: entry[:2])
    reference = Interpreter(model, kernels="reference")
    return tuple(
        ReferencePicture(png, tensor, reference.predict(tensor))
        for _, _, png, tensor in found[:GOLDEN_COUNT]
    )


def stored_png(image: Image) -> bytes:
    """`image` as a PNG file's bytes: no side longer than MAX_STORED_SIDE, and never square.

    With a square picture, a device that rotates or stretches pictures differently would not be
    noticed. So a strip at the top and one at the bottom are cut off.

    Args:
        image: uint8 (height, width, 3) BGR, upright.
    """
    height, width = image.shape[:2]
    if height == width and height >= 8:
        image = image[height // 8 : height - height // 8]
        height = image.shape[0]
    factor = -(-max(height, width) // MAX_STORED_SIDE)
    if factor > 1:
        image = image[: max(1, height // factor) * factor, : max(1, width // factor) * factor]
        size = (max(1, width // factor), max(1, height // factor))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    encoded, png = cv2.imencode(".png", image)
    if not encoded:
        raise ValueError(f"a picture of shape {image.shape} cannot be written as PNG")
    return png.tobytes()


def golden_tolerance(golden: Sequence[ReferencePicture], model: bytes) -> float:
    """How far a score may differ with other kernels than the reference ones, 0..1.

    Kernels round differently in every layer, and the differences add up: between XNNPACK and the
    reference kernels, the differences of two logits of MobileNetV2 changed by 7 quantisation steps
    on average and by 15 at most (43 photographs). This depends on the depth of the network, so it
    is measured on the golden pictures with the kernels of this machine, and doubled to allow for
    other kernels; it is at least _FEWEST_STEPS steps. If differences of logits change by at most
    `shift`, the log-odds of a score change by at most `shift` (the log-odds of class i are logit i
    minus the log-sum-exp of the others), so a score p becomes at most
    1 / (1 + exp(-(logit p + shift))).
    """
    shift = _FEWEST_STEPS * (logit_scale(model) or _FOREIGN_STEP)
    for kernels in ("default", "plain"):
        interpreter = Interpreter(model, kernels=kernels)
        for picture in golden:
            moved = _log(interpreter.scores(picture.tensor)) - _log(picture.prediction.scores)
            shift = max(shift, 2 * float(moved.max() - moved.min()))
    largest = 0.0
    for picture in golden:
        log_odds = _log(picture.prediction.scores) - _log(1 - picture.prediction.scores)
        for moved in (log_odds - shift, log_odds + shift):
            change = np.abs(1 / (1 + np.exp(-moved)) - picture.prediction.scores).max()
            largest = max(largest, float(change))
    # Rounded up to be readable, and never less than the rounding of a float softmax.
    return min(1.0, max(0.001, float(np.ceil(largest * 1000) / 1000)))


def unknown_tolerance(golden: Sequence[ReferencePicture], model: bytes) -> float | None:
    """How far the novelty score may differ with other kernels, 0..1; None if there is none.

    It is measured and doubled as for `golden_tolerance`, in log-odds, because kernels change these
    by about the same amount for all pictures. It is at least _FEWEST_ODDS.
    """
    if any(picture.prediction.novelty is None for picture in golden):
        return None
    shift = _FEWEST_ODDS
    for kernels in ("default", "plain"):
        interpreter = Interpreter(model, kernels=kernels)
        for picture in golden:
            found = interpreter.predict(picture.tensor).novelty
            shift = max(shift, 2 * abs(_log_odds(found) - _log_odds(picture.prediction.novelty)))
    largest = max(
        abs(1 / (1 + math.exp(-moved)) - (picture.prediction.novelty or 0.0))
        for picture in golden
        for odds in [_log_odds(picture.prediction.novelty)]
        for moved in (odds - shift, odds + shift)
    )
    return min(1.0, max(0.001, math.ceil(largest * 1000) / 1000))


def _log_odds(novelty: float | None) -> float:
    share = min(max(novelty or 0.0, 1e-30), 1 - 1e-7)
    return math.log(share) - math.log1p(-share)


def _log(scores: Scores) -> npt.NDArray[np.float64]:
    return np.log(np.maximum(scores.astype(np.float64), 1e-30))
