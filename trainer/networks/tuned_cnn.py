"""Four convolutions with BatchNorm: what `cnn` becomes when depth and width are searched for."""

from __future__ import annotations

from typing import Any

import keras

from edge.model.preprocess import InputSpec
from trainer.networks.parts.blocks import convolved, rescaled, width
from trainer.networks.parts.weights import load_weights
from trainer.recipe import NetworkPlan


def features(plan: NetworkPlan, spec: InputSpec, image: Any) -> Any:
    x = convolved(rescaled(image), width(32, plan), "block_1")
    x = keras.layers.MaxPooling2D(name="block_1_pool")(x)
    x = convolved(x, width(64, plan), "block_2_first")
    x = convolved(x, width(64, plan), "block_2_second")
    x = keras.layers.MaxPooling2D(name="block_2_pool")(x)
    x = convolved(x, width(128, plan), "block_3")
    return load_weights(keras.Model(image, x), plan).output
