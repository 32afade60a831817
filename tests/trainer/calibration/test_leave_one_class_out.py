"""A class left out is found as far as its features differ."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edge.core.dataset import LabelledPicture
from trainer.calibration.leave_one_class_out import KINDS, leave_classes_out

DEPTH = 24


def features(
    labels: dict[str, int], *, series: int = 1, spread: float = 0.25, seed: int = 0
) -> tuple[npt.NDArray[np.float32], list[LabelledPicture]]:
    """Clouds of features around an axis for each label, and the pictures they are of.

    Args:
        labels: the axis of each.
        series: pictures that share a group.
    """
    rng = np.random.default_rng(seed)
    rows, pictures = [], []
    for label, axis in labels.items():
        for number in range(60):
            rows.append(np.abs(np.eye(DEPTH)[axis] + rng.normal(0, spread, DEPTH) / 2))
            group = f"{label}/{number // series}"
            pictures.append(LabelledPicture(Path(f"{label}{number}.png"), label, group, "train"))
    return np.array(rows, np.float32), pictures


def test_a_class_of_its_own_is_found_and_a_twin_of_another_is_not() -> None:
    rows, pictures = features({"can": 0, "twin": 0, "glass": 8, "paper": 16})
    found = leave_classes_out(rows, pictures, keep=0.9, seed=0)
    assert set(found) == set(KINDS)
    for kind in KINDS:
        assert set(found[kind]) == {"can", "twin", "glass", "paper"}
        assert found[kind]["can"].pictures == 60
    assert found["distance"]["glass"].auroc > 0.95
    assert (found["distance"]["glass"].found.value or 0) > 0.8
    assert found["distance"]["twin"].auroc == pytest.approx(0.5, abs=0.12)
    assert (found["distance"]["twin"].found.value or 0) < 0.3


def test_the_interval_knows_of_series() -> None:
    alone = features({"a": 0, "b": 1, "c": 2}, spread=1.2)
    series = features({"a": 0, "b": 1, "c": 2}, spread=1.2, series=15)
    widths = []
    for rows, pictures in (alone, series):
        interval = leave_classes_out(rows, pictures, keep=0.9, seed=0)["both"]["a"].found.interval
        assert interval is not None
        widths.append(interval[1] - interval[0])
    assert widths[1] > widths[0]


def test_eight_classes_at_most_are_left_out() -> None:
    rows, pictures = features({f"c{n:02}": n for n in range(12)})
    found = leave_classes_out(rows, pictures, keep=0.9, seed=0)
    assert len(found["both"]) == 8
    assert {"c00", "c11"} <= set(found["both"])


def test_the_same_seed_gives_the_same_figures() -> None:
    rows, pictures = features({"a": 0, "b": 1, "c": 2}, spread=0.8)
    first, again = (leave_classes_out(rows, pictures, keep=0.9, seed=4) for _ in range(2))
    assert first == again


def test_a_class_in_one_series_alone_does_not_stop_it() -> None:
    rows, pictures = features({"a": 0, "b": 1, "c": 2}, series=60)
    found = leave_classes_out(rows, pictures, keep=0.9, seed=0)
    assert all(0 <= figure.auroc <= 1 for figure in found["both"].values())
