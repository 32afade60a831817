"""One to three convolutions, each with a pooling behind it, as courses teach them.

With one block, a convolution and its pooling; with two, BatchNorm as well; with three, their
outputs are averaged over their places, not laid in a row.
"""

from __future__ import annotations

from typing import Any

import keras

from edge.core.images.preprocess import InputSpec
from trainer.networks.parts.blocks import SCRATCH_MOMENTUM, rescaled, width
from trainer.networks.parts.weights import load_weights
from trainer.recipes.plan import NetworkPlan


def features(plan: NetworkPlan, spec: InputSpec, image: Any) -> Any:
    x = rescaled(image, plan)
    for number, filters in enumerate((32, 64, 128)[: plan.blocks], start=1):
        x = keras.layers.Conv2D(
            width(filters, plan), 3, padding="same", activation="relu", name=f"block_{number}_conv"
        )(x)
        if plan.blocks > 1:
            x = keras.layers.BatchNormalization(
                momentum=SCRATCH_MOMENTUM, name=f"block_{number}_norm"
            )(x)
        x = keras.layers.MaxPooling2D(name=f"block_{number}_pool")(x)
    if plan.blocks < 3:
        x = keras.layers.Flatten(name="flat")(x)
    return load_weights(keras.Model(image, x), plan).output
