"""`predictions.csv` says of each test picture what the model takes it for, also when disturbed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trainer.evaluation.predictions import read_predictions
from trainer.evaluation.robustness import DISTURBANCES, robustness
from trainer.report.predictions_csv import write_predictions
from trainer.report.scored_split import ScoredSplit


def test_each_disturbed_picture_has_the_share_of_its_copies_that_are_right(tmp_path: Path) -> None:
    """A model that takes what is dark for the first class; every other picture is tested."""
    rng = np.random.default_rng(0)
    tensors = rng.normal(120, 25, (12, 24, 24, 3)).clip(0, 255).astype(np.uint8)
    rows, truth = np.arange(0, 12, 2), np.ones(6, np.int64)

    def predict(images: np.ndarray) -> np.ndarray:
        return np.eye(2)[(images.mean(axis=(1, 2, 3)) > 70).astype(int)]

    disturbed = robustness(predict, tensors, truth, groups=None, seed=0, rows=rows)
    split = ScoredSplit(
        logits=np.asarray(np.eye(2)[truth], np.float32),
        temperature=1.0,
        truth=truth,
        names=[f"{row}.png" for row in rows],
        rows=rows,
        groups=["a", "a", "b", "b", "c", "c"],
    )
    digests = [f"{i:064x}" for i in range(12)]
    write_predictions(tmp_path, split, ("dark", "light"), digests, disturbed)
    found = read_predictions(tmp_path)
    assert [each.sha256 for each in found] == [digests[row] for row in rows]
    shares = [each.disturbed or 0 for each in found]
    assert np.mean(shares) == pytest.approx(
        np.mean([each.accuracy.value for each in disturbed]), abs=1e-5
    )
    # "dark", mild leaves 60 % of the light and strong 30 %: 72 levels and 36.
    assert max(shares) == pytest.approx(1 - 1 / (2 * len(DISTURBANCES)), abs=0.06)
    write_predictions(tmp_path, split, ("dark", "light"), digests)
    assert {each.disturbed for each in read_predictions(tmp_path)} == {None}
