"""The same novelty score in NumPy, where it is chosen, and in the graph, where it is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.converter.runs import KERAS_READS_VARIABLES
from trainer.calibration.novelty import (
    NoveltyScore,
    RawScores,
    choose_prototypes,
    distance,
    energy,
    with_unknown_output,
)
from trainer.networks import LOGITS, POOLED, SCORES

AXES = np.eye(4, dtype=np.float32)


def network() -> Any:
    """A small Keras model with the layers that a score is computed from."""
    import keras

    keras.utils.set_random_seed(3)
    picture = keras.Input((8, 8, 3))
    pooled = keras.layers.GlobalAveragePooling2D(name=POOLED)(
        keras.layers.Conv2D(12, 3, activation="relu")(picture)
    )
    logits = keras.layers.Dense(5, name=LOGITS)(pooled)
    return keras.Model(picture, keras.layers.Softmax(name=SCORES)(logits))


def test_energy_is_low_where_a_logit_is_large() -> None:
    found = energy(np.array([[8.0, 0, 0], [0, 0, 0], [900.0, 0, 0]]))
    assert found == pytest.approx([-np.log(np.exp(8) + 2), -np.log(3), -900])


@pytest.mark.parametrize(
    ("pooled", "expected"),
    [
        ((2, 0, 0, 0), 0),
        ((1, 1, 0, 0), 1 - np.sqrt(0.5)),
        ((0, 0, 0, 5), 1),
        ((-1, 0, 0, 0), 1),  # at a right angle to the second
        ((0, 0, 0, 0), 1),
    ],
)
def test_distance_is_that_of_the_angle_to_the_nearest_prototype(
    pooled: tuple[float, ...], expected: float
) -> None:
    assert distance(np.array([pooled]), AXES[:2]) == pytest.approx([expected], abs=1e-6)


def test_prototypes_are_the_kinds_of_things_in_each_class() -> None:
    rng = np.random.default_rng(0)
    # Each of two classes comes in two shapes, eight prototypes each have room for both.
    rows = np.repeat(AXES, 30, axis=0) * rng.uniform(1, 9, (120, 1))
    rows += rng.normal(0, 0.05, rows.shape)
    truth = np.repeat([0, 0, 1, 1], 30)
    prototypes = choose_prototypes(rows, truth, seed=1)
    assert prototypes.dtype == np.float32
    assert np.linalg.norm(prototypes, axis=1) == pytest.approx(np.ones(len(prototypes)))
    assert (prototypes @ AXES.T).max(axis=0) == pytest.approx(np.ones(4), abs=0.01)
    assert np.array_equal(prototypes, choose_prototypes(rows, truth, seed=1))


@pytest.mark.parametrize(
    ("classes", "pictures", "expected"),
    [(6, 50, 48), (19, 50, 114), (200, 2, 200), (2, 1, 4), (3, 2, 6)],
)
def test_the_number_of_prototypes_is_bounded(classes: int, pictures: int, expected: int) -> None:
    rows = np.random.default_rng(0).normal(size=(classes * pictures, 16))
    truth = np.repeat(np.arange(classes), pictures)
    # four at the least, for tflite-runtime's sake
    assert len(choose_prototypes(rows, truth, seed=0)) == expected


def test_both_weighs_each_by_its_spread_over_known_pictures() -> None:
    rng = np.random.default_rng(0)
    known = RawScores(rng.normal(-9, 2, 500), rng.normal(0.3, 0.01, 500))
    energy_weight, distance_weight = known.weights("both", 0.95)
    assert distance_weight / energy_weight == pytest.approx(200, rel=0.2)
    assert known.weights("energy", 0.95) == (energy_weight, 0)
    assert known.weights("distance", 0.95) == (0, distance_weight)


@pytest.mark.filterwarnings(KERAS_READS_VARIABLES)
@pytest.mark.parametrize(
    ("energy_weight", "distance_weight", "kind"),
    [(1.3, 0, "energy"), (0, 20.0, "distance"), (0.8, 9.0, "both")],
)
def test_the_graph_gives_what_it_was_chosen_by(
    tmp_path: Path, energy_weight: float, distance_weight: float, kind: str
) -> None:
    import keras

    model = network()
    rng = np.random.default_rng(5)
    pictures = (rng.uniform(0, 9, (7, 8, 8, 3)) * rng.uniform(0, 1, (7, 1, 1, 3))).astype(
        np.float32
    )
    ends = keras.Model(model.input, [model.get_layer(name).output for name in (LOGITS, POOLED)])
    logits, pooled = (np.asarray(out) for out in ends(pictures))
    prototypes = choose_prototypes(pooled[:4], np.array([0, 0, 1, 1]), seed=0)
    raw = RawScores(energy(logits), distance(pooled, prototypes))
    middle = float(np.median(raw.weighted((energy_weight, distance_weight))))
    novelty = NoveltyScore(energy_weight, distance_weight, middle, prototypes)
    assert novelty.kind == kind
    telling = with_unknown_output(model, novelty)
    assert telling.output_names == [SCORES, "unknown"]
    path = tmp_path / "model.keras"
    telling.save(path)
    # Read as anybody reads it: with no code of ours.
    scores, unknown = keras.saving.load_model(path, compile=False)(pictures)
    expected = novelty.of(logits, pooled)
    assert unknown.shape == (7, 1)
    np.testing.assert_allclose(np.asarray(unknown)[:, 0], expected, atol=1e-5)
    assert np.ptp(expected) > 0.01
    np.testing.assert_allclose(np.asarray(scores), np.asarray(model(pictures)))
