"""Whether calibration saw what the device sees, and whether other pictures give another model."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from converter.calibration import (
    BLACK_AND_WHITE,
    FEWEST,
    Tensors,
    calibration_tensors,
    choose_calibration,
)
from converter.errors import CalibrationError
from converter.parity.export_parity import score_tflite
from converter.quantization.fallbacks import FALLBACKS, Attempt
from converter.tensorflow.process import in_subprocess
from converter.tflite.operators import intermediates
from edge.core.dataset import LabelledPicture
from edge.core.images.image_file import read_image
from edge.core.images.preprocess import InputSpec, preprocess
from edge.core.model.metrics import Share
from trainer.run import Run

_READ_AGAIN = 10
"""Of the pictures, evenly spread."""
_JUDGED_ON = 200
_WORST = 5
"""Tensors that are named."""


@dataclass(frozen=True, slots=True)
class Saturation:
    """How much of a tensor lies at the ends of its range, where values are cut off."""

    tensor: str
    share: float

    def to_json(self) -> dict[str, Any]:
        """By the names above."""
        return {"tensor": self.tensor, "share": self.share}


@dataclass(frozen=True, slots=True)
class CalibrationCheck:
    """What other pictures would have given, and what these cut off."""

    agreement: Share
    """Same best label from a model calibrated on as many other pictures; of nothing where there are
    no others."""
    saturated: tuple[Saturation, ...]

    def to_json(self) -> dict[str, Any]:
        """A part of a bundle's figures."""
        return {
            "other_pictures_agreement": self.agreement.value,
            "images": self.agreement.total,
            "saturated": [tensor.to_json() for tensor in self.saturated],
        }


@dataclass(frozen=True, slots=True, eq=False)
class QuantizedModel:
    """The int8 model that a bundle gets, and what else was tried and checked."""

    kept: Attempt
    attempts: tuple[Attempt, ...]
    """Every way to make it int8 that was tried, in order; `kept` is the last one."""
    check: CalibrationCheck
    """What other calibration pictures would have given."""


def check_tensors(tensors: Tensors, pictures: Sequence[LabelledPicture], spec: InputSpec) -> None:
    """Passes tensors that differ and are level for level what the device makes of the pictures.

    Of wrong levels, red and blue exchanged are the hardest to see: ranges hardly change.

    Args:
        tensors: black, white, and one for each of `pictures`.

    Raises:
        CalibrationError: fewer than FEWEST differ, or one is not as the device reads it.
        UnreadableImageError: a picture has been damaged since the training.
    """
    of_pictures = tensors[BLACK_AND_WHITE:]
    different = len({hashlib.sha256(tensor.tobytes()).digest() for tensor in of_pictures})
    if different < FEWEST:
        raise CalibrationError(
            f"of the {len(pictures)} pictures chosen to calibrate on only {different} differ; it "
            f"takes {FEWEST}: give more with --calibration-pictures; if that does not help, the "
            f"training part is copies of few pictures, as of {pictures[0].path}: train on more"
        )
    for index in range(0, len(pictures), max(1, len(pictures) // _READ_AGAIN)):
        path = pictures[index].path
        if not np.array_equal(of_pictures[index], preprocess(read_image(path), spec)):
            raise CalibrationError(
                f"{path}: calibration has other levels of it than the device would read: the file "
                "changed meanwhile; if not, this is a mistake in pilah, please report it"
            )


def other_tensors(
    pictures: Sequence[LabelledPicture],
    used: Sequence[LabelledPicture],
    spec: InputSpec,
    *,
    seed: int,
) -> Tensors | None:
    """Black, white, and as many other pictures of the training part as were `used` to calibrate on,
    or at least half as many; None where there are not so many.

    Args:
        pictures: all of the run's.

    Raises:
        UnreadableImageError: a picture has been damaged since the training.
    """
    taken = {picture.path for picture in used}
    rest = [picture for picture in pictures if picture.path not in taken]
    try:
        others = choose_calibration(rest, len(used), seed=seed)
    except CalibrationError:
        return None
    return calibration_tensors(others, spec) if len(others) >= len(used) // 2 else None


def check_calibration(
    run: Run, pictures: Sequence[LabelledPicture], kept: Attempt, *, seed: int
) -> CalibrationCheck:
    """Compares `kept` with a model calibrated on other pictures of the training part, none of them
    the same, on pictures of the validation part.

    Raises:
        ConversionError: TensorFlow refuses.
    """
    used = {picture.path for picture in kept.calibration}
    rest = [picture for picture in pictures if picture.path not in used]
    judging = [picture for picture in rest if picture.split == "validation"][:_JUDGED_ON]
    tensors = calibration_tensors(judging, run.facts.input)[BLACK_AND_WHITE:]
    found = Share(0, 0)
    others = other_tensors(pictures, kept.calibration, run.facts.input, seed=seed)
    if others is not None and len(tensors):
        doing = "converting to int8 on other pictures"
        task = next((r.task for r in FALLBACKS if r.name == kept.fallback), "int8")
        with in_subprocess(task, run, others, doing=doing) as made:
            found = agreement_of(kept.model, made.result.read_bytes(), tensors)
    return CalibrationCheck(found, tuple(saturation(kept.model, tensors)))


def agreement_of(one: bytes, other: bytes, tensors: Tensors) -> Share:
    """On how many pictures two models have the same best label."""
    best, best_other = (
        score_tflite(model, tensors, doing="comparing calibrations").scores.argmax(axis=1)
        for model in (one, other)
    )
    return Share(int((best == best_other).sum()), len(tensors))


def saturation(model: bytes, tensors: Tensors) -> Sequence[Saturation]:
    """The int8 tensors of which most is cut off at the upper end, the worst first.

    The lower end is where a ReLU puts its zeros, so it tells nothing; a ReLU6 that was reached is
    at the upper end by design, and is counted.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    details = Interpreter(
        model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    ).get_tensor_details()
    names = {tensor["index"]: tensor["name"] for tensor in details}
    ends: dict[int, list[float]] = {}
    for written in intermediates(model, tensors):
        for index, values in written.items():
            if values.dtype == np.int8:
                ends.setdefault(index, []).append(float((values == 127).mean()))
    found = [Saturation(names[index], float(np.mean(row))) for index, row in ends.items()]
    return sorted(found, key=lambda s: -s.share)[:_WORST]
