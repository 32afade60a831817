"""The golden check: does this machine give the predictions that are recorded in the bundle?"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from edge.core.errors import GoldenError
from edge.core.images.image_file import decode_image
from edge.core.images.preprocess import InputSpec, Tensor, preprocess
from edge.core.model.bundle import Bundle, GoldenPicture
from edge.core.model.classifier import Classifier
from edge.core.verdict import Prediction

_FLOAT_ROUNDING = 1e-6
"""The largest relative difference of a score if every integer up to the logits is equal.

The softmax behind them is float: tflite-runtime 2.14 on arm64 gives scores one unit in the last
place (6e-8) away from those of LiteRT. One step of one logit changes a score by 1e-3 and more.
"""


_TAIL_ROUNDING = 1e-4
"""The same for a novelty score, which has more float operators after the integers. One step of one
logit changes it by 1e-3 of its value and more."""
_NOTHING = 1e-12
"""An absolute difference of scores that is always allowed."""


def record_golden(
    predictions: Sequence[Prediction], tensors: Sequence[Tensor]
) -> list[GoldenPicture]:
    """The manifest's entries for `golden/0.png`, `golden/1.png` ….

    Args:
        predictions: the prediction of the reference kernels for each picture.
        tensors: the input tensor of each picture.
    """
    return [
        GoldenPicture(
            picture=f"golden/{index}.png",
            tensor_sha256=hashlib.sha256(tensor.tobytes()).hexdigest(),
            scores=[float(score) for score in prediction.scores],
            unknown=prediction.novelty,
        )
        for index, (prediction, tensor) in enumerate(zip(predictions, tensors, strict=True))
    ]


def golden_tensor(bundle: Bundle, golden: GoldenPicture) -> Tensor:
    """The input tensor that this machine computes from a golden picture.

    Raises:
        GoldenError: the tensor is not the recorded one.
    """
    spec: InputSpec = bundle.manifest.input
    tensor = preprocess(decode_image(bundle.golden[golden.picture], name=golden.picture), spec)
    if (found := hashlib.sha256(tensor.tobytes()).hexdigest()) != golden.tensor_sha256:
        raise GoldenError(
            f"{bundle.path}: {golden.picture} becomes another input tensor on this machine "
            f"(SHA-256 {found[:12]}…, recorded {golden.tensor_sha256[:12]}…): this OpenCV decodes "
            "or resizes differently, or the version of pilah that made the bundle did. Install the "
            "versions of deploy/locks, and where that does not help, convert the run again"
        )
    return tensor


def check_golden_exactly(bundle: Bundle) -> None:
    """Checks that the reference kernels reproduce every golden picture to the last integer.

    An imported model may compute in float, which rounds differently on each processor: it only has
    to be within the bundle's tolerance. The check takes some tenths of a second for each picture;
    it is meant for installing and for `doctor`.

    Raises:
        GoldenError: a tensor, a score or a novelty score differs.
    """
    classifier = Classifier(bundle, kernels="reference")
    manifest = bundle.manifest
    if manifest.quantization.scheme == "int8":
        allowed = {"scores": _FLOAT_ROUNDING, "unknown": _TAIL_ROUNDING, "relative": True}
    else:
        allowed = {"scores": manifest.golden.tolerance, "unknown": manifest.golden.tolerance}
    for golden in manifest.golden.pictures:
        _compare(classifier, golden, **allowed)  # type: ignore[arg-type]


def check_golden_start(classifier: Classifier) -> None:
    """Checks that the kernels in use are within the tolerance on the first golden picture.

    Raises:
        GoldenError: the tensor differs, or a score or the novelty score by more than the bundle's
            tolerance.
    """
    golden = classifier.bundle.manifest.golden
    _compare(
        classifier,
        golden.pictures[0],
        scores=golden.tolerance,
        unknown=golden.unknown_tolerance or golden.tolerance,
    )


def _compare(
    classifier: Classifier,
    golden: GoldenPicture,
    *,
    scores: float,
    unknown: float,
    relative: bool = False,
) -> None:
    """Raises GoldenError if a prediction differs by more than `scores` and `unknown` allow."""
    found = classifier.interpreter.predict(golden_tensor(classifier.bundle, golden))
    for what, got, recorded, allowed in (
        ("other scores", found.scores, golden.scores, scores),
        ("another novelty score", found.novelty, golden.unknown, unknown),
    ):
        # None, for a model without this score, equals only None.
        one, other = (np.array(x, np.float32).reshape(-1) for x in (got, recorded))
        rtol, atol = (allowed, _NOTHING) if relative else (0, allowed)
        same = one.shape == other.shape and np.allclose(one, other, rtol=rtol, atol=atol)
        if not same and not got is recorded is None:
            raise GoldenError(
                f"{classifier.bundle.path}: {golden.picture} gets {what} on this machine than "
                f"recorded (allowed difference {allowed:g}). Received: "
                f"{np.round(one, 4).tolist()}, recorded: {np.round(other, 4).tolist()}, by "
                f"{classifier.interpreter.runtime}. This model must not sort here: install the "
                "versions of deploy/locks, or convert the run again"
            )
