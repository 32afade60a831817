"""No layers at all: the pixels in a row, for a head that learns from them alone."""

from __future__ import annotations

from typing import Any

import keras

from edge.core.images.preprocess import InputSpec
from trainer.networks.parts.blocks import rescaled
from trainer.networks.parts.weights import load_weights
from trainer.recipes.plan import NetworkPlan


def features(plan: NetworkPlan, spec: InputSpec, image: Any) -> Any:
    x = keras.layers.Flatten(name="flat")(rescaled(image, plan))
    return load_weights(keras.Model(image, x), plan).output
