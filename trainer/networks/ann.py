"""Two hidden layers and no convolution: what the others are to be measured by.

Each pixel has weights of its own, so it is for small pictures in which the thing always lies the
same way.
"""

from __future__ import annotations

from typing import Any

import keras

from edge.core.images.preprocess import InputSpec
from trainer.networks.parts.blocks import hidden, rescaled, width
from trainer.networks.parts.weights import load_weights
from trainer.recipes.plan import NetworkPlan


def features(plan: NetworkPlan, spec: InputSpec, image: Any) -> Any:
    x = keras.layers.Flatten(name="flat")(rescaled(image, plan))
    x = hidden(x, width(512, plan), "hidden_1")
    x = keras.layers.Dropout(plan.dropout, name="hidden_1_dropout")(x)
    x = hidden(x, width(256, plan), "hidden_2")
    return load_weights(keras.Model(image, x), plan).output
