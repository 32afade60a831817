"""Four convolutions with BatchNorm and a hidden layer: what a search makes of `cnn`."""

from __future__ import annotations

from typing import Any

import keras

from edge.core.images.preprocess import InputSpec
from trainer.networks.parts.blocks import convolved, hidden, rescaled, width
from trainer.networks.parts.weights import load_weights
from trainer.recipes.plan import NetworkPlan


def features(plan: NetworkPlan, spec: InputSpec, image: Any) -> Any:
    x = convolved(rescaled(image, plan), width(32, plan), "block_1")
    x = keras.layers.MaxPooling2D(name="block_1_pool")(x)
    x = convolved(x, width(64, plan), "block_2_first")
    x = convolved(x, width(64, plan), "block_2_second")
    x = keras.layers.MaxPooling2D(name="block_2_pool")(x)
    x = convolved(x, width(128, plan), "block_3")
    # Not averaged over its places: on small pictures where a thing shows a part tells what it is.
    x = keras.layers.Flatten(name="flat")(x)
    x = keras.layers.Dropout(plan.dropout, name="flat_dropout")(x)
    x = hidden(x, width(128, plan), "hidden")
    return load_weights(keras.Model(image, x), plan).output
