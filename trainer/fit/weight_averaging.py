"""Averages weights over training steps; they generalise better than those of the last step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt


class Average:
    """The mean of variables over steps, or their exponential moving average.

    Source of the mean: Izmailov et al., Averaging weights leads to wider optima, UAI 2018; over
    every step, as here: Cha et al., SWAD: domain generalization by seeking flat minima, NeurIPS
    2021. The moving average: Polyak and Juditsky, SIAM J. Control Optim. 30 (1992); its decay grows
    with the steps, because otherwise the first weights would count for too long.
    """

    def __init__(self, variables: Sequence[Any], *, decay: float = 0.0) -> None:
        """Starts an average of no steps.

        Args:
            variables: Keras variables, float.
            decay: the decay of the moving average; 0 for the plain mean.
        """
        import tensorflow as tf

        self._variables = variables
        self._decay = decay
        self._means = [tf.Variable(np.array(v.numpy()), trainable=False) for v in variables]
        self._count = 0

        @tf.function  # type: ignore[untyped-decorator]
        def move(share: Any) -> None:
            for mean, variable in zip(self._means, self._variables, strict=True):
                mean.assign_add(share * (variable.value - mean))

        self._move = move

    def add(self) -> None:
        """Adds the present values of the variables to the average."""
        import tensorflow as tf

        self._count += 1
        share = 1 / self._count
        if self._decay:
            share = max(1 - self._decay, 9 / (9 + self._count))
        self._move(tf.constant(share, tf.float32))

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within this context, the variables hold their average, if a step was added."""
        if not self._count:
            yield
            return
        now = [np.array(variable.numpy()) for variable in self._variables]
        for variable, mean in zip(self._variables, self._means, strict=True):
            variable.assign(np.array(mean.numpy()))
        try:
            yield
        finally:
            for variable, value in zip(self._variables, now, strict=True):
                variable.assign(value)

    def state(self) -> list[npt.NDArray[Any]]:
        """The state, for `restore`."""
        return [np.array(self._count), *(np.array(mean.numpy()) for mean in self._means)]

    def restore(self, state: Sequence[npt.NDArray[Any]]) -> None:
        """Restores a state that `state` returned."""
        self._count = int(state[0])
        for mean, value in zip(self._means, state[1:], strict=True):
            mean.assign(np.array(value))
