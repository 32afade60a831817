"""The head: from features to class probabilities."""

from __future__ import annotations

from typing import Any

import keras

from edge.core.errors import UsageError
from trainer.networks.parts.blocks import convolved
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
        UsageError: a convolution where the features have no rows and columns.
    """
    if len(features.shape) == 2:
        if plan.head == "conv":
            raise UsageError(
                f"network.head: {plan.name} ends in a vector, which nothing can convolve: "
                "choose plain or dense"
            )
        x = keras.layers.Identity(name=POOLED)(features)
    else:
        x = keras.layers.Identity(name=FEATURES)(features)
        if plan.head == "conv":
            x = convolved(x, plan.head_width, "head")
        x = keras.layers.GlobalAveragePooling2D(name=POOLED)(x)
    if plan.head == "dense":
        x = keras.layers.Dense(plan.head_width, activation="relu", name="head_dense")(x)
    x = keras.layers.Dropout(plan.dropout, name="dropout", seed=seed)(x)
    # Small weights to start with: the first scores are nearly even, whatever the features.
    start = keras.initializers.RandomNormal(stddev=0.01, seed=seed)
    x = keras.layers.Dense(classes, name=LOGITS, kernel_initializer=start)(x)
    return keras.layers.Softmax(name=SCORES)(x)
