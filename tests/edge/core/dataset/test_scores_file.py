"""A file of the scores of labelled pictures: it is read as it was written, or its mistake named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.core.dataset.scores_file import ScoredPicture, read_scores, write_scores
from edge.core.errors import ScoresFileError, StorageError
from edge.core.verdict import Prediction

LABELS = ("can", "a, b")


def scored(label: str, first: float, novelty: float | None = None) -> ScoredPicture:
    scores = np.array([first, 1 - first], np.float32)
    return ScoredPicture(f"{label}/1.png", label, Prediction(scores, novelty))


@pytest.mark.parametrize("novelty", [None, 0.25])
def test_what_is_written_is_read_again(tmp_path: Path, novelty: float | None) -> None:
    pictures = [scored("can", 0.75, novelty), scored("thing of no class", 1 / 3, novelty)]
    write_scores(tmp_path / "scores.csv", pictures, LABELS)
    found = read_scores(tmp_path / "scores.csv", LABELS)
    assert [(one.path, one.label) for one in found] == [
        ("can/1.png", "can"), ("thing of no class/1.png", "thing of no class"),
    ]  # fmt: skip
    for one, other in zip(pictures, found, strict=True):
        assert np.array_equal(one.prediction.scores, other.prediction.scores)
        assert other.prediction.scores.dtype == np.float32
        assert other.prediction.novelty == novelty


def test_the_columns_of_another_program_may_come_in_another_order(tmp_path: Path) -> None:
    file = tmp_path / "scores.csv"
    file.write_text('"score a, b",more,label,score can\n0.25,x,can,0.75\n', "utf-8")
    (found,) = read_scores(file, LABELS)
    assert found.prediction.scores.tolist() == [0.75, 0.25]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column 'label', 'score can', 'score a, b' \\(it has none\\)"),
        ("label,score can\ncan,1\n", "no column 'score a, b'.*evaluate --scores"),
        ('label,score can,"score a, b"\n', "it has no rows"),
        ('label,score can,"score a, b"\ncan,1,0\ncan,x,0\n', "csv:3: .*Received: 'x'"),
        ('label,score can,"score a, b"\ncan,1.5,0\n', "from 0 to 1. Received: '1.5'"),
        ('label,score can,"score a, b"\ncan,nan,0\n', "Received: 'nan'"),
        ('label,score can,"score a, b"\ncan,1\n', "Received: None"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "scores.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(ScoresFileError, match=said):
        read_scores(file, LABELS)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="nowhere"):
        read_scores(tmp_path / "nowhere.csv", LABELS)
