"""Checks that calibration used the device's input, and how much it depends on the pictures."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from converter.calibration import (
    BLACK_AND_WHITE,
    MIN_CALIBRATION_PICTURES,
    Tensors,
    calibration_tensors,
    choose_calibration,
)
from converter.errors import CalibrationError
from converter.parity.export_parity import score_tflite
from converter.quantization.fallbacks import FALLBACKS, Attempt
from converter.tensorflow.process import in_subprocess
from converter.tflite.operators import intermediate_tensors
from edge.core.dataset import LabelledPicture
from edge.core.images.image_file import read_image
from edge.core.images.preprocess import InputSpec, preprocess
from edge.core.model.metrics import Share
from trainer.run import Run

_READ_AGAIN = 10
"""The number of calibration pictures that are read a second time and compared, evenly spread."""
_JUDGED_ON = 200
"""The largest number of validation pictures on which two calibrations are compared."""
_WORST = 5
"""The number of saturated tensors that are reported."""


@dataclass(frozen=True, slots=True)
class Saturation:
    """How much of a tensor lies at the upper end of its range, where values are clipped."""

    tensor: str
    """The name of the tensor."""
    share: float
    """The share of its values that lie at the upper end, 0..1."""

    def to_json(self) -> dict[str, Any]:
        """The fields as a JSON object."""
        return {"tensor": self.tensor, "share": self.share}


@dataclass(frozen=True, slots=True)
class CalibrationCheck:
    """How much the int8 model depends on its calibration pictures, and which tensors saturate."""

    agreement: Share
    """The share of validation pictures that get the same label from a model that was calibrated
    with other pictures; a share of 0 pictures if there are no others."""
    saturated: tuple[Saturation, ...]
    """The most saturated tensors, the worst first."""

    def to_json(self) -> dict[str, Any]:
        """The JSON object in the `figures` of a bundle."""
        return {
            "other_pictures_agreement": self.agreement.value,
            "images": self.agreement.total,
            "saturated": [tensor.to_json() for tensor in self.saturated],
        }


@dataclass(frozen=True, slots=True, eq=False)
class QuantizedModel:
    """The int8 model that a bundle gets, and the attempts and checks that led to it."""

    kept: Attempt
    """The attempt whose model the bundle gets."""
    attempts: tuple[Attempt, ...]
    """Every attempt to quantise the model, in order; `kept` is the last one."""
    check: CalibrationCheck
    """The check of the model's calibration."""


def check_tensors(tensors: Tensors, pictures: Sequence[LabelledPicture], spec: InputSpec) -> None:
    """Checks that calibration tensors differ, and that they equal what the device would read.

    They are compared level for level, because swapped red and blue hardly change any range.

    Args:
        tensors: black, white, and one tensor for each of `pictures`.
        pictures: the calibration pictures.
        spec: how the device turns a picture into a tensor.

    Raises:
        CalibrationError: fewer than MIN_CALIBRATION_PICTURES of them differ, or one is not as the
            device would read it.
        UnreadableImageError: a picture has been damaged since the training.
    """
    of_pictures = tensors[BLACK_AND_WHITE:]
    different = len({hashlib.sha256(tensor.tobytes()).digest() for tensor in of_pictures})
    if different < MIN_CALIBRATION_PICTURES:
        raise CalibrationError(
            f"only {different} of the {len(pictures)} calibration pictures differ from each other; "
            f"calibration needs {MIN_CALIBRATION_PICTURES}: take more with --calibration-pictures. "
            "If that does not help, the training split consists of copies of a few pictures, such "
            f"as {pictures[0].path}: train on more pictures"
        )
    for index in range(0, len(pictures), max(1, len(pictures) // _READ_AGAIN)):
        path = pictures[index].path
        if not np.array_equal(of_pictures[index], preprocess(read_image(path), spec)):
            raise CalibrationError(
                f"{path}: calibration used other levels than the device would read from this file. "
                "If the file was changed meanwhile, convert again; if not, this is a fault of "
                "pilah: please report it"
            )


def alternative_tensors(
    pictures: Sequence[LabelledPicture],
    used: Sequence[LabelledPicture],
    spec: InputSpec,
    *,
    seed: int,
) -> Tensors | None:
    """Calibration tensors of other pictures: black, white, and as many others as were `used`.

    Args:
        pictures: all pictures of the run; the training split is used.
        used: the pictures that the model was calibrated with.
        spec: how a picture becomes a tensor.
        seed: decides which pictures are chosen.

    Returns:
        The tensors, or None if there are less than half as many other pictures.

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
    """Compares the int8 model with one that was calibrated with other pictures.

    The other pictures are of the training split, too. The models are compared on the validation
    split.

    Args:
        run: the run.
        pictures: all pictures of the run.
        kept: the attempt whose model the bundle gets.
        seed: decides which other pictures are chosen.

    Raises:
        ConversionError: TensorFlow cannot convert the model.
    """
    used = {picture.path for picture in kept.calibration}
    rest = [picture for picture in pictures if picture.path not in used]
    judging = [picture for picture in rest if picture.split == "validation"][:_JUDGED_ON]
    tensors = calibration_tensors(judging, run.facts.input)[BLACK_AND_WHITE:]
    found = Share(0, 0)
    others = alternative_tensors(pictures, kept.calibration, run.facts.input, seed=seed)
    if others is not None and len(tensors):
        doing = "converting to int8 on other pictures"
        task = next((r.task for r in FALLBACKS if r.name == kept.fallback), "int8")
        with in_subprocess(task, run, others, doing=doing) as made:
            found = label_agreement(kept.model, made.result.read_bytes(), tensors)
    return CalibrationCheck(found, tuple(saturation(kept.model, tensors)))


def label_agreement(one: bytes, other: bytes, tensors: Tensors) -> Share:
    """The share of pictures on which two `.tflite` models have the same best label."""
    best, best_other = (
        score_tflite(model, tensors, doing="comparing calibrations").scores.argmax(axis=1)
        for model in (one, other)
    )
    return Share(int((best == best_other).sum()), len(tensors))


def saturation(model: bytes, tensors: Tensors) -> Sequence[Saturation]:
    """The int8 tensors with the most values at the upper end of their range, the worst first.

    The lower end says nothing, because a ReLU puts its zeros there. Values that a ReLU6 limits are
    at the upper end by design and are counted, too.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    details = Interpreter(
        model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF
    ).get_tensor_details()
    names = {tensor["index"]: tensor["name"] for tensor in details}
    ends: dict[int, list[float]] = {}
    for written in intermediate_tensors(model, tensors):
        for index, values in written.items():
            if values.dtype == np.int8:
                ends.setdefault(index, []).append(float((values == 127).mean()))
    found = [Saturation(names[index], float(np.mean(row))) for index, row in ends.items()]
    return sorted(found, key=lambda s: -s.share)[:_WORST]
