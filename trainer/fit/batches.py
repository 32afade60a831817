"""The batches of an epoch: pictures are ordered, augmented, mixed and prepared in advance."""

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
    """The input of one training step."""

    inputs: npt.NDArray[np.float32]
    """float32 (pictures, ...): pixel levels, or outputs of the cut layer."""
    targets: npt.NDArray[np.float32]
    """float32 (pictures, classes): the share of each class, 0..1."""
    weights: npt.NDArray[np.float32]
    """float32 (pictures,): the weight of each picture in the loss."""
    taught: npt.NDArray[np.float32]
    """float32 (pictures, classes): what the teacher says of each picture, probabilities; the
    targets where there is no teacher."""


def class_weights(truth: npt.NDArray[np.int64], classes: int, kind: str) -> npt.NDArray[np.float32]:
    """The weight of a picture of each class, float32 (classes,), with mean 1 over all pictures."""
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
    """The indices of the pictures of one epoch in order, as many as `train` has.

    With "shuffled", each picture comes once. With "balanced", all classes come about equally often;
    which pictures of a large class are used changes from epoch to epoch at random.
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
    """The batches of one epoch; each is made while the network learns from the one before.

    Args:
        recipe: the batch size, the sampling, the class weights and the augmentation.
        phase: the cut layer and the mixing.
        data: a `TrainingSet`.
        classes: the number of classes.
        rng: the random numbers of the order, the augmentation and the mixing.
        lower: with `phase.fresh`, the frozen layers, which compute the cut layer's outputs from
            pictures; None to use saved outputs.
    """
    weight_of = class_weights(data.truth[data.train], classes, recipe.class_weights)
    order = epoch_order(data.train, data.truth, recipe.sampling, rng)
    chunks = np.array_split(order, math.ceil(len(order) / recipe.batch_size))

    def make(chunk: npt.NDArray[np.int64]) -> Batch:
        taught = None
        if phase.train_from == INPUT or lower is not None:
            inputs: npt.NDArray[Any] = augment_batch(data.tensors[chunk], recipe.augment, rng)
            if lower is not None:
                inputs = lower(inputs)
        else:
            saved = data.features[phase.train_from]
            copies = rng.integers(0, saved.shape[1], len(chunk))
            inputs = saved[chunk, copies]
            if data.taught is not None:
                taught = data.taught[chunk, copies]
        targets = np.eye(classes, dtype=np.float32)[data.truth[chunk]]
        weights = weight_of[data.truth[chunk]]
        taught = targets if taught is None else np.asarray(taught, np.float32)
        batch = Batch(np.asarray(inputs, np.float32), targets, weights, taught)
        return _mixed(batch, phase.mixup, rng)

    # There is one worker, so that random numbers are drawn in the same order each time.
    with ThreadPoolExecutor(max_workers=1) as worker:
        ahead = worker.submit(make, chunks[0])
        for chunk in [*chunks[1:], None]:
            batch = ahead.result()
            if chunk is not None:
                ahead = worker.submit(make, chunk)
            yield batch


def _mixed(batch: Batch, mixup: float, rng: np.random.Generator) -> Batch:
    """The batch with each picture and its target mixed with another one's (mixup).

    Source: Zhang et al., mixup, ICLR 2018; on saved outputs it is manifold mixup (Verma et al.,
    ICML 2019).
    """
    if mixup == 0:
        return batch
    share = np.float32(rng.beta(mixup, mixup))
    other = rng.permutation(len(batch.targets))

    def mix(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.asarray(share * values + (1 - share) * values[other], np.float32)

    # What a teacher would say of the mixture is taken to be the mixture of what it says.
    return Batch(mix(batch.inputs), mix(batch.targets), mix(batch.weights), mix(batch.taught))
