"""What a model says of pictures that it has not seen: `predictions.csv`, a line for each."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.core.files import read_regular, write_file
from trainer.errors import RunError

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


def write_rows(folder: Path, rows: Sequence[TestPrediction]) -> None:
    """Writes the file in `folder`, a line for each picture."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        disturbed = "" if row.disturbed is None else f"{row.disturbed:.6f}"
        found = (row.sha256, row.group, row.label, row.taken_for, f"{row.score:.6f}", disturbed)
        writer.writerow(found)
    write_file(folder / PREDICTIONS, text.getvalue().encode("utf-8", "backslashreplace"))


def read_predictions(folder: Path) -> tuple[TestPrediction, ...]:
    """The predictions in `folder`, that of a run or of a fold.

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
