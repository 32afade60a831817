"""The networks that can be trained, each from raw levels 0..255 to class probabilities."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edge.errors import UsageError
from edge.model.preprocess import InputSpec
from trainer.errors import WeightsMissingError
from trainer.recipe import NetworkPlan

POOLED = "pooled"
LOGITS = "logits"
SCORES = "scores"
INPUT = "input"

_IMAGENET_ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
_SCRATCH_MOMENTUM = 0.9
"""Of moving averages when training from scratch. MobileNetV2's 0.999 needs thousands of steps to
forget its start; a small data set has hundreds."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A Keras model and where it may be cut.

    `model` takes float32 (batch, height, width, channels), levels 0..255, and ends with the layers
    `pooled`, `logits` (Dense) and `scores` (Softmax).
    """

    model: Any
    pretrained: bool

    def lower(self, cuts: list[str]) -> Any:
        """The model from the input to the outputs of the layers `cuts`, as a list."""
        return keras.Model(self.model.input, [self.model.get_layer(cut).output for cut in cuts])

    def upper(self, cut: str) -> Any:
        """The model from the output of layer `cut` (or the input) to the logits."""
        start = self.model.input if cut == INPUT else self.model.get_layer(cut).output
        return keras.Model(start, self.model.get_layer(LOGITS).output)

    def depth(self, cut: str) -> int:
        """The number of layers up to and with `cut`, 0 for the input.

        Raises:
            UsageError: no such layer.
        """
        if cut == INPUT:
            return 0
        names = [layer.name for layer in self.model.layers]
        if cut not in names:
            cuts = [n for n in names if n.endswith("_add") or n == POOLED]
            raise UsageError(
                f"train_from: the network has no layer {cut!r}. Good places: {', '.join(cuts)}"
            )
        return names.index(cut)


def build_network(plan: NetworkPlan, spec: InputSpec, classes: int, *, seed: int) -> Network:
    """The network of a recipe with its starting weights.

    Raises:
        UsageError: no such network, or weights that do not fit it.
        WeightsMissingError: pretrained weights are not on this machine and cannot be fetched.
    """
    if plan.name not in NETWORKS:
        raise UsageError(f"no network {plan.name!r}. There are: {', '.join(NETWORKS)}")
    keras.utils.set_random_seed(seed)
    image = keras.Input(spec.shape, name=INPUT)
    backbone = NETWORKS[plan.name](plan, spec, image)
    x = keras.layers.GlobalAveragePooling2D(name=POOLED)(backbone)
    x = keras.layers.Dropout(plan.dropout, name="dropout", seed=seed)(x)
    # Small weights to start with: the first scores are nearly even, whatever the features.
    start = keras.initializers.RandomNormal(stddev=0.01, seed=seed)
    x = keras.layers.Dense(classes, name=LOGITS, kernel_initializer=start)(x)
    x = keras.layers.Softmax(name=SCORES)(x)
    return Network(keras.Model(image, x, name=plan.name), plan.weights != "none")


def _mobilenet_v2(plan: NetworkPlan, spec: InputSpec, image: Any) -> Any:
    x = keras.layers.Rescaling(1 / 127.5, offset=-1, name="rescaling")(image)
    if spec.channels == 1:
        x = keras.layers.Concatenate(name="grey_to_rgb")([x, x, x])
    own = keras.Model(
        image,
        keras.applications.MobileNetV2(
            input_tensor=x, alpha=plan.alpha, include_top=False, weights=None
        ).output,
    )
    if plan.weights == "none":
        for layer in own.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = _SCRATCH_MOMENTUM
    elif plan.weights == "imagenet":
        _copy_imagenet(own, plan.alpha)
    else:
        _load_weights(own, Path(plan.weights))
    return own.output


def _convnet(plan: NetworkPlan, spec: InputSpec, image: Any) -> Any:
    """Four residual blocks of plain convolutions: few layers, so that they learn from scratch fast.

    Source of the block: He et al., Deep residual learning for image recognition, CVPR 2016.
    """
    if plan.weights == "imagenet":
        raise UsageError(
            "network.weights: convnet has no ImageNet weights: choose none, or mobilenet_v2"
        )
    x = keras.layers.Rescaling(1 / 127.5, offset=-1, name="rescaling")(image)
    x = _convolved(x, _width(16, plan), "stem", stride=2)
    for number, filters in enumerate((24, 48, 96, 128), start=1):
        name, filters = f"block_{number}", _width(filters, plan)
        straight = _convolved(x, filters, f"{name}_short", stride=2, size=1, relu=False)
        x = _convolved(x, filters, f"{name}_first", stride=2)
        x = _convolved(x, filters, f"{name}_second", relu=False)
        x = keras.layers.Add(name=f"{name}_sum")([x, straight])
        x = keras.layers.ReLU(name=f"{name}_add")(x)
    if plan.weights != "none":
        _load_weights(keras.Model(image, x), Path(plan.weights))
    return x


def _width(filters: int, plan: NetworkPlan) -> int:
    return max(8, 8 * round(filters * plan.alpha / 8))


def _convolved(
    x: Any, filters: int, name: str, *, stride: int = 1, size: int = 3, relu: bool = True
) -> Any:
    x = keras.layers.Conv2D(
        filters, size, strides=stride, padding="same", use_bias=False, name=f"{name}_conv"
    )(x)
    x = keras.layers.BatchNormalization(momentum=_SCRATCH_MOMENTUM, name=f"{name}_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x) if relu else x


NETWORKS: dict[str, Callable[[NetworkPlan, InputSpec, Any], Any]] = {
    "mobilenet_v2": _mobilenet_v2,
    "convnet": _convnet,
}
"""Name -> a function that gives the features (batch, rows, columns, depth) of an input tensor."""


def _copy_imagenet(own: Any, alpha: float) -> None:
    """Copies ImageNet weights, those trained at 224 pixels, into the layers of the same name."""
    if alpha not in _IMAGENET_ALPHAS:
        raise UsageError(
            f"network.alpha: ImageNet weights exist for {_IMAGENET_ALPHAS}. Received: {alpha}. "
            "Choose one of them, or network.weights=none"
        )
    try:
        trained = keras.applications.MobileNetV2(
            input_shape=(224, 224, 3), alpha=alpha, include_top=False, weights="imagenet"
        )
    except Exception as error:
        # Keras raises a bare Exception when a download fails, OSError when the file is damaged.
        where = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "models"
        name = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{alpha}_224_no_top.h5"
        file = re.search(r"https?://\S+?\.h5", str(error))
        raise WeightsMissingError(
            f"the ImageNet weights of MobileNetV2 (alpha {alpha}) are not on this machine and "
            f"could not be fetched ({str(error).partition(':')[0]}). Connect to the internet once, "
            f"or put {name} into {where}{f' (from {file[0]})' if file else ''}, "
            "or train from scratch with --variant scratch"
        ) from error
    for layer in trained.layers:
        if layer.weights:
            own.get_layer(layer.name).set_weights(layer.get_weights())


def _load_weights(own: Any, path: Path) -> None:
    if not path.is_file():
        raise WeightsMissingError(
            f"network.weights: {path}: no such file. Give imagenet, none, or a Keras weights file"
        )
    before = own.get_weights()
    try:
        # Keras 3 files are read by structure, the older .h5 of keras.applications by layer name.
        own.load_weights(path, **({} if path.name.endswith(".weights.h5") else {"by_name": True}))
    except (ValueError, OSError) as error:
        raise UsageError(f"network.weights: {path} does not fit the network: {error}") from error
    if all(np.array_equal(old, new) for old, new in zip(before, own.get_weights(), strict=True)):
        raise UsageError(f"network.weights: {path} has no layer of this network")
