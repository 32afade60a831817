"""The optimizers of a phase, and their learning rates by time and depth of the layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from trainer.networks import POOLED
from trainer.recipes.plan import PhasePlan

_SLICES = 4
"""The number of slices below the head that have separate rates if `layer_decay` is given."""
_PLATEAU = 1 / 3
"""The factor by which the rate is multiplied after each plateau."""


class Optimizers:
    """One Keras optimizer for each learning rate: that of the head, and that of each slice below.

    Attributes:
        variables: the trained variables, in the order in which `apply` takes their gradients.
    """

    def __init__(self, phase: PhasePlan, upper: Any) -> None:
        """Makes optimizers for the trainable variables of the model `upper`."""
        self._phase = phase
        self._groups: list[tuple[float, Any, list[Any]]] = []
        for depth, layers in enumerate(_slices(upper, phase.layer_decay)):
            variables = [variable for layer in layers for variable in layer.trainable_variables]
            if variables:
                optimizer = _optimizer(phase)
                optimizer.build(variables)
                self._groups.append((phase.layer_decay**depth, optimizer, variables))
        self.variables = [variable for *_, variables in self._groups for variable in variables]

    def set_rate(self, rate: float) -> None:
        """Sets the rate of the head, and the rates of the slices below in proportion."""
        for share, optimizer, _ in self._groups:
            optimizer.learning_rate.assign(rate * share)

    def apply(self, gradients: Sequence[Any]) -> None:
        """Updates every variable by one step; may be called within a traced function."""
        start = 0
        for _, optimizer, variables in self._groups:
            optimizer.apply(gradients[start : start + len(variables)], variables)
            start += len(variables)

    def state(self) -> list[npt.NDArray[Any]]:
        """The state, for `restore`."""
        return [
            np.array(v.numpy()) for _, optimizer, _ in self._groups for v in optimizer.variables
        ]

    def restore(self, state: Sequence[npt.NDArray[Any]]) -> None:
        """Restores a state that `state` returned."""
        own = [v for _, optimizer, _ in self._groups for v in optimizer.variables]
        for variable, value in zip(own, state, strict=True):
            variable.assign(np.array(value))


class LearningRateSchedule:
    """The learning rate over a phase: a linear warm-up, then the schedule of the recipe."""

    def __init__(self, phase: PhasePlan) -> None:
        self._phase = phase
        self.factor = 1.0
        """The product of the factors of all plateaus so far."""
        self._worse = 0

    def rate(self, progress: float) -> float:
        """The rate of the head at `progress`, 0..1 of the phase's steps."""
        phase = self._phase
        if progress < phase.warmup:
            return phase.learning_rate * max(0.01, progress / phase.warmup)
        if phase.schedule == "constant":
            return phase.learning_rate
        if phase.schedule == "plateau":
            return phase.learning_rate * max(phase.rate_floor, self.factor)
        along = (progress - phase.warmup) / (1 - phase.warmup)
        share = (1 + math.cos(math.pi * min(1.0, along))) / 2
        return phase.learning_rate * (phase.rate_floor + (1 - phase.rate_floor) * share)

    def saw(self, *, better: bool) -> None:
        """Takes note, after each epoch, of whether its validation loss was the lowest so far."""
        self._worse = 0 if better else self._worse + 1
        if self._worse >= self._phase.patience:
            self.factor *= _PLATEAU
            self._worse = 0

    def state(self) -> tuple[float, int]:
        """The state, for `restore`."""
        return self.factor, self._worse

    def restore(self, state: Sequence[float]) -> None:
        """Restores a state that `state` returned."""
        self.factor, self._worse = float(state[0]), int(state[1])


def _optimizer(phase: PhasePlan) -> Any:
    common: dict[str, Any] = {
        "weight_decay": phase.weight_decay,
        "clipnorm": phase.clip or None,
    }
    make = {
        "adamw": keras.optimizers.AdamW,
        "adam": keras.optimizers.Adam,
        "adamax": keras.optimizers.Adamax,
        "nadam": keras.optimizers.Nadam,
        "rmsprop": keras.optimizers.RMSprop,
        "sgd": keras.optimizers.SGD,
    }[phase.optimizer]
    if phase.optimizer == "sgd":
        common |= {"momentum": 0.9, "nesterov": True}
    optimizer = make(phase.learning_rate, **common)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def _slices(upper: Any, decay: float) -> list[list[Any]]:
    """The trainable layers: the head, then the slices below it down to the cut layer."""
    names = [layer.name for layer in upper.layers]
    pooled = names.index(POOLED) if POOLED in names else 0
    head, below = upper.layers[pooled:], upper.layers[:pooled]
    if decay == 1:
        return [[*below, *head]]
    below = [layer for layer in below if layer.trainable_variables]
    size = max(1, math.ceil(len(below) / _SLICES))
    slices = [below[max(0, end - size) : end] for end in range(len(below), 0, -size)]
    return [head, *slices]
