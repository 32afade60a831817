"""The novelty score: how little a picture looks like a thing of any class, 0..1.

`energy` is the negative log-sum-exp of the logits: low where some class has a large logit (Liu et
al., Energy-based out-of-distribution detection, NeurIPS 2020). `distance` is the cosine distance of
the pooled features to the nearest of a few prototypes of each class: a nearest neighbour (Sun et
al., Out-of-distribution detection with deep nearest neighbors, ICML 2022) at the price of a Dense
layer. `both` is their sum, each in units of its spread over known pictures. A logistic function
brings them to 0..1, 0.5 at the threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from edge.core.model.interpreter import UNKNOWN
from trainer.networks import LOGITS, POOLED

Kind = Literal["energy", "distance", "both"]
Floats = npt.NDArray[np.floating]

PROTOTYPES = "prototypes"
"""The Dense layer whose weights are the prototypes."""

_PER_CLASS = 8
_MOST = 128
"""The most prototypes of all classes together; about a hundred add 5 % to MobileNetV2's weights."""
_FEWEST = 4
"""The fewest prototypes, because tflite-runtime 2.14 crashes on arm64 at a Dense layer with fewer
outputs."""
_ROUNDS = 20
_TINY = 1e-6
_MIDDLE = (0.2, 0.8)
"""The quantiles between which scores of two models are compared: a few dozen pictures give them
well, and the tails, which set the limit, not."""


@dataclass(frozen=True, slots=True, eq=False)
class NoveltyScore:
    """The novelty score as the graph computes it, from weighted energy and distance."""

    energy: float
    """The weight of the energy; 0 if it is not used."""
    distance: float
    """The weight of the distance; 0 if it is not used."""
    offset: float
    """The weighted sum at which the novelty score is 0.5."""
    prototypes: npt.NDArray[np.float32]
    """float32 (prototypes, depth), rows of length 1, for the distance."""

    @property
    def kind(self) -> Kind:
        """The quantities that the score is computed from."""
        if self.energy and self.distance:
            return "both"
        return "energy" if self.energy else "distance"

    def of(self, logits: Floats, pooled: Floats) -> npt.NDArray[np.float64]:
        """The novelty scores, float64 (pictures,) in 0..1, as the graph computes them.

        Args:
            logits: (pictures, classes), divided by the temperature.
            pooled: (pictures, depth) outputs of the layer `pooled`.
        """
        weighted = np.full(len(logits), -self.offset)
        if self.energy:
            weighted = weighted + self.energy * energy(logits)
        if self.distance:
            weighted = weighted + self.distance * distance(pooled, self.prototypes)
        return np.asarray(1 / (1 + np.exp(-weighted)))


@dataclass(frozen=True, slots=True, eq=False)
class RawScores:
    """Energy and distance of the same pictures."""

    energy: npt.NDArray[np.float64]
    distance: npt.NDArray[np.float64]

    def only(self, indices: npt.NDArray[np.int64]) -> RawScores:
        """The raw scores of some of the pictures."""
        return RawScores(self.energy[indices], self.distance[indices])

    def on_scale_of(self, other: RawScores) -> RawScores:
        """These scores, shifted and stretched to the median and the middle spread of `other`.

        Two models that tell the same classes apart give scores of one shape on different scales.
        """

        def moved(
            values: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64]
        ) -> npt.NDArray[np.float64]:
            low, high = np.quantile(values, _MIDDLE)
            wanted_low, wanted_high = np.quantile(wanted, _MIDDLE)
            stretched = (values - np.median(values)) * (wanted_high - wanted_low)
            return np.asarray(np.median(wanted) + stretched / max(float(high - low), _TINY))

        return RawScores(moved(self.energy, other.energy), moved(self.distance, other.distance))

    def weights(self, kind: Kind, keep: float) -> tuple[float, float]:
        """The weights of energy and distance: one over their spread, 0 if not used."""

        def weight(values: npt.NDArray[np.float64]) -> float:
            return 1 / max(float(np.quantile(values, keep) - np.median(values)), _TINY)

        return (
            weight(self.energy) if kind != "distance" else 0.0,
            weight(self.distance) if kind != "energy" else 0.0,
        )

    def weighted(self, weights: tuple[float, float]) -> npt.NDArray[np.float64]:
        """The score of each picture."""
        return weights[0] * self.energy + weights[1] * self.distance


def joined(scores: Sequence[RawScores]) -> RawScores:
    """The raw scores of all pictures of several sets, in order."""
    return RawScores(
        np.concatenate([each.energy for each in scores]),
        np.concatenate([each.distance for each in scores]),
    )


def energy(logits: Floats) -> npt.NDArray[np.float64]:
    """(pictures,) negative log-sum-exp of `logits` (pictures, classes)."""
    from scipy.special import logsumexp

    return np.asarray(-logsumexp(logits.astype(np.float64), axis=1))


def distance(pooled: Floats, prototypes: Floats) -> npt.NDArray[np.float64]:
    """(pictures,) cosine distance of `pooled` (pictures, depth) to the nearest prototype, 0..2."""
    return np.asarray(1 - (_unit(pooled) @ prototypes.T).max(axis=1).astype(np.float64))


def choose_prototypes(
    pooled: Floats, truth: npt.NDArray[np.int64], *, seed: int
) -> npt.NDArray[np.float32]:
    """Clusters each class by angle: the centres, float32 (prototypes, depth), rows of length 1.

    Source: Dhillon and Modha, Concept decompositions for large sparse text data using clustering,
    Machine Learning 42 (2001).

    Args:
        pooled: (pictures, depth), outputs of `pooled` for training pictures.
        truth: (pictures,) class indices.
    """
    classes = np.unique(truth)
    each = int(np.clip(_MOST // len(classes), 1, _PER_CLASS))
    rng = np.random.default_rng(seed)
    centres = np.concatenate([_clusters(_unit(pooled[truth == c]), each, rng) for c in classes])
    missing = max(0, _FEWEST - len(centres))
    return np.concatenate([centres, np.repeat(centres[:1], missing, axis=0)]).astype(np.float32)


def with_unknown_output(model: Any, novelty: NoveltyScore) -> Any:
    """Adds a second output to `model`: `unknown` (batch, 1), the novelty score.

    Args:
        model: a Keras model with layers `pooled` and `logits`, the temperature folded in, whose
            only output is its scores.
        novelty: the novelty score to add.
    """
    import keras
    from keras import ops

    weighted: Any = -novelty.offset
    if novelty.energy:
        # The log-sum-exp is computed with operators that every TFLite runtime has: it is the
        # largest logit minus the log of its share.
        logits = model.get_layer(LOGITS).output
        share = ops.log(ops.max(model.output, axis=-1, keepdims=True))
        raw = ops.subtract(share, ops.max(logits, axis=-1, keepdims=True))
        weighted = ops.add(ops.multiply(raw, novelty.energy), weighted)
    if novelty.distance:
        pooled = model.get_layer(POOLED).output
        dense = keras.layers.Dense(len(novelty.prototypes), use_bias=False, name=PROTOTYPES)
        nearest = ops.max(dense(pooled), axis=-1, keepdims=True)
        dense.set_weights([novelty.prototypes.T])
        length = ops.sqrt(ops.sum(ops.square(pooled), axis=-1, keepdims=True))
        raw = ops.subtract(1.0, ops.divide(nearest, ops.maximum(length, _TINY)))
        weighted = ops.add(ops.multiply(raw, novelty.distance), weighted)
    unknown = keras.layers.Activation("sigmoid", name=UNKNOWN)(weighted)
    return keras.Model(model.input, [model.output, unknown], name=model.name)


def _unit(rows: Floats) -> npt.NDArray[np.float32]:
    wide = rows.astype(np.float32)
    return np.asarray(wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), _TINY))


def _clusters(
    rows: npt.NDArray[np.float32], count: int, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """At most `count` directions (count, depth), each the mean of the rows nearest to it."""
    # Starts like k-means++: further centres are more probable where the others are far away.
    centres = rows[[rng.integers(len(rows))]]
    while len(centres) < min(count, len(rows)):
        far = np.maximum(0, 1 - (rows @ centres.T).max(axis=1).astype(np.float64)) + _TINY
        centres = np.concatenate([centres, rows[[rng.choice(len(rows), p=far / far.sum())]]])
    for _ in range(_ROUNDS):
        nearest = (rows @ centres.T).argmax(axis=1)
        means = [
            rows[nearest == i].mean(axis=0) if (nearest == i).any() else centre
            for i, centre in enumerate(centres)
        ]
        moved = _unit(np.stack(means))
        if np.allclose(moved, centres, atol=1e-6):
            break
        centres = moved
    return centres
