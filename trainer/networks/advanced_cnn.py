"""A small residual network for small pictures: one stride at a time, most of its work at half size.

Sources: of the block, He et al., Deep residual learning for image recognition, CVPR 2016; of the
weighted average at the end, Chen et al., MobileFaceNets, CCBR 2018.
"""

from __future__ import annotations

from typing import Any

import keras

from edge.core.images.preprocess import InputSpec
from trainer.networks.parts.blocks import SCRATCH_MOMENTUM, convolved, rescaled, residual, width
from trainer.networks.parts.weights import load_weights
from trainer.recipes.plan import NetworkPlan


def features(plan: NetworkPlan, spec: InputSpec, image: Any) -> Any:
    x = convolved(rescaled(image, plan), width(24, plan), "stem")
    for number, filters in enumerate((48, 96), start=1):
        x = convolved(x, width(filters, plan), f"block_{number}_down", stride=2)
        x = residual(x, width(filters, plan), f"block_{number}")
    # An average over the places in which each has a weight of its own: where on a small picture a
    # part lies tells what it is.
    x = keras.layers.DepthwiseConv2D(x.shape[1:3], use_bias=False, name="places")(x)
    x = keras.layers.BatchNormalization(momentum=SCRATCH_MOMENTUM, name="places_norm")(x)
    x = keras.layers.Flatten(name="flat")(x)
    return load_weights(keras.Model(image, x), plan).output
