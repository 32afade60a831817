"""Two convolutions, each with a pooling behind it, and one hidden layer: the textbook's network."""

from __future__ import annotations

from typing import Any

import keras

from edge.core.images.preprocess import InputSpec
from trainer.networks.parts.blocks import rescaled, width
from trainer.networks.parts.weights import load_weights
from trainer.recipes.plan import NetworkPlan


def features(plan: NetworkPlan, spec: InputSpec, image: Any) -> Any:
    x = rescaled(image, plan)
    for number, filters in enumerate((32, 64), start=1):
        x = keras.layers.Conv2D(
            width(filters, plan), 3, padding="same", activation="relu", name=f"block_{number}_conv"
        )(x)
        x = keras.layers.MaxPooling2D(name=f"block_{number}_pool")(x)
    x = keras.layers.Flatten(name="flat")(x)
    x = keras.layers.Dense(width(128, plan), activation="relu", name="hidden")(x)
    return load_weights(keras.Model(image, x), plan).output
