"""The predictions of models for pictures, and the names of the outputs in every format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.core.model.interpreter import SCORES, UNKNOWN
from edge.core.verdict import Prediction

_AT_ONCE = 8  # the batch size; 32 took 0.4 GB more and was not faster

ScoreRows = npt.NDArray[np.float32]
"""The scores of several pictures, float32 (pictures, classes)."""


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """The scores that a model gives to pictures, one row per picture."""

    scores: ScoreRows
    novelty: npt.NDArray[np.float64] | None = None
    """The novelty scores, (pictures,); None if the model has none."""

    @classmethod
    def of(cls, rows: Sequence[Prediction]) -> Predictions:
        """The predictions for several pictures, from the answer to each."""
        novelty = [row.novelty for row in rows if row.novelty is not None]
        return cls(np.stack([row.scores for row in rows]), np.array(novelty) if novelty else None)

    @classmethod
    def named(cls, outputs: Mapping[str, npt.NDArray[Any]]) -> Predictions:
        """The predictions in outputs by name: `scores`, (pictures, classes), and, if the model has
        a novelty score, `unknown`, (pictures, 1)."""
        novelty = outputs.get(UNKNOWN)
        return cls(
            np.asarray(outputs[SCORES], np.float32),
            None if novelty is None else np.asarray(novelty, np.float64)[:, 0],
        )

    def part(self, start: int, stop: int) -> Predictions:
        """The predictions for the pictures from `start` up to, but not including, `stop`."""
        novelty = self.novelty
        return Predictions(
            self.scores[start:stop], None if novelty is None else novelty[start:stop]
        )


def outputs_by_name(outputs: Any) -> dict[str, Any]:
    """The outputs of a Keras model, one tensor or a list of them, by name."""
    rows = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    return dict(zip((SCORES, UNKNOWN), rows, strict=False))


def write_outputs(
    out: Path,
    tensors: npt.NDArray[np.uint8],
    forward: Callable[[npt.NDArray[np.uint8]], Mapping[str, Any]],
    stage: Callable[[str], None],
) -> None:
    """Computes the outputs for all `tensors` and writes them to `out`, a NumPy file, by name.

    Args:
        out: the file to write.
        tensors: uint8 (pictures, height, width, channels).
        forward: gives TensorFlow's outputs, by name, for a batch of tensors.
        stage: called with a description of the progress.
    """
    rows: dict[str, list[Any]] = {}
    for start in range(0, len(tensors), _AT_ONCE):
        stage(f"picture {start} of {len(tensors)}")
        for name, values in forward(np.asarray(tensors[start : start + _AT_ONCE])).items():
            rows.setdefault(name, []).append(values.numpy())
    with out.open("wb") as file:
        np.savez(file, **{name: np.concatenate(values) for name, values in rows.items()})  # type: ignore[arg-type]
