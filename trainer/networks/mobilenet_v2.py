"""MobileNetV2 of any width and input size: the one to start with on photographs.

Source: Sandler et al., MobileNetV2: inverted residuals and linear bottlenecks, CVPR 2018.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import keras

from edge.core.errors import UsageError
from edge.core.images.preprocess import InputSpec
from trainer.networks.parts.blocks import rescaled, three_channels
from trainer.networks.parts.weights import LayerWeights, fetch, layer_weights, load_weights
from trainer.recipes.plan import NetworkPlan

_IMAGENET_ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)


def features(plan: NetworkPlan, spec: InputSpec, image: Any) -> Any:
    x = three_channels(rescaled(image, plan), spec)
    own = keras.Model(
        image,
        keras.applications.MobileNetV2(
            input_tensor=x, alpha=plan.alpha, include_top=False, weights=None
        ).output,
    )
    return load_weights(own, plan, partial(_imagenet, plan.alpha)).output


def _imagenet(alpha: float) -> LayerWeights:
    """The published weights, of those trained at 224 pixels, whatever the input."""
    if alpha not in _IMAGENET_ALPHAS:
        raise UsageError(
            f"network.alpha: ImageNet weights exist for {_IMAGENET_ALPHAS}. Received: {alpha}. "
            "Choose one of them, or network.weights=none"
        )
    published = partial(
        keras.applications.MobileNetV2,
        input_shape=(224, 224, 3),
        alpha=alpha,
        include_top=False,
        weights="imagenet",
    )
    file = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_224_no_top.h5"
    return layer_weights(fetch(published, f"MobileNetV2 (alpha {alpha})", file))
