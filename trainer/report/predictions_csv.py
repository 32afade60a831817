"""`predictions.csv`: what the model of a run says of each picture of its test split."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.core.files import read_regular, write_file
from trainer.errors import RunError
from trainer.evaluation.robustness import Disturbed
from trainer.report.scored_split import ScoredSplit

PREDICTIONS = "predictions.csv"
_COLUMNS = ("sha256", "group", "label", "taken_for", "score", "disturbed")
_LARGEST = 1 << 30


@dataclass(frozen=True, slots=True)
class TestPrediction:
    """What the model says of one test picture."""

    __test__ = False  # not a test, though pytest would take its name for one

    sha256: str
    """Of its file, in hexadecimal."""
    group: str
    label: str
    taken_for: str
    score: float
    """The highest of its scores, 0..1."""
    disturbed: float | None = None
    """The share of its disturbed copies that are classified correctly; None if it has none."""

    @property
    def right(self) -> bool:
        """Whether it is classified correctly."""
        return self.label == self.taken_for


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
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    best, scores = split.best, split.scores.max(axis=1, initial=0)
    groups = split.groups or split.names
    for i, row in enumerate(split.rows.tolist()):
        writer.writerow(
            (
                digests[row],
                groups[i],
                labels[split.truth[i]],
                labels[best[i]],
                f"{scores[i]:.6f}",
                _share_right([each.right[row] for each in disturbed if row in each.right]),
            )
        )
    write_file(folder / PREDICTIONS, text.getvalue().encode("utf-8", "backslashreplace"))


def _share_right(copies: Sequence[bool]) -> str:
    return f"{sum(copies) / len(copies):.6f}" if copies else ""


def read_predictions(folder: Path) -> tuple[TestPrediction, ...]:
    """The predictions of the run in `folder`.

    Raises:
        RunError: the file is missing, as in a run of an earlier pilah, or damaged.
    """
    try:
        text = read_regular(folder / PREDICTIONS, largest=_LARGEST).decode()
        return tuple(
            TestPrediction(
                row["sha256"],
                row["group"],
                row["label"],
                row["taken_for"],
                float(row["score"]),
                # The column is not there in a run of an earlier pilah.
                float(row["disturbed"]) if row.get("disturbed") else None,
            )
            for row in csv.DictReader(io.StringIO(text, newline=""))
        )
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise RunError(
            f"{folder / PREDICTIONS}: cannot be read ({error!r}): train this run again"
        ) from error
