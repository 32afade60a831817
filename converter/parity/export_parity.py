"""Compares every export format with Keras on the pictures of the test split.

All formats get the same input tensors, so every difference is caused by the format. A float format
must give Keras's scores to the fourth digit, a quantised one Keras's labels.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from converter.calibration import Tensors
from converter.parity.differences import MetricChange, PairedDrop, mean_divergence
from converter.parity.gate import MAX_ACCURACY_DROP, MAX_CONFIDENCE_CHANGE
from converter.parity.predictions import Predictions
from converter.tensorflow.process import in_subprocess
from edge.core.images.preprocess import Tensor
from edge.core.model.interpreter import Interpreter
from edge.core.model.metrics import Share
from edge.core.terminal.progress import Progress
from edge.core.verdict import Prediction
from trainer.run import Run

Format = Literal["int8", "float16", "dynamic", "float32", "saved_model", "tfjs", "keras"]
FORMATS: tuple[Format, ...] = get_args(Format)

FLOAT_TOLERANCE = 1e-4
"""The largest allowed difference of a float format's score from Keras's."""
_LEAST_AGREEMENT: Mapping[str, float] = {"float16": 0.98, "dynamic": 0.95, "int8": 0.95}
"""For each format that rounds its weights, the smallest share of the test split that must get
Keras's label. It is lower than the gate's, which also counts pictures that the model was trained
on, for which its scores are clearer."""
MAX_PICTURES = 1000
"""The largest number of test pictures that are compared: enough to see a drop of one point, and few
enough to be held in memory."""
MAX_SQUASHED_PICTURES = 100
"""The largest number of pictures that are also read in the way of other tools."""


@dataclass(frozen=True, slots=True)
class FormatFigures:
    """How one format compares with Keras on pictures of the test split."""

    format: Format
    accuracy: Share
    """The accuracy of the format."""
    drop: PairedDrop
    """The loss of accuracy, with Keras as the first model and the format as the second."""
    agreement: Share
    """The share of pictures with the same best label as Keras."""
    largest_difference: float
    """The largest absolute difference of any score, 0..1."""
    mean_difference: float
    """The mean absolute difference of all scores, 0..1."""
    divergence: float
    """The mean Kullback-Leibler divergence of the format's scores from Keras's, in nats."""
    confidence_change: MetricChange
    """How far the score of Keras's best label differs in the format."""
    worst_label: str
    """The label that loses the most recall."""
    worst_loss: float
    """The recall that this label loses, 0..1."""
    largest_novelty_difference: float | None
    """The largest absolute difference of the novelty score; None if the model has none."""
    squashed: Share
    """The share of pictures for which the format, reading them like other tools, gives the label
    that Keras gives for the device's tensors. A share of 0 pictures if this was not measured. It is
    reported but has no limit."""
    failures: tuple[str, ...]
    """A clause for each limit that the format fails."""

    @property
    def summary(self) -> str:
        """The most important figures as a line for people."""
        return (
            f"accuracy {percent(self.accuracy.value)}, same label as Keras "
            f"{percent(self.agreement.value)}, scores within {_small(self.largest_difference)}"
        )

    def to_json(self) -> dict[str, Any]:
        """The JSON object of this format in `parity.json`."""
        return {
            "passed": not self.failures,
            "failures": list(self.failures),
            "images": self.accuracy.total,
            "accuracy": self.accuracy.value,
            "accuracy_interval": self.accuracy.interval,
            "accuracy_drop": {"value": self.drop.value, "interval": self.drop.interval},
            "agreement": self.agreement.value,
            "agreement_interval": self.agreement.interval,
            "largest_difference": self.largest_difference,
            "mean_difference": self.mean_difference,
            "kl_divergence": self.divergence,
            "confidence_change": self.confidence_change.to_json(),
            "worst_label": {"label": self.worst_label, "recall_lost": self.worst_loss},
            "largest_strangeness_difference": self.largest_novelty_difference,
            "squashed": {
                "images": self.squashed.total,
                "agreement": self.squashed.value,
                "agreement_interval": self.squashed.interval,
            },
        }


def compare_format(
    kind: Format,
    reference: Predictions,
    predictions: Predictions,
    truth: npt.NDArray[np.int64],
    labels: Sequence[str],
    *,
    squashed: Predictions,
) -> FormatFigures:
    """The figures of one format, and the limits that it fails.

    Args:
        kind: the format.
        reference: the predictions of Keras.
        predictions: the predictions of the format for the same tensors.
        truth: (pictures,) class indices.
        labels: the label of each class.
        squashed: the predictions of the format for the first of these pictures, read in the way of
            other tools.
    """
    keras, mine = reference.scores.astype(np.float64), predictions.scores.astype(np.float64)
    best, best_mine = keras.argmax(axis=1), mine.argmax(axis=1)
    right, right_mine = best == truth, best_mine == truth
    difference = np.abs(keras - mine)
    rows = np.arange(len(truth))
    lost = {
        index: float(right[truth == index].mean() - right_mine[truth == index].mean())
        for index in np.unique(truth).tolist()
    }
    worst = max(lost, key=lambda index: lost[index])
    best_squashed = squashed.scores.argmax(axis=1)
    novelty_difference = None
    if reference.novelty is not None and predictions.novelty is not None:
        novelty_difference = float(np.abs(reference.novelty - predictions.novelty).max())
    figures = FormatFigures(
        format=kind,
        accuracy=Share(int(right_mine.sum()), len(truth)),
        drop=PairedDrop.between(right, right_mine),
        agreement=Share(int((best == best_mine).sum()), len(truth)),
        largest_difference=float(difference.max()),
        mean_difference=float(difference.mean()),
        divergence=mean_divergence(reference.scores, predictions.scores),
        confidence_change=MetricChange.between(keras[rows, best], mine[rows, best]),
        worst_label=labels[worst],
        worst_loss=lost[worst],
        largest_novelty_difference=novelty_difference,
        squashed=Share(
            int((best_squashed == best[: len(best_squashed)]).sum()), len(best_squashed)
        ),
        failures=(),
    )
    return _judged(figures, has_unknown=reference.novelty is not None)


def _judged(figures: FormatFigures, *, has_unknown: bool) -> FormatFigures:
    failures = []
    if has_unknown and figures.largest_novelty_difference is None:
        failures.append("it has no novelty score, but the Keras model has one")
    kind = figures.format
    if kind in _LEAST_AGREEMENT:
        interval, least = figures.agreement.interval, _LEAST_AGREEMENT[kind]
        if interval is not None and interval[1] < least:
            failures.append(f"it agrees with Keras on {figures.agreement}, less than {least:.0%}")
        if figures.drop.interval[0] > MAX_ACCURACY_DROP:
            failures.append(
                f"it changes accuracy by {figures.drop}; at most {100 * MAX_ACCURACY_DROP:g} may "
                "be lost"
            )
        if not figures.confidence_change.mean <= MAX_CONFIDENCE_CHANGE:
            failures.append(
                f"the best label's score moves by {figures.confidence_change.mean:.2f} on average, "
                f"more than {MAX_CONFIDENCE_CHANGE:g}"
            )
    else:
        furthest = max(figures.largest_difference, figures.largest_novelty_difference or 0.0)
        if not furthest <= FLOAT_TOLERANCE:
            failures.append(
                f"a score lies {furthest:.2g} from Keras's, more than {FLOAT_TOLERANCE:g}"
            )
    return replace(figures, failures=tuple(failures))


def score_tflite(model: bytes, tensors: Tensors, *, doing: str) -> Predictions:
    """The predictions of a `.tflite` model, computed by the device's own code.

    Args:
        model: the `.tflite` file's bytes.
        tensors: uint8 (pictures, height, width, channels).
        doing: what the progress bar says.
    """
    rows: list[Prediction] = []
    # One interpreter per processor: it releases Python's lock while it computes.
    idle: SimpleQueue[Interpreter] = SimpleQueue()
    workers = min(4, os.cpu_count() or 1)
    for _ in range(workers):
        idle.put(Interpreter(model))

    def predict(tensor: Tensor) -> Prediction:
        interpreter = idle.get()
        try:
            return interpreter.predict(tensor)
        finally:
            idle.put(interpreter)

    with Progress(doing, total=len(tensors)) as progress, ThreadPoolExecutor(workers) as pool:
        for row in pool.map(predict, tensors):
            rows.append(row)
            progress.advance()
    return Predictions.of(rows)


def score_in_subprocess(
    task: str, run: Run, tensors: Tensors, *, doing: str, source: Path | None = None
) -> Predictions:
    """The predictions that a task of `converter.tensorflow.tasks` computes in a subprocess.

    Raises:
        ConversionError: the task fails.
        StorageError: there is no room for temporary files.
    """
    with (
        in_subprocess(task, run, tensors, doing=doing, source=source) as made,
        np.load(made.result) as row,
    ):
        return Predictions.named({name: row[name] for name in row.files})


def parity_table(rows: Sequence[FormatFigures]) -> list[str]:
    """The lines of a Markdown table with the figures of each format."""
    lines = [
        "| format | accuracy | change, points (95 %) | same label as Keras | largest difference of "
        "a score | mean | divergence | confidence moves by | label that loses most | same label, "
        "squashed |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        low, high = row.drop.interval
        worst = "none" if row.worst_loss <= 0 else f"{row.worst_label} -{100 * row.worst_loss:.1f}"
        lines.append(
            f"| {row.format}{' **fails**' if row.failures else ''} | {percent(row.accuracy.value)}"
            f" | {0 - 100 * row.drop.value:+.1f} ({-100 * high:+.1f} to {-100 * low:+.1f}) | "
            f"{percent(row.agreement.value)} | {_small(row.largest_difference)} | "
            f"{_small(row.mean_difference)} | {_small(row.divergence)} | "
            f"{_small(row.confidence_change.mean)} | {worst.replace('|', chr(92) + '|')} | "
            f"{percent(row.squashed.value)} |"
        )
    return lines


def percent(share: float | None) -> str:
    """A share with one decimal, "97.6%"; of nothing "-"."""
    return "-" if share is None else f"{share:.1%}"


def _small(value: float) -> str:
    """A small number with one digit: further digits differ from machine to machine."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    return f"{value:.3f}" if value >= 0.01 else f"{value:.0e}"
