"""The golden check: does this machine answer as the one that made the bundle did?"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from edge.errors import GoldenError
from edge.model.bundle import Bundle, GoldenPicture
from edge.model.classifier import Classifier
from edge.model.image_file import decode_image
from edge.model.preprocess import InputSpec, Tensor, preprocess

_FLOAT_ROUNDING = 1e-6
"""Largest difference of a score, as a share of it, where every integer up to the logits is equal.

The softmax behind them is float: tflite-runtime 2.14 on arm64 gives scores one unit in the last
place (6e-8) away from those of LiteRT. One step of one logit changes a score by 1e-3 and more.
"""


def record_golden(
    classifier_scores: Sequence[Sequence[float]], tensors: Sequence[Tensor]
) -> list[GoldenPicture]:
    """The manifest's entries for `golden/0.png`, `golden/1.png` ….

    Args:
        classifier_scores: the scores of each under the reference kernels.
        tensors: the input tensor of each.
    """
    return [
        GoldenPicture(
            picture=f"golden/{index}.png",
            tensor_sha256=hashlib.sha256(tensor.tobytes()).hexdigest(),
            scores=[float(score) for score in scores],
        )
        for index, (scores, tensor) in enumerate(zip(classifier_scores, tensors, strict=True))
    ]


def golden_tensor(bundle: Bundle, golden: GoldenPicture) -> Tensor:
    """The input tensor that this machine makes of a golden picture.

    Raises:
        GoldenError: it is not the recorded one.
    """
    spec: InputSpec = bundle.manifest.input
    tensor = preprocess(decode_image(bundle.golden[golden.picture], name=golden.picture), spec)
    if (found := hashlib.sha256(tensor.tobytes()).hexdigest()) != golden.tensor_sha256:
        raise GoldenError(
            f"{bundle.path}: {golden.picture} becomes another input tensor on this machine "
            f"(SHA-256 {found[:12]}…, recorded {golden.tensor_sha256[:12]}…): this OpenCV decodes "
            "or resizes differently. Install the versions of deploy/constraints.txt"
        )
    return tensor


def check_golden_exactly(bundle: Bundle) -> None:
    """Passes when the reference kernels reproduce every golden picture to the last integer.

    Takes some tenths of a second a picture; meant for installing and for `doctor`.

    Raises:
        GoldenError: a tensor or a score differs.
    """
    classifier = Classifier(bundle, kernels="reference")
    for golden in bundle.manifest.golden.pictures:
        scores = classifier.interpreter.scores(golden_tensor(bundle, golden))
        expected = np.array(golden.scores, np.float32)
        if scores.shape != expected.shape or not np.allclose(
            scores, expected, rtol=_FLOAT_ROUNDING, atol=1e-12
        ):
            raise GoldenError(
                _message(bundle, golden, scores, expected, _FLOAT_ROUNDING, classifier)
            )


def check_golden_start(classifier: Classifier) -> None:
    """Passes when the kernels in use come close enough on the first golden picture.

    Raises:
        GoldenError: the tensor differs, or a score by more than the bundle's tolerance.
    """
    bundle = classifier.bundle
    golden, tolerance = bundle.manifest.golden.pictures[0], bundle.manifest.golden.tolerance
    scores = classifier.interpreter.scores(golden_tensor(bundle, golden))
    expected = np.array(golden.scores, np.float32)
    if scores.shape != expected.shape or not np.abs(scores - expected).max() <= tolerance:
        raise GoldenError(_message(bundle, golden, scores, expected, tolerance, classifier))


def _message(
    bundle: Bundle,
    golden: GoldenPicture,
    scores: np.ndarray,
    expected: np.ndarray,
    tolerance: float,
    classifier: Classifier,
) -> str:
    return (
        f"{bundle.path}: {golden.picture} gets other scores on this machine than recorded "
        f"(allowed difference {tolerance:g}). Received: {np.round(scores, 4).tolist()}, recorded: "
        f"{np.round(expected, 4).tolist()}, by {classifier.interpreter.runtime}. This model must "
        "not sort here: install the versions of deploy/constraints.txt, or convert the run again"
    )
