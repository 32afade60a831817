"""The gate: compares the int8 model with the float model, and decides whether it may be used.

Both run with the device's own code. Agreement and change of confidence need no labels and are
measured on every picture that was not used for calibration. Accuracy is measured on the test split,
with a paired comparison. All intervals know which pictures belong together, as the training did.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from queue import SimpleQueue

import cv2
import numpy as np
import numpy.typing as npt

from converter.parity.differences import (
    MetricChange,
    PairedDrop,
    expected_calibration_error,
    mean_divergence,
)
from converter.parity.predictions import Predictions
from converter.parity.thresholds import Thresholds, move_thresholds
from edge.core.dataset import LabelledPicture
from edge.core.errors import EXIT_NO, PilahError
from edge.core.images.image_file import read_image
from edge.core.images.preprocess import InputSpec, preprocess
from edge.core.model.grade import Grade, grade
from edge.core.model.interpreter import Interpreter
from edge.core.model.metrics import Evaluation, Share, evaluate_scores, plain_share
from edge.core.terminal.progress import Progress
from edge.core.verdict import Prediction
from trainer.run import RunFacts
from trainer.statistics.intervals import Resampling

MAX_ACCURACY_DROP = 0.01
"""The accuracy that the int8 model may lose on the test split, 0..1."""
MIN_AGREEMENT = 0.98
"""The smallest allowed share of pictures that get the same label from both models."""
MAX_CONFIDENCE_CHANGE = 0.1
"""The largest allowed mean change of the best label's score. With more, the accept thresholds,
which were chosen for the float model, do not fit, even if every label stays the same."""

MIN_UNKNOWN_AGREEMENT = 0.95
"""The smallest allowed share of pictures on which both models agree whether they are unknown. It is
lower than that of the labels, because the threshold lies among the scores of known things."""


@dataclass(frozen=True, slots=True)
class UnknownParity:
    """How the novelty scores of int8 and float compare, on the pictures of `Parity.agreement`."""

    agreement: Share
    """The share of pictures that both models reject as unknown, or neither does; a share of 0
    pictures if there is no threshold."""
    change: MetricChange
    """How far the novelty score changes."""

    def to_json(self) -> dict[str, object]:
        """The JSON object `unknown` in the `figures` of a bundle."""
        return {
            "images": self.agreement.total,
            "agreement": self.agreement.value,
            "agreement_interval": self.agreement.interval,
            "change": self.change.to_json(),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Parity:
    """How the int8 model compares with the float model."""

    agreement: Share
    """The share of pictures with the same best label, of all that were not used for calibration."""
    confidence_change: MetricChange
    """How far the score of the float model's best label changes, on the same pictures."""
    drop: PairedDrop
    """The loss of accuracy on the test split."""
    float32: Evaluation
    """The evaluation of the float model on the test split."""
    int8: Evaluation
    """The evaluation of the int8 model on the test split."""
    thresholds: Thresholds
    """The thresholds of the int8 model."""
    calibration_error: tuple[float, float]
    """The expected calibration errors of float and of int8 on the test split, 0..1."""
    divergence: float
    """The mean Kullback-Leibler divergence of int8's scores from float's, in nats, on the
    validation split; on all pictures if there is no validation split."""
    unknown: UnknownParity | None = None
    """The comparison of the novelty scores; None if the model has none."""
    right_interval: tuple[float, float] | None = None
    """The 95 % interval of int8's accuracy that takes groups of pictures into account; None if all
    pictures are independent."""

    @property
    def verdict(self) -> Grade:
        """The grade of the int8 model, by the same rule as for a training."""
        return grade(self.int8.confusion, self.right_interval)

    def to_json(self) -> dict[str, object]:
        """The JSON object `figures` of a bundle."""
        return {
            "verdict": self.verdict.to_json(),
            "int8_loss": self.drop.verdict.to_json(),
            "float": self.float32.to_json(),
            "int8": self.int8.to_json(),
            "agreement": {
                "images": self.agreement.total,
                "value": self.agreement.value,
                "interval": self.agreement.interval,
            },
            "confidence_change": self.confidence_change.to_json(),
            "calibration_error": dict(zip(("float", "int8"), self.calibration_error, strict=True)),
            "unknown": self.unknown and self.unknown.to_json(),
            "accuracy_drop": {
                "images": self.drop.total,
                "value": self.drop.value,
                "interval": self.drop.interval,
                "float_only_right": self.drop.first_only,
                "int8_only_right": self.drop.second_only,
            },
        }


class GateError(PilahError):
    """The int8 model answers too differently from the float model; `parity` has the figures."""

    exit_code = EXIT_NO

    def __init__(self, message: str, parity: Parity) -> None:
        self.parity = parity
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """The gate's decision: the model passes if `failures` is empty."""

    failures: tuple[str, ...]
    """A clause for each limit that is missed by more than chance explains."""
    warnings: tuple[str, ...]
    """A clause for each limit that is missed by no more than chance could explain."""


def judge(parity: Parity) -> GateVerdict:
    """The gate's decision on the figures of an int8 model.

    A figure fails only if its whole 95 % interval is on the wrong side of the limit. If only the
    figure itself is, chance could explain it, and it is a warning.
    """
    failures: list[str] = []
    warnings: list[str] = []
    share, interval = parity.agreement.value, parity.agreement.interval
    if share is not None and interval is not None and share < MIN_AGREEMENT:
        (failures if interval[1] < MIN_AGREEMENT else warnings).append(
            f"float and int8 agree on {parity.agreement} of the pictures, less than "
            f"{MIN_AGREEMENT:.0%}"
        )
    drop = parity.drop
    if drop.value > MAX_ACCURACY_DROP:
        low, high = drop.interval
        (failures if low > MAX_ACCURACY_DROP else warnings).append(
            f"int8 loses {100 * drop.value:.1f} points of accuracy ({100 * low:.1f} to "
            f"{100 * high:.1f}) on the {drop.total} pictures of the test split, more than "
            f"{100 * MAX_ACCURACY_DROP:g}: {drop.first_only} are right only in float, "
            f"{drop.second_only} only in int8"
        )
    if parity.confidence_change.mean > MAX_CONFIDENCE_CHANGE:
        failures.append(
            f"the score of the best label moves by {parity.confidence_change.mean:.2f} on average, "
            f"more than {MAX_CONFIDENCE_CHANGE:g}: the accept thresholds would not fit"
        )
    if parity.unknown is not None:
        _judge_unknown(parity.unknown, failures, warnings)
    return GateVerdict(tuple(failures), tuple(warnings))


def _judge_unknown(parity: UnknownParity, failures: list[str], warnings: list[str]) -> None:
    share, interval = parity.agreement.value, parity.agreement.interval
    if share is not None and interval is not None and share < MIN_UNKNOWN_AGREEMENT:
        (failures if interval[1] < MIN_UNKNOWN_AGREEMENT else warnings).append(
            f"float and int8 agree about what is unknown on {parity.agreement} of the pictures, "
            f"less than {MIN_UNKNOWN_AGREEMENT:.0%}"
        )
    if parity.change.mean > MAX_CONFIDENCE_CHANGE:
        failures.append(
            f"the novelty score moves by {parity.change.mean:.2f} on average, more than "
            f"{MAX_CONFIDENCE_CHANGE:g}: its threshold would not fit"
        )


def score_both(
    pictures: Sequence[LabelledPicture], spec: InputSpec, *, float32: bytes, int8: bytes
) -> tuple[Predictions, Predictions]:
    """The predictions of both models for every picture, each decoded once.

    Args:
        pictures: the pictures to score.
        spec: how a picture becomes a tensor.
        float32, int8: the bytes of the two `.tflite` files.

    Raises:
        UnreadableImageError: a picture has been damaged since the training.
        ModelInputError, ModelOutputError: the input or output of a model is not as required.
    """
    cv2.setNumThreads(1)
    # One pair of interpreters per processor: they release Python's lock, as decoding does.
    workers = min(4, os.cpu_count() or 1)
    idle: SimpleQueue[tuple[Interpreter, Interpreter]] = SimpleQueue()
    for _ in range(workers):
        idle.put((Interpreter(float32), Interpreter(int8)))

    def predict(picture: LabelledPicture) -> tuple[Prediction, Prediction]:
        tensor = preprocess(read_image(picture.path), spec)
        pair = idle.get()
        try:
            return pair[0].predict(tensor), pair[1].predict(tensor)
        finally:
            idle.put(pair)

    rows = []
    with (
        Progress("comparing float and int8", total=len(pictures)) as progress,
        ThreadPoolExecutor(workers) as pool,
    ):
        for row in pool.map(predict, pictures):
            rows.append(row)
            progress.advance()
    return Predictions.of([row[0] for row in rows]), Predictions.of([row[1] for row in rows])


def compare(
    float32: Predictions, int8: Predictions, pictures: Sequence[LabelledPicture], facts: RunFacts
) -> Parity:
    """The figures of the int8 model of a run, compared with the float model.

    The int8 model gets thresholds of its own; see `converter.parity.thresholds`.

    Args:
        float32, int8: the predictions of the two models for `pictures`.
        pictures: all pictures that were scored; those of the test split count for accuracy.
        facts: the run's labels and thresholds.
    """
    threshold = facts.unknown.threshold if facts.unknown else None
    usable = np.array([picture.split != "test" for picture in pictures], bool)
    moved = move_thresholds(float32, int8, usable, facts.labels, facts.accept, threshold)
    return compare_answers(
        float32, int8, pictures, facts.labels, Thresholds(facts.accept, threshold), moved
    )


def compare_answers(
    float32: Predictions,
    int8: Predictions,
    pictures: Sequence[LabelledPicture],
    labels: Sequence[str],
    of_float: Thresholds,
    of_int8: Thresholds,
) -> Parity:
    """The figures of an int8 model, compared with a float model, with given thresholds.

    Args:
        float32, int8: the predictions of the two models for `pictures`.
        pictures: all pictures that were scored; those of the test split count for accuracy.
        labels: the label of each class.
        of_float, of_int8: the thresholds of the two models.
    """
    best, best_int8 = float32.scores.argmax(axis=1), int8.scores.argmax(axis=1)
    rows = np.arange(len(best))
    judging = np.array([picture.split == "validation" for picture in pictures], bool)
    test = np.array([picture.split == "test" for picture in pictures], bool)
    truth = np.array([labels.index(picture.label) for picture in pictures], np.int64)
    right_float, right_int8 = best == truth, best_int8 == truth
    groups = [str(each.group or each.path) for each in pictures]
    everything = Resampling(groups, len(groups))
    of_test = [group for group, is_test in zip(groups, test, strict=True) if is_test]
    sampling = Resampling(of_test, len(of_test))

    def share(hits: npt.NDArray[np.bool_], among: npt.NDArray[np.bool_]) -> Share:
        return _share(sampling, hits, among)

    def on_test(predictions: Predictions, thresholds: Thresholds) -> Evaluation:
        return evaluate_scores(
            predictions.scores[test],
            truth[test],
            labels,
            thresholds.accept,
            novelty=None if predictions.novelty is None else predictions.novelty[test],
            unknown=thresholds.unknown,
            share=share,
        )

    return Parity(
        agreement=_share(everything, best == best_int8),
        confidence_change=MetricChange.between(float32.scores[rows, best], int8.scores[rows, best]),
        drop=_drop(sampling, right_float[test], right_int8[test]),
        float32=on_test(float32, of_float),
        int8=on_test(int8, of_int8),
        thresholds=of_int8,
        calibration_error=(
            expected_calibration_error(float32.scores[test], truth[test]),
            expected_calibration_error(int8.scores[test], truth[test]),
        ),
        divergence=mean_divergence(
            *(each.scores[judging if judging.any() else ...] for each in (float32, int8))
        ),
        unknown=_compare_unknown(everything, float32, int8, of_float.unknown, of_int8.unknown),
        right_interval=sampling.share(right_int8[test]).interval,
    )


def _share(
    sampling: Resampling, hits: npt.NDArray[np.bool_], among: npt.NDArray[np.bool_] | None = None
) -> Share:
    """The share of `hits`, with an interval that knows of the groups, if there are any."""
    among = np.ones(len(hits), bool) if among is None else among
    found = plain_share(hits, among)
    if sampling.independent:
        return found
    return replace(found, by_groups=sampling.share(hits, among).interval)


def _drop(
    sampling: Resampling, first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]
) -> PairedDrop:
    """What the second loses, with an interval that knows of the groups, if there are any."""
    found = PairedDrop.between(first, second)
    gained = None if sampling.independent else sampling.change(first, second).interval
    return found if gained is None else replace(found, by_groups=(-gained[1], -gained[0]))


def _compare_unknown(
    sampling: Resampling,
    float32: Predictions,
    int8: Predictions,
    threshold: float | None,
    of_int8: float | None,
) -> UnknownParity | None:
    one, other = float32.novelty, int8.novelty
    if one is None or other is None:
        return None
    same = Share(0, 0)
    if threshold is not None and of_int8 is not None:
        same = _share(sampling, (one > threshold) == (other > of_int8))
    return UnknownParity(same, MetricChange.between(one, other))
