"""What an epoch is made of: whose turn it is, and what it weighs."""

from __future__ import annotations

import numpy as np
import pytest

from trainer.fit.batches import class_weights, epoch_order


@pytest.mark.parametrize(("kind", "ratio"), [("none", 1.0), ("sqrt", 2.0), ("balanced", 4.0)])
def test_rare_classes_weigh_more(kind: str, ratio: float) -> None:
    truth = np.array([0] * 80 + [1] * 20)
    weights = class_weights(truth, 2, kind)
    assert weights[1] / weights[0] == pytest.approx(ratio)
    assert weights[truth].mean() == pytest.approx(1)


def test_shuffled_has_each_once() -> None:
    train, truth = np.arange(10, 40), np.arange(40) % 3
    order = epoch_order(train, truth, "shuffled", np.random.default_rng(0))
    assert sorted(order) == list(train)
    assert list(order) != list(train)


def test_balanced_has_every_class_as_often() -> None:
    truth = np.array([0] * 90 + [1] * 9 + [2] * 1)
    order = epoch_order(np.arange(100), truth, "balanced", np.random.default_rng(0))
    assert len(order) == 100
    counts = np.bincount(truth[order])
    assert counts.max() - counts.min() <= 2
    # A class of nine comes in turns: none of them waits while another comes a third time more.
    times = np.bincount(order, minlength=100)[90:99]
    assert times.max() - times.min() <= 1
