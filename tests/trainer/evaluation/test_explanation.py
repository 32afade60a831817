"""Where a model looks is where what it answers by is."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from edge.core.dataset import LabelledPicture
from trainer.evaluation import explanation
from trainer.evaluation.explanation import SeenPictures, activations
from trainer.networks import FEATURES, LOGITS, POOLED, Network

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def looks_for_red_and_green() -> Network:
    """A network whose first label is how much red there is, and its second, how much green."""
    image = keras.Input((32, 32, 3))
    x = keras.layers.AveragePooling2D(4)(image)
    x = keras.layers.Identity(name=FEATURES)(x)
    x = keras.layers.GlobalAveragePooling2D(name=POOLED)(x)
    logits = keras.layers.Dense(2, name=LOGITS)
    scores = keras.layers.Softmax()(logits(x))
    logits.set_weights([np.array([[1.0, -1], [-1, 1], [0, 0]], np.float32), np.zeros(2)])
    return Network(keras.Model(image, scores), pretrained=False)


def red_alone() -> np.ndarray:
    picture = red_and_green()[:1]
    picture[..., 1] = 0
    return picture


def red_and_green() -> np.ndarray:
    """Two pictures, uint8 (2, 32, 32, 3): red in one corner, green in the other one."""
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[:8, :8, 0] = 200
    picture[24:, 24:, 1] = 200
    return np.stack([picture, picture])


def test_what_speaks_for_a_label_is_hot_and_what_speaks_against_it_is_not() -> None:
    heats = activations(looks_for_red_and_green(), red_and_green(), [0, 1])
    assert heats is not None
    assert heats.shape == (2, 32, 32)
    for heat, corner in zip(heats, (np.s_[:8, :8], np.s_[24:, 24:]), strict=True):
        # The other corner speaks against it as much.
        assert heat.max() == pytest.approx(0.5, abs=0.03)
        assert heat[corner].mean() > 0.35
        outside = heat.copy()
        outside[corner] = 0
        assert outside.mean() < 0.03


def test_what_nothing_speaks_against_is_hottest() -> None:
    heats = activations(looks_for_red_and_green(), red_alone(), [0])
    assert heats is not None
    assert heats[0].max() == pytest.approx(1, abs=0.05)


def test_a_picture_with_nothing_in_it_has_no_heat_and_a_network_without_a_map_none() -> None:
    black = np.zeros((1, 32, 32, 3), np.uint8)
    heats = activations(looks_for_red_and_green(), black, [0])
    assert heats is not None
    assert not heats.any()
    image = keras.Input((32, 32, 3))
    flat = keras.layers.Flatten(name=POOLED)(image)
    scores = keras.layers.Softmax()(keras.layers.Dense(2, name=LOGITS)(flat))
    assert activations(Network(keras.Model(image, scores), pretrained=False), black, [0]) is None


def test_the_most_alike_training_pictures_come_first() -> None:
    pooled = np.array([[1, 0], [3, 4], [0, 2], [-1, 0], [6, 8], [1, 1]], np.float32)
    tensors = np.arange(60, dtype=np.uint8).reshape(10, 2, 1, 3)
    pictures = [LabelledPicture(Path(f"photos/can/{i}.jpg"), f"label {i}") for i in range(6)]
    seen = SeenPictures(pictures, tensors, np.array([9, 8, 7, 6, 5, 4]), pooled)
    (found,) = seen.alike(np.array([[30, 40]], np.float32))
    assert [one.label for one in found] == [f"label {i}" for i in (1, 4, 5, 2, 0)]
    assert found[0].likeness == pytest.approx(1)
    assert found[4].likeness == pytest.approx(0.6)
    assert found[0].name == "can/1.jpg"
    assert (found[0].tensor == tensors[8]).all()
    (others,) = seen.alike(np.array([[30, 40]], np.float32), itself=np.array([1, 4]))
    assert [one.label for one in others] == [f"label {i}" for i in (5, 2, 0, 3)]


def test_a_score_just_below_its_threshold_is_told_with_as_many_digits_as_it_takes() -> None:
    facts = SimpleNamespace(unknown=None, labels=("can", "jar"), accept={"can": 0.9, "jar": 0.5})
    run: Any = SimpleNamespace(facts=facts)
    told = [explanation._outcome(run, np.array([s, 1 - s]), None) for s in (0.8996, 0.7, 0.9)]
    assert told == [
        "rejected: can is accepted from 0.9000, and 0.8996 is less",
        "rejected: can is accepted from 0.90",
        "accepted",
    ]
