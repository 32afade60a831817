"""`predictions.csv` of a run: what its model says of each picture of its test split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from trainer.evaluation.predictions import TestPrediction, write_rows
from trainer.evaluation.robustness import Disturbed
from trainer.report.scored_split import ScoredSplit


def write_predictions(
    folder: Path,
    split: ScoredSplit,
    labels: Sequence[str],
    digests: Sequence[str],
    disturbed: Sequence[Disturbed] = (),
) -> None:
    """Writes the file.

    Args:
        digests: SHA-256 of the file of every picture of the run, by the row of its tensor.
        disturbed: what all disturbances come to, of the same pictures each.
    """
    best, scores = split.best, split.scores.max(axis=1, initial=0)
    groups = split.groups or split.names
    write_rows(
        folder,
        [
            TestPrediction(
                digests[row],
                groups[i],
                labels[split.truth[i]],
                labels[best[i]],
                float(scores[i]),
                _share_right([each.right[row] for each in disturbed if row in each.right]),
            )
            for i, row in enumerate(split.rows.tolist())
        ],
    )


def _share_right(copies: Sequence[bool]) -> float | None:
    return sum(copies) / len(copies) if copies else None
