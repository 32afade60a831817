"""The step in which the layers of a phase learn from a batch, traced once for all folds."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import keras

from trainer.fit.optimizers import Optimizers
from trainer.recipes.plan import PhasePlan, Recipe


class Learner:
    """The traced step of a phase and its optimizers, shared by the folds of a cross-validation."""

    def __init__(self, upper: Any, phase: PhasePlan, recipe: Recipe) -> None:
        self.optimizers = Optimizers(phase, upper)
        self._fresh = self.optimizers.state()
        self.step = learning_step(upper, recipe, self.optimizers)

    def begin(self) -> None:
        """Resets the optimizers to their first state."""
        self.optimizers.restore(self._fresh)


def learner_key(phase: PhasePlan, recipe: Recipe) -> Hashable:
    """A key that is equal for phases that can share a `Learner`; the rate is set at each step."""
    return (
        "learner", phase.train_from, phase.optimizer, phase.weight_decay, phase.layer_decay,
        phase.clip,
        recipe.label_smoothing,
        recipe.distill and (recipe.distill.temperature, recipe.distill.weight),
    )  # fmt: skip


def learning_step(upper: Any, recipe: Recipe, optimizers: Optimizers) -> Callable[..., Any]:
    """A traced function that learns from a batch and returns its loss and number correct.

    With a teacher, the loss is a weighted mean of that of the labels and that of the teacher's
    probabilities, both networks' logits divided by a temperature; the square of the temperature
    keeps the gradients of both of one size. Source: Hinton et al., Distilling the knowledge in a
    neural network, 2015.
    """
    import tensorflow as tf

    batch = (
        tf.TensorSpec((None, *upper.input_shape[1:]), tf.float32),
        tf.TensorSpec((None, upper.output_shape[-1]), tf.float32),
        tf.TensorSpec((None,), tf.float32),
        tf.TensorSpec((None, upper.output_shape[-1]), tf.float32),
    )

    loss_of = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=recipe.label_smoothing, reduction=None
    )
    of_taught = keras.losses.CategoricalCrossentropy(from_logits=True, reduction=None)
    distill = recipe.distill

    # Batches may have any length: otherwise the last one of an epoch would be traced separately.
    @tf.function(input_signature=batch)  # type: ignore[untyped-decorator]
    def step(inputs: Any, targets: Any, weights: Any, taught: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = upper(inputs, training=True)
            losses = loss_of(targets, logits)
            if distill is not None:
                by, share = distill.temperature, distill.weight
                softly = of_taught(taught, logits / by) * by**2
                losses = (1 - share) * losses + share * softly
            loss = tf.reduce_mean(losses * weights)
        optimizers.apply(tape.gradient(loss, optimizers.variables))
        good = tf.equal(tf.argmax(logits, axis=1), tf.argmax(targets, axis=1))
        return loss, tf.reduce_sum(tf.cast(good, tf.int32))

    return step  # type: ignore[no-any-return]
