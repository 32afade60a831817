"""EfficientNet-Lite: EfficientNet for small devices, in three sizes.

Without squeeze-and-excitation, with ReLU6 instead of swish, and with a stem and a last layer that
no size makes wider. Layers are named as in keras.applications.EfficientNetB0, so that a Keras
`.h5` file of its weights is read by name.

Source: Tan and Le, EfficientNet, ICML 2019, table 1; the Lite changes are those of the TPU
repository's `efficientnet_lite_builder`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras

from edge.core.errors import UsageError
from edge.core.images.preprocess import InputSpec
from trainer.networks.parts.blocks import rescaled, three_channels, width
from trainer.networks.parts.first_use import check_first_use
from trainer.networks.parts.lite_release import kept_weights, released_weights
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


@dataclass(frozen=True, slots=True)
class Size:
    """One of the published sizes."""

    number: int
    width: float
    """The multiplier of the filters."""
    depth: float
    """The multiplier of the blocks of a stage, but of the first and the last stage."""


LITE0 = Size(0, 1.0, 1.0)
LITE1 = Size(1, 1.0, 1.1)
LITE2 = Size(2, 1.1, 1.2)


def features(plan: NetworkPlan, spec: InputSpec, image: Any, size: Size) -> Any:
    """The features of EfficientNet-Lite of this size; see `trainer/networks/__init__.py`.

    Raises:
        UsageError: ImageNet weights are asked for with an `alpha` that has none.
    """
    if plan.weights == "imagenet" and plan.alpha != 1:
        raise UsageError(
            f"network.alpha: {plan.name} has ImageNet weights for 1.0 alone. Received: "
            f"{plan.alpha}. Choose 1.0, or network.weights=none"
        )
    x = three_channels(rescaled(image, plan, scale=1 / 128, offset=-127 / 128), spec)
    x = _norm(_conv(x, _STEM, 3, 2, "stem_conv"), "stem")
    last = len(_STAGES)
    for number, (expansion, filters, blocks, stride, kernel) in enumerate(_STAGES, start=1):
        deeper = size.depth if 1 < number < last else 1
        for letter in "abcdefgh"[: math.ceil(deeper * blocks)]:
            x = _block(
                x,
                width(size.width * filters, plan),
                f"block{number}{letter}",
                expansion=expansion,
                stride=stride if letter == "a" else 1,
                kernel=kernel,
            )
    x = _norm(_conv(x, _TOP, 1, 1, "top_conv"), "top")
    own = keras.Model(image, x)
    # As for the networks of keras.applications, a file in Keras's home is used without a network.
    file = kept_weights(size.number)
    if plan.weights == "imagenet" and file.is_file():
        check_first_use(file)
        plan = plan.model_copy(update={"weights": str(file)})
    return load_weights(own, plan, partial(released_weights, own, size.number)).output


def _block(x: Any, filters: int, name: str, *, expansion: int, stride: int, kernel: int) -> Any:
    """An inverted residual block: wide within, narrow at its ends."""
    start = x
    if expansion != 1:
        wide = expansion * start.shape[-1]
        x = _norm(_conv(x, wide, 1, 1, f"{name}_expand_conv"), f"{name}_expand")
    x = keras.layers.DepthwiseConv2D(
        kernel, strides=stride, padding="same", use_bias=False, name=f"{name}_dwconv"
    )(x)
    x = _norm(x, name)
    x = _conv(x, filters, 1, 1, f"{name}_project_conv")
    x = keras.layers.BatchNormalization(name=f"{name}_project_bn")(x)
    if stride == 1 and start.shape[-1] == filters:
        x = keras.layers.Add(name=f"{name}_add")([x, start])
    return x


def _conv(x: Any, filters: int, kernel: int, stride: int, name: str) -> Any:
    return keras.layers.Conv2D(
        filters, kernel, strides=stride, padding="same", use_bias=False, name=name
    )(x)


def _norm(x: Any, name: str) -> Any:
    x = keras.layers.BatchNormalization(name=f"{name}_bn")(x)
    return keras.layers.ReLU(6.0, name=f"{name}_activation")(x)
