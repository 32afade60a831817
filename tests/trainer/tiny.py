"""A network of two convolutions, so that a whole training takes seconds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from edge.core.images.preprocess import InputSpec
from trainer.networks import NETWORKS
from trainer.recipes import network_names
from trainer.recipes.plan import NetworkPlan


def features(plan: NetworkPlan, spec: InputSpec, image: Any) -> Any:
    """The layers up to `pooled`."""
    import keras

    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(image)
    for number in (1, 2):
        x = keras.layers.Conv2D(8 * number, 3, strides=2, use_bias=False, name=f"conv_{number}")(x)
        x = keras.layers.BatchNormalization(momentum=0.8, name=f"norm_{number}")(x)
        x = keras.layers.ReLU(name=f"relu_{number}")(x)
    return x


@contextmanager
def tiny_network() -> Iterator[None]:
    """Within this context recipes may name the network `tiny`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(NETWORKS, "tiny", features)
        patch.setattr(network_names, "network_names", lambda: sorted(NETWORKS))
        yield
