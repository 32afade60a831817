"""The phases of a training: head, upper layers, more; the best of all of them is kept."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from edge.cli import say
from edge.progress import Progress
from trainer.augment import augmented
from trainer.calibrate import log_loss
from trainer.features import Features
from trainer.networks import INPUT, Network
from trainer.recipe import PhasePlan, Recipe

_CHUNK = 64
"""Pictures that are scored at a time."""
_STEPS_TO_START = 20
"""What the first step may take longer than others, in steps: it also traces the graph."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """What the phases train and validate on."""

    tensors: npt.NDArray[np.uint8]
    """uint8 (pictures, height, width, channels), of every picture."""
    truth: npt.NDArray[np.int64]
    """(pictures,) class indices."""
    features: Mapping[str, Features]
    """The saved outputs by the name of their layer; see `save_features`."""
    train: npt.NDArray[np.int64]
    """Indices of the pictures to train on."""
    validation: npt.NDArray[np.int64]
    """Indices of the pictures that choose the best epoch."""


@dataclass(slots=True)
class Epoch:
    """One line of `history.csv`."""

    phase: str
    epoch: int
    loss: float
    validation_loss: float
    validation_accuracy: float
    learning_rate: float
    seconds: float


@dataclass(slots=True)
class Best:
    """The best epoch of all phases so far: that of the lowest log loss on validation.

    Of a few hundred pictures the share that is right jumps by chance; the loss is the surer guide.
    """

    weights: list[npt.NDArray[np.float32]] | None = None
    loss: float = math.inf
    accuracy: float = 0.0
    history: list[Epoch] = field(default_factory=list)
    cut_short: bool = False
    """A phase was shortened or left out for want of time, or stopped by the user."""


class StopTraining(Exception):  # noqa: N818 - a wish, not an error
    """The user wants to stop: what is best so far counts."""


def run_phases(
    network: Network,
    recipe: Recipe,
    phases: Sequence[PhasePlan],
    data: TrainingSet,
    *,
    seed: int,
    deadline: float,
    check_stop: Callable[[], None],
    quiet: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> Best:
    """Trains `network` by `phases` and leaves it with its best weights.

    Args:
        deadline: seconds on `clock`; learning rates come down early enough to end by then, and a
            phase that is `if_time` is left out when it would not fit.
        check_stop: raises StopTraining where the user wants to stop.
        quiet: show only the progress bar.
    """
    best = Best()
    try:
        for number, phase in enumerate(phases):
            _run_phase(
                network,
                recipe,
                phase,
                data,
                best,
                seed=seed + number,
                deadline=deadline,
                check_stop=check_stop,
                quiet=quiet,
                clock=clock,
            )
    except StopTraining:
        best.cut_short = True
        if best.weights is None:
            raise
    if best.weights is not None:
        network.model.set_weights(best.weights)
    return best


def class_weights(truth: npt.NDArray[np.int64], classes: int, kind: str) -> npt.NDArray[np.float32]:
    """float32 (classes,), mean 1 over the pictures: what a picture of each class weighs."""
    counts = np.bincount(truth, minlength=classes).astype(np.float64)
    power = {"none": 0.0, "sqrt": 0.5, "balanced": 1.0}[kind]
    weights = np.maximum(counts, 1) ** -power
    weights = weights / (weights * counts).sum() * counts.sum()
    return np.asarray(weights, np.float32)


def predict_logits(
    network: Network, cut: str, data: TrainingSet, indices: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    """float32 (pictures, classes): the logits of the unchanged pictures `indices`."""
    return _logits(_forward(network.upper(cut)), cut, data, indices)


def _run_phase(
    network: Network,
    recipe: Recipe,
    phase: PhasePlan,
    data: TrainingSet,
    best: Best,
    *,
    seed: int,
    deadline: float,
    check_stop: Callable[[], None],
    quiet: bool,
    clock: Callable[[], float],
) -> None:
    import tensorflow as tf

    if best.weights is not None:
        # The next phase goes on from the best, not from the last.
        network.model.set_weights(best.weights)
    upper = network.upper(phase.train_from)
    for layer in upper.layers:
        # Over pretrained weights BatchNorm keeps its ImageNet statistics: batches of 32 pictures
        # of few classes would wreck them. From scratch it has to learn.
        frozen = network.pretrained and isinstance(layer, keras.layers.BatchNormalization)
        layer.trainable = not frozen
    optimizer = keras.optimizers.AdamW(
        phase.learning_rate, weight_decay=phase.weight_decay, clipnorm=1.0
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    loss_of = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=recipe.label_smoothing, reduction=None
    )
    variables = upper.trainable_variables
    optimizer.build(variables)

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(inputs: Any, targets: Any, weights: Any) -> Any:
        with tf.GradientTape() as tape:
            losses = loss_of(targets, upper(tf.cast(inputs, tf.float32), training=True))
            loss = tf.reduce_mean(losses * weights)
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    average = _Average(variables)
    forward = _forward(upper)
    rng = np.random.default_rng(seed)
    classes = network.model.output_shape[-1]
    weight_of = class_weights(data.truth[data.train], classes, recipe.class_weights)
    batches = math.ceil(len(data.train) / recipe.batch_size)
    steps = phase.epochs * batches
    start, timed_from, done = clock(), 0.0, 0
    with Progress(f"phase {phase.name}", total=steps) as progress:
        for epoch in range(phase.epochs):
            epoch_start, losses = clock(), []
            for chunk in np.array_split(rng.permutation(data.train), batches):
                check_stop()
                if done == 1:
                    timed_from = clock()  # the first step also traces the graph
                if done == 4 and phase.if_time:
                    needed = (clock() - timed_from) / 3 * steps
                    if needed > deadline - clock():
                        best.cut_short = True
                        say(f"phase {phase.name}: left out, it needs about {needed / 60:.0f} min")
                        return
                # The clock sets the pace only where there is too little time for all steps; else
                # the same seed would give another model on another machine.
                spent = (clock() - start) / max(1e-9, deadline - start)
                if spent * steps <= done + _STEPS_TO_START:
                    spent = 0.0
                along = max(done / steps, min(1.0, spent))
                rate = _rate(phase, along)
                optimizer.learning_rate.assign(rate)
                inputs, targets, weights = _batch(
                    recipe, phase, data, chunk, classes, weight_of, rng
                )
                losses.append(float(step(inputs, targets, weights)))
                done += 1
                if along >= phase.average_from:
                    average.add()
                progress.advance(note=f"validation {best.accuracy:.1%} at best")
                if clock() >= deadline:
                    break
            with average.in_place():
                line = _validate(forward, phase.train_from, data)
                if line[0] < best.loss:
                    best.loss, best.accuracy = line
                    best.weights = network.model.get_weights()
            best.history.append(
                Epoch(
                    phase.name,
                    epoch + 1,
                    float(np.mean(losses)),
                    *line,
                    rate,
                    clock() - epoch_start,
                )
            )
            if clock() >= deadline and done < steps:
                best.cut_short = True
                break
    if not quiet:
        say(
            f"phase {phase.name}: {epoch + 1} epochs in {clock() - start:.0f} s, "
            f"validation {line[1]:.1%}, best so far {best.accuracy:.1%}"
        )


class _Average:
    """The mean of weights over steps, which generalises better than the last step's.

    Source: Izmailov et al., Averaging weights leads to wider optima, UAI 2018; over every step, as
    here: Cha et al., SWAD: domain generalization by seeking flat minima, NeurIPS 2021.
    """

    def __init__(self, variables: Sequence[Any]) -> None:
        self._variables = variables
        self._sums: list[npt.NDArray[np.float32]] = []
        self._count = 0

    def add(self) -> None:
        """Takes the weights as they are now into the mean."""
        now = [variable.numpy() for variable in self._variables]
        if not self._count:
            self._sums = now
        else:
            for total, value in zip(self._sums, now, strict=True):
                total += value
        self._count += 1

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within this context the variables hold their mean, where there is one yet."""
        if not self._count:
            yield
            return
        now = [variable.numpy() for variable in self._variables]
        for variable, total in zip(self._variables, self._sums, strict=True):
            variable.assign(total / self._count)
        try:
            yield
        finally:
            for variable, value in zip(self._variables, now, strict=True):
                variable.assign(value)


def _rate(phase: PhasePlan, progress: float) -> float:
    """The learning rate: linear warm-up, then a half cosine down to the floor."""
    if progress < phase.warmup:
        return phase.learning_rate * max(0.01, progress / phase.warmup)
    along = (progress - phase.warmup) / (1 - phase.warmup)
    share = (1 + math.cos(math.pi * min(1.0, along))) / 2
    return phase.learning_rate * (phase.rate_floor + (1 - phase.rate_floor) * share)


def _batch(
    recipe: Recipe,
    phase: PhasePlan,
    data: TrainingSet,
    chunk: npt.NDArray[np.int64],
    classes: int,
    weight_of: npt.NDArray[np.float32],
    rng: np.random.Generator,
) -> tuple[npt.NDArray[Any], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    if phase.train_from == INPUT:
        inputs: npt.NDArray[Any] = np.stack(
            [augmented(data.tensors[i], recipe.augment, rng) for i in chunk]
        )
    else:
        saved = data.features[phase.train_from]
        inputs = saved[chunk, rng.integers(0, saved.shape[1], len(chunk))]
    targets = np.eye(classes, dtype=np.float32)[data.truth[chunk]]
    weights = weight_of[data.truth[chunk]]
    if phase.mixup > 0:
        # Zhang et al., mixup, ICLR 2018; on saved outputs it is manifold mixup (Verma et al. 2019).
        share = np.float32(rng.beta(phase.mixup, phase.mixup))
        other = rng.permutation(len(chunk))
        inputs = share * inputs.astype(np.float32) + (1 - share) * inputs[other].astype(np.float32)
        targets = share * targets + (1 - share) * targets[other]
        weights = share * weights + (1 - share) * weights[other]
    return inputs, targets, weights


def _validate(
    forward: Callable[[npt.NDArray[np.float32]], Any], cut: str, data: TrainingSet
) -> tuple[float, float]:
    """(log loss, accuracy) on the validation pictures."""
    logits = _logits(forward, cut, data, data.validation)
    truth = data.truth[data.validation]
    return log_loss(logits, truth), float((logits.argmax(axis=1) == truth).mean())


def _logits(
    forward: Callable[[npt.NDArray[np.float32]], Any],
    cut: str,
    data: TrainingSet,
    indices: npt.NDArray[np.int64],
) -> npt.NDArray[np.float32]:
    chunks = np.array_split(indices, max(1, math.ceil(len(indices) / _CHUNK)))
    return np.concatenate([forward(_inputs(data, cut, chunk)).numpy() for chunk in chunks])


def _inputs(data: TrainingSet, cut: str, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    if cut == INPUT:
        return np.asarray(data.tensors[indices], np.float32)
    return np.asarray(data.features[cut][indices, 0], np.float32)


def _forward(upper: Any) -> Callable[[npt.NDArray[np.float32]], Any]:
    import tensorflow as tf

    signature = tf.TensorSpec((None, *upper.input_shape[1:]), tf.float32)

    @tf.function(input_signature=[signature])  # type: ignore[untyped-decorator]
    def forward(inputs: Any) -> Any:
        return upper(inputs, training=False)

    return forward  # type: ignore[no-any-return]
