"""The gate: does the int8 model answer as the float model does, through the device's own code?

Agreement and change of confidence need no labels and are judged over every picture that was not
used for calibration; accuracy is judged on the test part, pair by pair.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue

import cv2
import numpy as np
import numpy.typing as npt

from converter.parity.predictions import Predictions, ScoreRows
from converter.parity.thresholds import Thresholds, move_thresholds
from edge.core.dataset import LabelledPicture
from edge.core.errors import EXIT_NO, PilahError
from edge.core.images.image_file import read_image
from edge.core.images.preprocess import InputSpec, preprocess
from edge.core.model.grade import Grade, grade, grade_loss
from edge.core.model.interpreter import Interpreter
from edge.core.model.metrics import (
    Evaluation,
    Share,
    ShareWording,
    evaluate_scores,
    paired_interval,
    share_wording,
)
from edge.core.terminal.progress import Progress
from edge.core.verdict import Prediction
from trainer.run import RunFacts
from trainer.statistics.intervals import Resampling

LARGEST_DROP = 0.01
"""Accuracy the int8 model may lose on the test part."""
LEAST_AGREEMENT = 0.98
"""Share of pictures that must get the same label from both."""
LARGEST_CHANGE = 0.1
"""How far the best label's score may move on average. Beyond it the accept thresholds, which were
chosen on the float model, mean nothing, even where every label stays the same."""

LEAST_SAME_UNKNOWN = 0.95
"""Share of pictures that both must reject, or not reject, as unknown. Lower than that of the
labels: a threshold lies where known things are, not between two kinds."""

_BINS = 15
_LEAST_SCORE = 1e-7
"""Of the divergence: float32 rounds below it."""


@dataclass(frozen=True, slots=True)
class PairedDrop:
    """What the second of two models loses in accuracy, from how the same pictures fared in both."""

    first_only: int
    """Pictures that only the first gets right: the float model, where the other is int8."""
    second_only: int
    total: int

    @classmethod
    def between(cls, first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> PairedDrop:
        """Of which pictures each gets right, bool (pictures,)."""
        return cls(int((first & ~second).sum()), int((second & ~first).sum()), len(first))

    @property
    def value(self) -> float:
        """Accuracy of the first less that of the second, -1..1. Of nothing: 0."""
        return (self.first_only - self.second_only) / self.total if self.total else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Tango's 95 % interval of `value`; see `paired_interval`."""
        return paired_interval(self.first_only, self.second_only, self.total)

    def __str__(self) -> str:
        """As people read it, the second less the first: "+1.4 points (-0.4 to +3.9)".

        As of a share, only the interval or only the number of pictures where they are few.
        """
        low, high = self.interval
        between = f"{-100 * high:+.1f} to {-100 * low:+.1f}"
        match share_wording(self.interval):
            case ShareWording.FIGURE:
                return f"{0 - 100 * self.value:+.1f} points ({between})"
            case ShareWording.INTERVAL:
                return f"{between} points"
            case _:
                return f"too few pictures to say ({self.total})"

    @property
    def verdict(self) -> Grade:
        """What the second loses, in a word."""
        return grade_loss(self.first_only, self.second_only, self.total)


@dataclass(frozen=True, slots=True)
class MetricChange:
    """How far a figure of each picture moves in int8, 0..1."""

    mean: float
    p95: float
    largest: float

    @classmethod
    def between(
        cls, one: npt.NDArray[np.floating], other: npt.NDArray[np.floating]
    ) -> MetricChange:
        """Of the same pictures, float64 or float32 (pictures,)."""
        moved = np.abs(one.astype(np.float64) - other)
        return cls(float(moved.mean()), float(np.quantile(moved, 0.95)), float(moved.max()))

    def to_json(self) -> dict[str, float]:
        """By the names above."""
        return {"mean": self.mean, "p95": self.p95, "largest": self.largest}


@dataclass(frozen=True, slots=True)
class UnknownParity:
    """The novelty score in float and int8, of the same pictures as the agreement."""

    agreement: Share
    """Rejected as unknown by both, or by neither; of nothing where there is no threshold."""
    change: MetricChange

    def to_json(self) -> dict[str, object]:
        """A part of the `figures` of a bundle."""
        return {
            "images": self.agreement.total,
            "agreement": self.agreement.value,
            "agreement_interval": self.agreement.interval,
            "change": self.change.to_json(),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Parity:
    """Float and int8 side by side."""

    agreement: Share
    """Same best label, of all pictures not used for calibration."""
    confidence_change: MetricChange
    """Of the score of the float model's best label."""
    drop: PairedDrop
    """On the test part."""
    float32: Evaluation
    """On the test part."""
    int8: Evaluation
    """On the test part."""
    thresholds: Thresholds
    """Of the int8 model."""
    calibration_error: tuple[float, float]
    """Expected, of float and of int8, on the test part."""
    divergence: float
    """Mean Kullback-Leibler divergence of int8's scores from float's on the validation part; on all
    pictures where there is none. Nats."""
    unknown: UnknownParity | None = None
    """None where the model has no novelty score."""
    right_interval: tuple[float, float] | None = None
    """95 % interval of int8's accuracy that knows of groups; None: pictures are independent."""

    @property
    def verdict(self) -> Grade:
        """How good the int8 model is, in a word, by the rule by which a training says it."""
        return grade(self.int8.confusion, self.right_interval)

    def to_json(self) -> dict[str, object]:
        """The `figures` of a bundle."""
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
    """The int8 model answers too differently from the float model. `parity` has the figures."""

    exit_code = EXIT_NO

    def __init__(self, message: str, parity: Parity) -> None:
        self.parity = parity
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """What the gate says: passed where `failures` is empty."""

    failures: tuple[str, ...]
    warnings: tuple[str, ...]


def judge(parity: Parity) -> GateVerdict:
    """The gate's decision: it fails only what is worse than a bar beyond the 95 % interval.

    A figure on the wrong side of its bar that chance could explain is a warning.
    """
    failures: list[str] = []
    warnings: list[str] = []
    share, interval = parity.agreement.value, parity.agreement.interval
    if share is not None and interval is not None and share < LEAST_AGREEMENT:
        (failures if interval[1] < LEAST_AGREEMENT else warnings).append(
            f"float and int8 agree on {parity.agreement} of the pictures, less than "
            f"{LEAST_AGREEMENT:.0%}"
        )
    drop = parity.drop
    if drop.value > LARGEST_DROP:
        low, high = drop.interval
        (failures if low > LARGEST_DROP else warnings).append(
            f"int8 loses {100 * drop.value:.1f} points of accuracy ({100 * low:.1f} to "
            f"{100 * high:.1f}) on the {drop.total} pictures of the test part, more than "
            f"{100 * LARGEST_DROP:g}: {drop.first_only} are right in float only, "
            f"{drop.second_only} in int8 only"
        )
    if parity.confidence_change.mean > LARGEST_CHANGE:
        failures.append(
            f"the score of the best label moves by {parity.confidence_change.mean:.2f} on average, "
            f"more than {LARGEST_CHANGE:g}: the accept thresholds would mean nothing"
        )
    if parity.unknown is not None:
        _judge_unknown(parity.unknown, failures, warnings)
    return GateVerdict(tuple(failures), tuple(warnings))


def _judge_unknown(parity: UnknownParity, failures: list[str], warnings: list[str]) -> None:
    share, interval = parity.agreement.value, parity.agreement.interval
    if share is not None and interval is not None and share < LEAST_SAME_UNKNOWN:
        (failures if interval[1] < LEAST_SAME_UNKNOWN else warnings).append(
            f"float and int8 reject the same as unknown on {parity.agreement} of the "
            f"pictures, less than {LEAST_SAME_UNKNOWN:.0%}"
        )
    if parity.change.mean > LARGEST_CHANGE:
        failures.append(
            f"the novelty score moves by {parity.change.mean:.2f} on average, more than "
            f"{LARGEST_CHANGE:g}: its threshold would mean nothing"
        )


def score_both(
    pictures: Sequence[LabelledPicture], spec: InputSpec, *, float32: bytes, int8: bytes
) -> tuple[Predictions, Predictions]:
    """What both models say to every picture, each decoded once.

    Args:
        float32, int8: `.tflite` files' bytes.

    Raises:
        UnreadableImageError: a picture has been damaged since the training.
        ModelInputError, ModelOutputError: a model is not as the contract says.
    """
    cv2.setNumThreads(1)
    # A pair of interpreters for each processor: they let go of Python's lock, as decoding does.
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
    """The figures of two models' predictions for the pictures of a run, a row each.

    The int8 model has thresholds of its own; see `converter.parity.thresholds`.

    Args:
        pictures: all that were scored; those of the test part count for accuracy.
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
    """The figures of two models' answers to the same pictures, a row each.

    Args:
        pictures: all that were scored; those of the test part count for accuracy.
        of_float, of_int8: from where on each accepts.
    """
    best, best_int8 = float32.scores.argmax(axis=1), int8.scores.argmax(axis=1)
    rows = np.arange(len(best))
    judging = np.array([picture.split == "validation" for picture in pictures], bool)
    test = np.array([picture.split == "test" for picture in pictures], bool)
    truth = np.array([labels.index(picture.label) for picture in pictures], np.int64)
    right_float, right_int8 = best == truth, best_int8 == truth
    groups = [str(each.group or each.path) for each in pictures if each.split == "test"]

    def on_test(predictions: Predictions, thresholds: Thresholds) -> Evaluation:
        return evaluate_scores(
            predictions.scores[test],
            truth[test],
            labels,
            thresholds.accept,
            novelty=None if predictions.novelty is None else predictions.novelty[test],
            unknown=thresholds.unknown,
        )

    return Parity(
        agreement=Share(int((best == best_int8).sum()), len(best)),
        confidence_change=MetricChange.between(float32.scores[rows, best], int8.scores[rows, best]),
        drop=PairedDrop.between(right_float[test], right_int8[test]),
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
        unknown=_compare_unknown(float32, int8, of_float.unknown, of_int8.unknown),
        right_interval=Resampling(groups, len(groups)).share(right_int8[test]).interval,
    )


def _compare_unknown(
    float32: Predictions, int8: Predictions, threshold: float | None, of_int8: float | None
) -> UnknownParity | None:
    one, other = float32.novelty, int8.novelty
    if one is None or other is None:
        return None
    same = Share(0, 0)
    if threshold is not None and of_int8 is not None:
        same = Share(int(((one > threshold) == (other > of_int8)).sum()), len(other))
    return UnknownParity(same, MetricChange.between(one, other))


def mean_divergence(one: ScoreRows, other: ScoreRows) -> float:
    """Mean Kullback-Leibler divergence of the rows of `other` from those of `one`, nats."""
    p, q = (np.maximum(rows.astype(np.float64), _LEAST_SCORE) for rows in (one, other))
    return max(0.0, float((p * np.log(p / q)).sum(axis=1).mean()))


def expected_calibration_error(scores: ScoreRows, truth: npt.NDArray[np.int64]) -> float:
    """How far confidence and accuracy lie apart, by the pictures in each of _BINS bins; 0..1.

    Source: Guo et al., On calibration of modern neural networks, ICML 2017.
    """
    if not len(truth):
        return 0.0
    confidence, right = scores.max(axis=1), scores.argmax(axis=1) == truth
    bins = np.minimum((confidence * _BINS).astype(np.int64), _BINS - 1)
    apart = 0.0
    for index in np.unique(bins):
        mine = bins == index
        apart += abs(float(confidence[mine].mean()) - float(right[mine].mean())) * int(mine.sum())
    return apart / len(truth)
