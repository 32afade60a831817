"""EfficientNet-Lite0, where its weights are given: EfficientNet-B0 as small devices like it.

Without squeeze-and-excitation, with ReLU6 instead of swish, and with a stem and a last layer that
no `alpha` makes wider. Layers are named as in keras.applications.EfficientNetB0, so that a Keras
`.h5` file of its weights is read by name.

Source: Tan and Le, EfficientNet, ICML 2019, table 1; the Lite changes are those of the TPU
repository's `efficientnet_lite_builder`.
"""

from __future__ import annotations

from typing import Any

import keras

from edge.core.errors import UsageError
from edge.core.images.preprocess import InputSpec
from trainer.networks.parts.blocks import rescaled, three_channels, width
from trainer.networks.parts.weights import load_weights
from trainer.recipes.plan import NetworkPlan

_STEM, _TOP = 32, 1280
_STAGES = (
    # expansion, filters, blocks, stride of the first, kernel
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)


def features(plan: NetworkPlan, spec: InputSpec, image: Any) -> Any:
    if plan.weights == "imagenet":
        raise UsageError(
            "network.weights: keras.applications has no EfficientNet-Lite0. Give a Keras weights "
            "file of it (network.weights=FILE.h5), none to train from scratch, or take mobilenet_v2"
        )
    x = three_channels(rescaled(image, scale=1 / 128, offset=-127 / 128), spec)
    x = _norm(_conv(x, _STEM, 3, 2, "stem_conv"), "stem")
    for number, (expansion, filters, blocks, stride, size) in enumerate(_STAGES, start=1):
        for letter in "abcd"[:blocks]:
            x = _block(
                x,
                width(filters, plan),
                f"block{number}{letter}",
                expansion=expansion,
                stride=stride if letter == "a" else 1,
                size=size,
            )
    x = _norm(_conv(x, _TOP, 1, 1, "top_conv"), "top")
    return load_weights(keras.Model(image, x), plan).output


def _block(x: Any, filters: int, name: str, *, expansion: int, stride: int, size: int) -> Any:
    """An inverted residual block: wide within, narrow at its ends."""
    start = x
    if expansion != 1:
        wide = expansion * start.shape[-1]
        x = _norm(_conv(x, wide, 1, 1, f"{name}_expand_conv"), f"{name}_expand")
    x = keras.layers.DepthwiseConv2D(
        size, strides=stride, padding="same", use_bias=False, name=f"{name}_dwconv"
    )(x)
    x = _norm(x, name)
    x = _conv(x, filters, 1, 1, f"{name}_project_conv")
    x = keras.layers.BatchNormalization(name=f"{name}_project_bn")(x)
    if stride == 1 and start.shape[-1] == filters:
        x = keras.layers.Add(name=f"{name}_add")([x, start])
    return x


def _conv(x: Any, filters: int, size: int, stride: int, name: str) -> Any:
    return keras.layers.Conv2D(
        filters, size, strides=stride, padding="same", use_bias=False, name=name
    )(x)


def _norm(x: Any, name: str) -> Any:
    x = keras.layers.BatchNormalization(name=f"{name}_bn")(x)
    return keras.layers.ReLU(6.0, name=f"{name}_activation")(x)
