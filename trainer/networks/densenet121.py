"""DenseNet121: larger and slower than MobileNetV2, and often a little better.

Source: Huang et al., Densely connected convolutional networks, CVPR 2017.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import keras

from edge.core.images.preprocess import InputSpec
from trainer.networks.parts.blocks import rescaled, three_channels
from trainer.networks.parts.weights import LayerWeights, fetch, layer_weights, load_weights
from trainer.recipes.plan import NetworkPlan

_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)
"""Mean and standard deviation of ImageNet's red, green and blue in 0..1, which its weights were
trained with (keras.applications calls it the mode `torch`). On [-1, 1] they would be several points
worse."""


def features(plan: NetworkPlan, spec: InputSpec, image: Any) -> Any:
    x = rescaled(
        three_channels(image, spec),
        plan,
        scale=[1 / (255 * deviation) for deviation in _DEVIATION],
        offset=[-mean / deviation for mean, deviation in zip(_MEAN, _DEVIATION, strict=True)],
    )
    own = keras.Model(
        image,
        keras.applications.DenseNet121(input_tensor=x, include_top=False, weights=None).output,
    )
    return load_weights(own, plan, _imagenet).output


def _imagenet() -> LayerWeights:
    published = partial(
        keras.applications.DenseNet121,
        input_shape=(224, 224, 3),
        include_top=False,
        weights="imagenet",
    )
    file = "densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5"
    return layer_weights(fetch(published, "DenseNet121", file))
