"""The head: from features to class probabilities."""

from __future__ import annotations

from typing import Any

import keras

from edge.core.errors import UsageError
from trainer.networks.parts.blocks import SCRATCH_MOMENTUM, convolved
from trainer.recipes.plan import NetworkPlan

FEATURES = "features"
POOLED = "pooled"
LOGITS = "logits"
SCORES = "scores"


def add_head(features: Any, plan: NetworkPlan, classes: int, *, seed: int) -> Any:
    """The scores (batch, classes) of `features`, by way of layers `pooled` and `logits`.

    A map of features ends in a layer `features`, from which a head with a convolution of its own
    can be trained: `pooled` lies behind that.

    Raises:
        UsageError: a convolution where the features have no rows and columns, or a pooling where
            they have one of them only.
    """
    if len(features.shape) == 2:
        if plan.head in ("conv", "conv_pool"):
            raise UsageError(
                f"network.head: {plan.name} ends in a vector, which nothing can convolve: "
                "choose plain or dense"
            )
        x = keras.layers.Identity(name=POOLED)(features)
    else:
        x = keras.layers.Identity(name=FEATURES)(features)
        if plan.head == "conv":
            x = convolved(x, plan.head_width, "head") if plan.head_norm else _convolution(x, plan)
        elif plan.head == "conv_pool":
            x = _pooled_convolution(x, plan)
        x = keras.layers.GlobalAveragePooling2D(name=POOLED)(x)
    if plan.head == "dense":
        x = keras.layers.Dense(plan.head_width, activation="relu", name="head_dense")(x)
    x = keras.layers.Dropout(plan.dropout, name="dropout", seed=seed)(x)
    # Small weights to start with: the first scores are nearly even, whatever the features.
    start = keras.initializers.RandomNormal(stddev=0.01, seed=seed)
    x = keras.layers.Dense(classes, name=LOGITS, kernel_initializer=start)(x)
    return keras.layers.Softmax(name=SCORES)(x)


def _pooled_convolution(x: Any, plan: NetworkPlan) -> Any:
    if min(x.shape[1:3]) < 2:
        raise UsageError(
            f"network.head: conv_pool needs features of two rows and columns or more, and "
            f"{plan.name} has {x.shape[1]} x {x.shape[2]} at this input: choose conv, or a larger "
            "input"
        )
    x = keras.layers.MaxPooling2D(name="head_pool")(_convolution(x, plan))
    if not plan.head_norm:
        return x
    return keras.layers.BatchNormalization(momentum=SCRATCH_MOMENTUM, name="head_norm")(x)


def _convolution(x: Any, plan: NetworkPlan) -> Any:
    return keras.layers.Conv2D(
        plan.head_width, 3, padding="same", activation="relu", name="head_conv"
    )(x)
