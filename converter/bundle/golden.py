"""Golden pictures: a few with known answers, by which a device proves that it answers alike."""

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

COUNT = 4
"""Golden pictures in a bundle: the exact check takes some tenths of a second for each."""
LONGEST = 640
"""Pixels of a stored picture's longer side, at most."""

_TRIED = 5
"""Pictures looked at for each label."""
_FEWEST_STEPS = 4
"""Steps of a logit that a device may always be off by: one rounding in each of its last layers."""

_FOREIGN_STEP = 0.025
"""What a step of a logit is held to be worth where it cannot be read off: in a float model, or
behind a softmax in integers."""

_FEWEST_ODDS = 0.2
"""What the log-odds of a novelty score may always be off by: where it is 0.5, that is 0.05."""

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class GoldenPicture:
    """A picture for `golden/`, and what the reference kernels make of it."""

    png: bytes
    tensor: Tensor
    prediction: Prediction
    """Under the reference kernels."""


def choose_golden(
    pictures: Sequence[LabelledPicture], model: bytes, spec: InputSpec, *, seed: int
) -> tuple[GoldenPicture, ...]:
    """COUNT pictures, of different labels while they last, whose best score is clear.

    Args:
        pictures: a run's; the test part is used, or the validation part where that has fewer than
            COUNT.
        model: the int8 `.tflite` file's bytes.
        spec: how a picture becomes a tensor.
        seed: decides which pictures are looked at.
    """
    part = "test" if sum(p.split == "test" for p in pictures) >= COUNT else "validation"
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
        GoldenPicture(png, tensor, reference.predict(tensor)) for _, _, png, tensor in found[:COUNT]
    )


def stored_png(image: Image) -> bytes:
    """`image` as a PNG file's bytes: no longer than LONGEST, and never square.

    A square picture would not show a device that turns or stretches differently, so it loses a
    strip at the top and at the bottom.

    Args:
        image: uint8 (height, width, 3) BGR, upright.
    """
    height, width = image.shape[:2]
    if height == width and height >= 8:
        image = image[height // 8 : height - height // 8]
        height = image.shape[0]
    factor = -(-max(height, width) // LONGEST)
    if factor > 1:
        image = image[: max(1, height // factor) * factor, : max(1, width // factor) * factor]
        size = (max(1, width // factor), max(1, height // factor))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    encoded, png = cv2.imencode(".png", image)
    if not encoded:
        raise ValueError(f"a picture of {image.shape} cannot be written as PNG")
    return png.tobytes()


def golden_tolerance(golden: Sequence[GoldenPicture], model: bytes) -> float:
    """How far a score may be off under other kernels than the reference ones, 0..1.

    Kernel families round differently in every layer, and that adds up: between XNNPACK and the
    reference kernels the logits of MobileNetV2 moved against each other by 7 steps of their scale
    on average, and by 15 at most (43 photographs). How much depends on the network's depth, so it
    is measured here, on the golden pictures with the kernels at hand, and doubled for those that
    are not; at least _FEWEST_STEPS steps. When logits move against each other by at most `shift`,
    the log-odds of a score move by at most `shift` (log-odds of i = logit i less the
    log-sum-exp of the others), so a score p becomes at most 1 / (1 + exp(-(logit p + shift))).
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
    # Rounded up, to be read by people; never below what a float softmax itself may differ by.
    return min(1.0, max(0.001, float(np.ceil(largest * 1000) / 1000)))


def unknown_tolerance(golden: Sequence[GoldenPicture], model: bytes) -> float | None:
    """How far a novelty score may be off under other kernels, 0..1; None where there is none.

    Measured and doubled as the scores' is, in the log-odds, which kernels move alike whether a
    picture is novel or not: at least _FEWEST_ODDS.
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
