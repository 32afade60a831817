"""The networks that can be trained, each from raw levels 0..255 to class probabilities.

Each file here is a network by its name, with one function:

    features(plan, spec, image) -> tensor

It takes the input tensor, levels 0..255 of shape `spec.shape`, and gives either a map of features
(batch, rows, columns, depth), which is then averaged over its places, or a vector (batch, depth).
What several networks are built of is in `parts`; the layers behind the features are their head.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import keras
import numpy as np

from edge.core.errors import UsageError
from edge.core.images.preprocess import InputSpec
from trainer.networks.parts.head import FEATURES, LOGITS, POOLED, SCORES, add_head
from trainer.recipes.network_names import check_network
from trainer.recipes.plan import NetworkPlan

INPUT = "input"

_Made = TypeVar("_Made")

__all__ = [
    "FEATURES",
    "INPUT",
    "LOGITS",
    "NETWORKS",
    "POOLED",
    "SCORES",
    "Network",
    "build_network",
]


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """A Keras model and where it may be cut.

    `model` takes float32 (batch, height, width, channels), levels 0..255, and ends with the layers
    `pooled`, those of the head, `logits` (Dense) and `scores` (Softmax).
    """

    model: Any
    pretrained: bool
    """Its weights were learned, from pictures of other sets than the one to train on."""
    frozen_norms: frozenset[str] = frozenset()
    """Names of the BatchNormalization layers that keep the statistics they came with: batches of a
    few pictures of few classes would wreck them. From scratch, and in a new head, they learn."""
    trained: bool = False
    """It has learned from the set to train on, in an earlier run."""
    _made: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    def once(self, key: Hashable, make: Callable[[], _Made]) -> _Made:
        """The object that `make` returned at the first call with `key`.

        For functions of this network that TensorFlow traces, which takes seconds each time.
        """
        if key not in self._made:
            self._made[key] = make()
        return cast(_Made, self._made[key])

    def let_train(self, upper: Any) -> None:
        """Lets all layers of `upper` train but those in `frozen_norms`."""
        for layer in upper.layers:
            layer.trainable = layer.name not in self.frozen_norms

    def lower(self, cut_layers: list[str]) -> Any:
        """The model from the input to the outputs of the layers `cut_layers`, as a list."""
        return keras.Model(
            self.model.input, [self.model.get_layer(layer).output for layer in cut_layers]
        )

    def upper(self, cut_layer: str, *more: str) -> Any:
        """The model from the output of layer `cut_layer` (or the input) to the logits.

        With names of further layers behind the cut layer, it gives a list: the logits, and
        their outputs.
        """
        start = self.model.input if cut_layer == INPUT else self.model.get_layer(cut_layer).output
        ends = [self.model.get_layer(name).output for name in (LOGITS, *more)]
        return keras.Model(start, ends if more else ends[0])

    def state(self) -> list[Any]:
        """Copies of all variables: weights, statistics, and the random state of each layer."""
        # Copies: .numpy() may show the variable's own memory, which goes on changing.
        return [np.array(variable.numpy()) for variable in self.model.variables]

    def restore(self, state: Sequence[Any]) -> None:
        """Puts the network into the state that `state` gave."""
        for variable, value in zip(self.model.variables, state, strict=True):
            variable.assign(np.array(value))

    def depth(self, cut_layer: str) -> int:
        """The number of layers up to and with `cut_layer`, 0 for the input.

        Raises:
            UsageError: no such layer.
        """
        if cut_layer == INPUT:
            return 0
        names = [layer.name for layer in self.model.layers]
        if cut_layer not in names:
            places = [n for n in names if n.endswith(("_add", "_pool")) or n in (FEATURES, POOLED)]
            raise UsageError(
                f"train_from: the network has no layer {cut_layer!r}. "
                f"Good places: {', '.join(places)}"
            )
        return names.index(cut_layer)


def build_network(plan: NetworkPlan, spec: InputSpec, classes: int, *, seed: int) -> Network:
    """The network of a recipe with its starting weights.

    Raises:
        UsageError: no such network, or weights or a head that do not fit it.
        WeightsMissingError: pretrained weights are not on this machine and cannot be fetched.
    """
    check_network(plan.name)
    keras.utils.set_random_seed(seed)
    image = keras.Input(spec.shape, name=INPUT)
    features = NETWORKS[plan.name](plan, spec, image)
    pretrained = plan.weights != "none"
    norms = _norms(keras.Model(image, features)) if pretrained else frozenset()
    scores = add_head(features, plan, classes, seed=seed)
    return Network(keras.Model(image, scores, name=plan.name), pretrained, norms)


def _norms(model: Any) -> frozenset[str]:
    layers = model.layers
    return frozenset(n.name for n in layers if isinstance(n, keras.layers.BatchNormalization))


def _networks() -> dict[str, Callable[[NetworkPlan, InputSpec, Any], Any]]:
    files = [module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg]
    return {name: importlib.import_module(f"{__name__}.{name}").features for name in sorted(files)}


NETWORKS = _networks()
"""Name -> its `features`."""
