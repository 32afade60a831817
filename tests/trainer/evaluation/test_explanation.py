"""Where a model looks is where what it answers by is."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from trainer.evaluation.explanation import _heat
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


@pytest.mark.parametrize(("label", "corner"), [(0, np.s_[:8, :8]), (1, np.s_[24:, 24:])])
def test_what_speaks_for_a_label_is_hot_and_what_speaks_against_it_is_not(
    label: int, corner: tuple[slice, slice]
) -> None:
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[:8, :8, 0] = 200
    picture[24:, 24:, 1] = 200
    heat = _heat(looks_for_red_and_green(), picture, label)
    assert heat.shape == (32, 32)
    assert heat.max() == pytest.approx(1, abs=0.05)
    assert heat[corner].mean() > 0.7
    outside = heat.copy()
    outside[corner] = 0
    assert outside.mean() < 0.03


def test_a_picture_with_nothing_in_it_has_no_heat() -> None:
    assert not _heat(looks_for_red_and_green(), np.zeros((32, 32, 3), np.uint8), 0).any()
