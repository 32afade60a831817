"""A CSV file of the scores of labelled pictures: what a model said of each.

Columns: `path`, `label` (the true one), `score LABEL` for each label of the model, and `novelty`
where the model has such a score.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from edge.core.errors import ScoresFileError
from edge.core.files import storage_errors, write_file
from edge.core.verdict import Prediction

_SCORE = "score "
_NOVELTY = "novelty"


@dataclass(frozen=True, slots=True, eq=False)
class ScoredPicture:
    """A picture with what a model said of it."""

    path: str
    label: str
    """What it really shows."""
    prediction: Prediction


def write_scores(path: Path, pictures: Iterable[ScoredPicture], labels: Sequence[str]) -> None:
    """Writes the file.

    Args:
        labels: the model's labels, in the order of the scores.

    Raises:
        StorageError: the place cannot be written.
    """
    rows = list(pictures)
    novel = any(row.prediction.novelty is not None for row in rows)
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["path", "label", *(_SCORE + label for label in labels), *[_NOVELTY] * novel])
    for row in rows:
        scores, novelty = row.prediction
        values = [*scores.tolist(), *[novelty] * novel]
        lines.writerow([row.path, row.label, *(f"{value:.9g}" for value in values)])
    write_file(path, text.getvalue())


def read_scores(path: Path, labels: Sequence[str]) -> list[ScoredPicture]:
    """Reads the file of a model with these labels.

    Raises:
        ScoresFileError: it is no such file, or that of a model with other labels.
        StorageError: it cannot be read.
    """
    with (
        storage_errors("read", path),
        path.open(encoding="utf-8-sig", newline="", errors="replace") as file,
    ):
        rows = csv.DictReader(file)
        columns = list(rows.fieldnames or ())
        wanted = [_SCORE + label for label in labels]
        if missing := [name for name in ["label", *wanted] if name not in columns]:
            raise ScoresFileError(
                f"{path}: it has no column {', '.join(map(repr, missing))} (it has "
                f"{', '.join(columns) or 'none'}): write it with `pilah-edge evaluate --scores` "
                "and the station's own bundle"
            )
        novel = _NOVELTY in columns
        found = []
        for row in rows:
            number = partial(_number, f"{path}:{rows.line_num}")
            scores = np.array([number(row[name]) for name in wanted], np.float32)
            prediction = Prediction(scores, number(row[_NOVELTY]) if novel else None)
            found.append(ScoredPicture(row.get("path") or "", row["label"] or "", prediction))
    if not found:
        raise ScoresFileError(f"{path}: it has no rows")
    return found


def _number(where: str, text: str | None) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise ScoresFileError(f"{where}: a score must be a number from 0 to 1. Received: {text!r}")
    return value
