"""What models say to pictures, and the names by which every format gives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.core.model.interpreter import SCORES, UNKNOWN
from edge.core.verdict import Prediction

_AT_ONCE = 8  # four times as many took 0.4 GB more, and were no quicker

ScoreRows = npt.NDArray[np.float32]
"""float32 (pictures, classes)."""


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What a model says to pictures, a row each."""

    scores: ScoreRows
    novelty: npt.NDArray[np.float64] | None = None
    """(pictures,); None: the model has no such score."""

    @classmethod
    def of(cls, rows: Sequence[Prediction]) -> Predictions:
        """Those of single pictures, together."""
        novelty = [row.novelty for row in rows if row.novelty is not None]
        return cls(np.stack([row.scores for row in rows]), np.array(novelty) if novelty else None)

    @classmethod
    def named(cls, outputs: Mapping[str, npt.NDArray[Any]]) -> Predictions:
        """Outputs by name: `scores` (pictures, classes), perhaps `unknown` (pictures, 1)."""
        novelty = outputs.get(UNKNOWN)
        return cls(
            np.asarray(outputs[SCORES], np.float32),
            None if novelty is None else np.asarray(novelty, np.float64)[:, 0],
        )

    def part(self, start: int, stop: int) -> Predictions:
        """Those to the pictures from `start` to before `stop`."""
        strange = self.novelty
        return Predictions(
            self.scores[start:stop], None if strange is None else strange[start:stop]
        )


def outputs_by_name(outputs: Any) -> dict[str, Any]:
    """The outputs of a Keras model, which come alone or in a list, by name."""
    rows = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    return dict(zip((SCORES, UNKNOWN), rows, strict=False))


def write_outputs(
    out: Path,
    tensors: npt.NDArray[np.uint8],
    forward: Callable[[npt.NDArray[np.uint8]], Mapping[str, Any]],
    stage: Callable[[str], None],
) -> None:
    """Writes what `forward` makes of all `tensors` to `out`, a NumPy file of arrays by name.

    Args:
        forward: from a few tensors to TensorFlow's outputs by name.
        stage: called with how far it is.
    """
    rows: dict[str, list[Any]] = {}
    for start in range(0, len(tensors), _AT_ONCE):
        stage(f"picture {start} of {len(tensors)}")
        for name, values in forward(np.asarray(tensors[start : start + _AT_ONCE])).items():
            rows.setdefault(name, []).append(values.numpy())
    with out.open("wb") as file:
        np.savez(file, **{name: np.concatenate(values) for name, values in rows.items()})  # type: ignore[arg-type]
