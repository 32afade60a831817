"""The batches of an epoch: which pictures in which order, augmented, mixed, and made ahead."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.augment import augment_batch
from trainer.networks import INPUT
from trainer.recipes.plan import PhasePlan, Recipe


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What one step learns from."""

    inputs: npt.NDArray[np.float32]
    """(pictures, ...): levels, or outputs of the layer trained from."""
    targets: npt.NDArray[np.float32]
    """(pictures, classes)."""
    weights: npt.NDArray[np.float32]
    """(pictures,): what each weighs in the loss."""


def class_weights(truth: npt.NDArray[np.int64], classes: int, kind: str) -> npt.NDArray[np.float32]:
    """float32 (classes,), mean 1 over the pictures: what a picture of each class weighs."""
    counts = np.bincount(truth, minlength=classes).astype(np.float64)
    power = {"none": 0.0, "sqrt": 0.5, "balanced": 1.0}[kind]
    weights = np.maximum(counts, 1) ** -power
    weights = weights / (weights * counts).sum() * counts.sum()
    return np.asarray(weights, np.float32)


def epoch_order(
    train: npt.NDArray[np.int64],
    truth: npt.NDArray[np.int64],
    sampling: str,
    rng: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """As many indices as `train` has, in the order of one epoch.

    "shuffled": each once. "balanced": every class as often as any other, as nearly as can be; the
    pictures of a large class take turns from epoch to epoch by chance.
    """
    if sampling == "shuffled":
        return rng.permutation(train)
    present = np.unique(truth[train])
    share = math.ceil(len(train) / len(present))
    drawn = []
    for label in present:
        mine = train[truth[train] == label]
        rounds = math.ceil(share / len(mine))
        drawn.append(np.concatenate([rng.permutation(mine) for _ in range(rounds)])[:share])
    return rng.permutation(np.concatenate(drawn))[: len(train)]


def epoch_batches(
    recipe: Recipe,
    phase: PhasePlan,
    data: Any,
    classes: int,
    *,
    rng: np.random.Generator,
    lower: Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]] | None,
) -> Iterator[Batch]:
    """The batches of one epoch, each made while the one before is learned from.

    Args:
        data: a `TrainingSet`.
        rng: of the order, the augmentation and the mixing.
        lower: with `phase.fresh`, the frozen layers, from pictures to what the phase trains from.
    """
    weight_of = class_weights(data.truth[data.train], classes, recipe.class_weights)
    order = epoch_order(data.train, data.truth, recipe.sampling, rng)
    chunks = np.array_split(order, math.ceil(len(order) / recipe.batch_size))

    def make(chunk: npt.NDArray[np.int64]) -> Batch:
        if phase.train_from == INPUT or lower is not None:
            inputs: npt.NDArray[Any] = augment_batch(data.tensors[chunk], recipe.augment, rng)
            if lower is not None:
                inputs = lower(inputs)
        else:
            saved = data.features[phase.train_from]
            inputs = saved[chunk, rng.integers(0, saved.shape[1], len(chunk))]
        targets = np.eye(classes, dtype=np.float32)[data.truth[chunk]]
        weights = weight_of[data.truth[chunk]]
        batch = Batch(np.asarray(inputs, np.float32), targets, weights)
        return _mixed(batch, phase.mixup, rng)

    # One worker, so that chance is drawn in one order.
    with ThreadPoolExecutor(max_workers=1) as worker:
        ahead = worker.submit(make, chunks[0])
        for chunk in [*chunks[1:], None]:
            batch = ahead.result()
            if chunk is not None:
                ahead = worker.submit(make, chunk)
            yield batch


def _mixed(batch: Batch, mixup: float, rng: np.random.Generator) -> Batch:
    """Each picture laid over another one, and their targets likewise.

    Source: Zhang et al., mixup, ICLR 2018; on saved outputs it is manifold mixup (Verma et al.,
    ICML 2019).
    """
    if mixup == 0:
        return batch
    share = np.float32(rng.beta(mixup, mixup))
    other = rng.permutation(len(batch.targets))

    def mix(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.asarray(share * values + (1 - share) * values[other], np.float32)

    return Batch(mix(batch.inputs), mix(batch.targets), mix(batch.weights))
