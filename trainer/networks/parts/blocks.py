"""Layers that several networks share. All of them are integer in TFLite's int8."""

from __future__ import annotations

from typing import Any

import keras

from edge.core.images.preprocess import InputSpec
from trainer.recipes.plan import NetworkPlan

SCRATCH_MOMENTUM = 0.9
"""The momentum of moving averages in a training from scratch. The published networks' 0.99 to 0.999
need thousands of steps to forget their start; a small data set has hundreds."""


def rescaled(image: Any, plan: NetworkPlan, *, scale: Any = 1 / 127.5, offset: Any = -1.0) -> Any:
    """Levels 0..255 as `scale * level + offset`, by default -1..1; as 0..1 if the plan says so."""
    if plan.pixels == "unit":
        scale, offset = 1 / 255, 0.0
    return keras.layers.Rescaling(scale, offset=offset, name="rescaling")(image)


def three_channels(image: Any, spec: InputSpec) -> Any:
    """The picture as RGB, for networks whose weights were trained on colours."""
    if spec.channels == 3:
        return image
    return keras.layers.Concatenate(name="grey_to_rgb")([image, image, image])


def width(filters: float, plan: NetworkPlan) -> int:
    """`filters` times the recipe's `alpha`, in eights, 16 at least.

    With 8 filters TensorFlow 2.21's oneDNN kernels corrupt memory on x86-64 as they train on a
    batch of an odd number of pictures.
    """
    return max(16, 8 * round(filters * plan.alpha / 8))


def convolved(
    x: Any, filters: int, name: str, *, stride: int = 1, size: int = 3, relu: bool = True
) -> Any:
    """Convolution, BatchNorm and ReLU: layers `name_conv`, `name_norm` and `name_relu`."""
    x = keras.layers.Conv2D(
        filters, size, strides=stride, padding="same", use_bias=False, name=f"{name}_conv"
    )(x)
    x = keras.layers.BatchNormalization(momentum=SCRATCH_MOMENTUM, name=f"{name}_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x) if relu else x


def hidden(x: Any, units: int, name: str) -> Any:
    """Dense, BatchNorm and ReLU: layers `name_dense`, `name_norm` and `name_relu`."""
    x = keras.layers.Dense(units, use_bias=False, name=f"{name}_dense")(x)
    x = keras.layers.BatchNormalization(momentum=SCRATCH_MOMENTUM, name=f"{name}_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def residual(x: Any, filters: int, name: str, *, stride: int = 1) -> Any:
    """Two convolutions and a way past them; its end is the layer `name_add`.

    Source: He et al., Deep residual learning for image recognition, CVPR 2016.
    """
    straight = x
    if stride != 1 or x.shape[-1] != filters:
        straight = convolved(x, filters, f"{name}_short", stride=stride, size=1, relu=False)
    x = convolved(x, filters, f"{name}_first", stride=stride)
    x = convolved(x, filters, f"{name}_second", relu=False)
    x = keras.layers.Add(name=f"{name}_sum")([x, straight])
    return keras.layers.ReLU(name=f"{name}_add")(x)
