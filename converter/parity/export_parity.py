"""One battery for every format: what each answers to the test part, beside what Keras answers.

The tensors are the same for all, so what differs is the format. Each format has limits of its own:
a float format must give Keras's scores to the fourth digit, a quantised one its labels.
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
from converter.parity.gate import (
    LARGEST_CHANGE,
    LARGEST_DROP,
    MetricChange,
    PairedDrop,
    mean_divergence,
)
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

SAME = 1e-4
"""How far a score of a float format may lie from Keras's."""
_LEAST_AGREEMENT: Mapping[str, float] = {"float16": 0.98, "dynamic": 0.95, "int8": 0.95}
"""Share of the test part that must get Keras's label, of a format that rounds its weights. Lower
than the gate's, which counts pictures trained on as well: of those a model is surer."""
MOST_PICTURES = 1000
"""Of the test part, by chance: enough to see a drop of a point, and they lie in memory."""
MOST_SQUASHED = 100
"""Of those, the first, that are read in other tools' way as well."""


@dataclass(frozen=True, slots=True)
class FormatFigures:
    """How one format answers beside Keras, on pictures of the test part."""

    format: Format
    accuracy: Share
    drop: PairedDrop
    """Keras is the first, the format the second."""
    agreement: Share
    """Same best label as Keras."""
    largest_difference: float
    """Of any score."""
    mean_difference: float
    """Of all scores."""
    divergence: float
    """Mean Kullback-Leibler divergence of the format's scores from Keras's, nats."""
    confidence_change: MetricChange
    """Of the score of Keras's best label."""
    worst_label: str
    """The one that loses most recall."""
    worst_loss: float
    """Points of recall that it loses, 0..1."""
    largest_novelty_difference: float | None
    """Of the novelty score; None where there is none."""
    squashed: Share
    """Same best label from the picture read as other tools read it as Keras gives for the picture
    read as the device reads it; of nothing where that was not tried. Reported, not judged."""
    failures: tuple[str, ...]

    @property
    def line(self) -> str:
        """The figures that matter most, for people."""
        return (
            f"accuracy {percent(self.accuracy.value)}, same label as Keras "
            f"{percent(self.agreement.value)}, scores within {_small(self.largest_difference)}"
        )

    def to_json(self) -> dict[str, Any]:
        """A part of `parity.json`."""
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
    """The figures of one format, and in what it fails.

    Args:
        reference: Keras's predictions.
        predictions: the format's, for the same tensors, a row each.
        truth: (pictures,) class indices.
        squashed: the format's to the first of these pictures, read as other tools do.
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
        failures.append("it has lost the novelty score")
    kind = figures.format
    if kind in _LEAST_AGREEMENT:
        interval, least = figures.agreement.interval, _LEAST_AGREEMENT[kind]
        if interval is not None and interval[1] < least:
            failures.append(f"it agrees with Keras on {figures.agreement}, less than {least:.0%}")
        if figures.drop.interval[0] > LARGEST_DROP:
            failures.append(
                f"it changes accuracy by {figures.drop}, more than {100 * LARGEST_DROP:g} down"
            )
        if not figures.confidence_change.mean <= LARGEST_CHANGE:
            failures.append(
                f"the best label's score moves by {figures.confidence_change.mean:.2f} on average, "
                f"more than {LARGEST_CHANGE:g}"
            )
    else:
        furthest = max(figures.largest_difference, figures.largest_novelty_difference or 0.0)
        if not furthest <= SAME:
            failures.append(f"a score lies {furthest:.2g} from Keras's, more than {SAME:g}")
    return replace(figures, failures=tuple(failures))


def score_tflite(model: bytes, tensors: Tensors, *, doing: str) -> Predictions:
    """What a `.tflite` file says, by the device's own code."""
    rows: list[Prediction] = []
    # An interpreter for each processor: it lets go of Python's lock while it computes.
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
    """What Keras or TensorFlow says, in a process of its own."""
    with (
        in_subprocess(task, run, tensors, doing=doing, source=source) as made,
        np.load(made.result) as row,
    ):
        return Predictions.named({name: row[name] for name in row.files})


def table(rows: Sequence[FormatFigures]) -> list[str]:
    """The figures of all formats as a Markdown table, a line each."""
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
    """One digit of a small number: what lies below is another rounding on another machine."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    return f"{value:.3f}" if value >= 0.01 else f"{value:.0e}"
