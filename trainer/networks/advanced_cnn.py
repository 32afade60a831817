"""A small residual network for small pictures: one stride at a time, most of its work at half size.

Source of the block: He et al., Deep residual learning for image recognition, CVPR 2016.
"""

from __future__ import annotations

from typing import Any

import keras

from edge.model.preprocess import InputSpec
from trainer.networks.parts.blocks import convolved, rescaled, residual, width
from trainer.networks.parts.weights import load_weights
from trainer.recipe import NetworkPlan


def features(plan: NetworkPlan, spec: InputSpec, image: Any) -> Any:
    x = convolved(rescaled(image), width(24, plan), "stem")
    for number, filters in enumerate((48, 96), start=1):
        x = convolved(x, width(filters, plan), f"block_{number}_down", stride=2)
        x = residual(x, width(filters, plan), f"block_{number}")
    return load_weights(keras.Model(image, x), plan).output
