"""The networks, where they may be cut, and which weights they take."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from edge.errors import UsageError
from edge.model.preprocess import InputSpec
from trainer.errors import WeightsMissingError
from trainer.networks import INPUT, build_network
from trainer.recipe import NetworkPlan

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SPEC = InputSpec(height=32, width=48)


def convnet(**changes: object) -> NetworkPlan:
    return NetworkPlan.model_validate({"name": "convnet", "weights": "none"} | changes)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_convnet_gives_nearly_even_scores_before_it_has_learned(channels: int) -> None:
    spec = SPEC.model_copy(update={"channels": channels})
    network = build_network(convnet(), spec, 4, seed=0)
    images = np.random.default_rng(0).uniform(0, 255, (2, *spec.shape)).astype(np.float32)
    scores = np.asarray(network.model(images))
    assert scores.shape == (2, 4)
    assert scores == pytest.approx(0.25, abs=0.1)
    assert not network.pretrained


@pytest.mark.parametrize("cut", [INPUT, "block_1_add", "block_4_add", "pooled"])
def test_a_convnet_can_be_cut_behind_each_block(cut: str) -> None:
    network = build_network(convnet(), SPEC, 4, seed=0)
    assert network.depth(cut) < network.depth("logits")
    assert network.upper(cut).trainable_variables


def test_the_width_of_a_convnet_is_its_alpha() -> None:
    sizes = [
        build_network(convnet(alpha=alpha), SPEC, 4, seed=0).model.count_params()
        for alpha in (0.5, 1.0, 2.0)
    ]
    assert sizes[0] < sizes[1] / 3 < sizes[2] / 9


def test_a_convnet_has_no_imagenet_weights() -> None:
    with pytest.raises(UsageError, match=r"convnet has no ImageNet weights.*mobilenet_v2"):
        build_network(convnet(weights="imagenet"), SPEC, 4, seed=0)


def test_a_convnet_starts_from_the_weights_of_another(tmp_path: Path) -> None:
    taught = build_network(convnet(), SPEC, 4, seed=1)
    block = keras.Model(taught.model.input, taught.model.get_layer("block_4_add").output)
    block.save_weights(tmp_path / "taught.weights.h5")
    weights = str(tmp_path / "taught.weights.h5")
    network = build_network(convnet(weights=weights), SPEC, 4, seed=0)
    kernels = [n.model.get_layer("block_2_first_conv").get_weights()[0] for n in (taught, network)]
    np.testing.assert_array_equal(*kernels)
    with pytest.raises(WeightsMissingError, match="no such file"):
        build_network(convnet(weights="gone.weights.h5"), SPEC, 4, seed=0)
