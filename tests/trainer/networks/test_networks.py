"""The networks, where they may be cut, their heads, and which weights they take."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras.src.utils.io_utils import print_msg

from edge.core.errors import UsageError
from edge.core.images.preprocess import InputSpec
from trainer.errors import WeightsMissingError
from trainer.networks import FEATURES, INPUT, LOGITS, NETWORKS, POOLED, Network, build_network
from trainer.recipes.plan import NetworkPlan

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SPEC = InputSpec(height=32, width=48)
SMALL = ("ann", "cnn", "tuned_cnn", "advanced_cnn", "convnet", "flat", "textbook_cnn")
LARGE = [
    pytest.param(name, marks=pytest.mark.slow) for name in NETWORKS if name not in SMALL
]  # each takes seconds to build
VECTORS = ("ann", "cnn", "tuned_cnn", "advanced_cnn", "flat", "textbook_cnn")
"""Networks that end in a vector, not in a map of features."""


def plan(name: str, **changes: object) -> NetworkPlan:
    return NetworkPlan.model_validate({"name": name, "weights": "none"} | changes)


def build(name: str, spec: InputSpec = SPEC, **changes: object) -> Network:
    return build_network(plan(name, **changes), spec, 4, seed=0)


@functools.cache
def built(name: str, channels: int = 3) -> Network:
    """As `build`, once for all tests that only look at it."""
    return build(name, SPEC.model_copy(update={"channels": channels}))


def levels(spec: InputSpec, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 255, (2, *spec.shape)).astype(np.float32)


def test_a_file_is_a_network() -> None:
    folder = Path(__file__).parents[3] / "trainer" / "networks"
    assert {file.stem for file in folder.glob("*.py")} - {"__init__"} == set(NETWORKS)


def test_an_unknown_network_is_told_its_nearest() -> None:
    with pytest.raises(UsageError, match=r"no network 'advanced_cn'. Did you mean advanced_cnn"):
        build("advanced_cn")


@pytest.mark.parametrize("name", [*SMALL, *LARGE])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_network_gives_nearly_even_scores_before_it_has_learned(name: str, channels: int) -> None:
    spec = SPEC.model_copy(update={"channels": channels})
    # Thousands of pixels in a row add up; `flat` is there for a head with a layer of its own.
    head = {"head": "dense"} if name == "flat" else {}
    network = build(name, spec, **head) if head else built(name, channels)
    scores = np.asarray(network.model(levels(spec)))
    assert scores.shape == (2, 4)
    assert scores == pytest.approx(0.25, abs=0.1)
    assert not network.pretrained
    assert not network.frozen_norms


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("head", ["plain", "dense", "conv"])
def test_every_head_can_be_cut_at_pooled(name: str, head: str) -> None:
    if head == "conv" and name in VECTORS:
        pytest.skip("has no rows and columns")
    network = build(name, head=head, head_width=24)
    kernels = [tuple(v.shape) for v in network.upper(POOLED).trainable_variables if v.ndim > 1]
    depth = network.model.get_layer(POOLED).output.shape[-1]
    assert kernels == ([(depth, 24), (24, 4)] if head == "dense" else [(depth, 4)])
    if head == "conv":
        assert depth == 24
    lower = network.lower([POOLED])(levels(SPEC))
    whole = network.model.get_layer("scores")(network.upper(POOLED)(np.asarray(lower)))
    np.testing.assert_allclose(whole, network.model(levels(SPEC)), atol=1e-5)


@pytest.mark.parametrize("head", ["conv", "conv_pool"])
@pytest.mark.parametrize("norm", [True, False])
def test_a_head_has_a_batchnorm_of_its_own_unless_a_published_one_has_none(
    head: str, norm: bool
) -> None:
    spec = InputSpec(height=64, width=64)
    network = build("convnet", spec, head=head, head_width=24, head_norm=norm)
    behind = network.upper(FEATURES)
    kinds = [layer for layer in behind.layers if "BatchNorm" in type(layer).__name__]
    assert len(kinds) == norm
    assert behind.get_layer("head_conv").use_bias == (not norm or head == "conv_pool")


def test_a_convolution_with_a_pooling_halves_the_map_before_it_is_averaged() -> None:
    spec = InputSpec(height=64, width=96)
    network = build("convnet", spec, head="conv_pool", head_width=24)
    shapes = [network.model.get_layer(n).output.shape[1:] for n in (FEATURES, "head_norm", POOLED)]
    assert shapes == [(2, 3, 128), (1, 1, 24), (24,)]
    with pytest.raises(UsageError, match=r"conv_pool needs features of two rows .* convnet has 1"):
        build("convnet", head="conv_pool")


@pytest.mark.parametrize("name", ["convnet", "densenet121", "efficientnet_lite0"])
def test_pixels_are_brought_to_0_to_1_where_a_recipe_wants_the_mistake(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name in PUBLISHED:
        monkeypatch.setattr(keras.applications, PUBLISHED[name], one_convolution)
    brought = build(name, pixels="unit").lower(["rescaling"])(levels(SPEC))
    np.testing.assert_allclose(brought, levels(SPEC) / 255, atol=1e-6)


@pytest.mark.parametrize(("blocks", "norms", "ends"), [(1, 0, 1), (2, 2, 1), (3, 3, 3)])
def test_the_textbook_s_network_has_as_many_convolutions_as_it_is_given(
    blocks: int, norms: int, ends: int
) -> None:
    layers = build("textbook_cnn", blocks=blocks).model.layers
    kinds = [type(layer).__name__ for layer in layers]
    assert (kinds.count("Conv2D"), kinds.count("BatchNormalization")) == (blocks, norms)
    assert ("GlobalAveragePooling2D" in kinds) == (ends == 3)


def test_a_convolution_of_the_head_trains_from_the_features() -> None:
    network = build("convnet", head="conv")
    names = {variable.path for variable in network.upper(FEATURES).trainable_variables}
    assert any("head_conv" in name for name in names)
    assert network.depth(FEATURES) < network.depth(POOLED) < network.depth(LOGITS)


@pytest.mark.parametrize("name", VECTORS)
def test_a_vector_cannot_be_convolved(name: str) -> None:
    with pytest.raises(UsageError, match=rf"network.head: {name} ends in a vector.*plain or dense"):
        build(name, head="conv")


@pytest.mark.parametrize(
    ("name", "cut"),
    [
        *((name, cut) for name in SMALL for cut in (INPUT, POOLED)),
        ("convnet", "block_1_add"),
        ("convnet", "block_3_add"),
        ("advanced_cnn", "block_1_add"),
        ("tuned_cnn", "block_2_pool"),
        ("mobilenet_v2", "block_12_add"),
        pytest.param("densenet121", "pool3_pool", marks=pytest.mark.slow),
        pytest.param("efficientnet_lite0", "block5c_add", marks=pytest.mark.slow),
        pytest.param("efficientnet_lite2", "block3c_add", marks=pytest.mark.slow),
    ],
)
def test_a_network_can_be_cut(name: str, cut: str) -> None:
    network = built(name)
    assert network.depth(cut) < network.depth(LOGITS)
    assert network.upper(cut).trainable_variables


def test_an_unknown_cut_is_told_good_places() -> None:
    with pytest.raises(UsageError, match=r"no layer 'block_9'.*block_1_add, .*features, pooled"):
        built("convnet").depth("block_9")


@pytest.mark.parametrize("name", sorted({*SMALL} - {"flat"}))
def test_the_width_of_a_small_network_is_its_alpha(name: str) -> None:
    sizes = [build(name, alpha=alpha).model.count_params() for alpha in (0.5, 1.0, 2.0)]
    assert sizes[0] < sizes[1] / 1.9 < sizes[2] / 3.8


PUBLISHED = {"mobilenet_v2": "MobileNetV2", "densenet121": "DenseNet121"}
"""Networks of keras.applications, of 154 and 427 layers."""


def one_convolution(input_tensor: object, **given: object) -> SimpleNamespace:
    """Instead of such a network, where what comes before it is looked at."""
    return SimpleNamespace(output=keras.layers.Conv2D(4, 3)(input_tensor))


@pytest.mark.parametrize(
    ("name", "preprocess"),
    [
        *((name, keras.applications.mobilenet_v2.preprocess_input) for name in SMALL),
        ("mobilenet_v2", keras.applications.mobilenet_v2.preprocess_input),
        ("densenet121", keras.applications.densenet.preprocess_input),
        ("efficientnet_lite0", lambda levels: (levels - 127) / 128),
    ],
)
def test_levels_are_normalised_within_the_network_as_its_weights_want_them(
    name: str,
    preprocess: Callable[[np.ndarray], np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if name in PUBLISHED:
        monkeypatch.setattr(keras.applications, PUBLISHED[name], one_convolution)
    normalised = build(name).lower(["rescaling"])(levels(SPEC))
    np.testing.assert_allclose(normalised, preprocess(levels(SPEC)), atol=1e-4)


@pytest.mark.parametrize("name", SMALL)
def test_a_network_without_imagenet_weights_says_so(name: str) -> None:
    with pytest.raises(UsageError, match=rf"{name} has no ImageNet weights.*mobilenet_v2"):
        build(name, weights="imagenet")


@pytest.mark.usefixtures("log_lines")
def test_densenet_weights_that_are_nowhere_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(**options: object) -> None:
        print_msg("Downloading data from https://x.org/densenet121_notop.h5")
        raise Exception("URL fetch failure on https://x.org/densenet121_notop.h5: None")

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(keras.applications, "DenseNet121", unreachable)
    network = pytest.importorskip("trainer.networks.densenet121")
    with pytest.raises(WeightsMissingError) as raised:
        network._imagenet()
    out, err = capsys.readouterr()
    assert out == ""  # Keras is silent, and we are not
    assert err.startswith("fetching the ImageNet weights of DenseNet121 from the internet")
    assert keras.config.is_interactive_logging_enabled()
    said = str(raised.value)
    assert "weights of DenseNet121 are not on this machine" in said
    assert str(tmp_path / "models") in said
    assert re.search(r"densenet121_weights_tf_dim_ordering_tf_kernels_notop\.h5", said)
    assert "or train from scratch, by the recipe mobilenet_v2 with --variant scratch" in said


@pytest.mark.parametrize(
    "name", ["convnet", pytest.param("efficientnet_lite0", marks=pytest.mark.slow)]
)
def test_a_network_starts_from_the_weights_of_another(name: str, tmp_path: Path) -> None:
    taught = build_network(plan(name), SPEC, 4, seed=1)
    features = taught.lower([FEATURES])
    features.save_weights(tmp_path / "taught.weights.h5")
    network = build(name, weights=str(tmp_path / "taught.weights.h5"), head="conv")
    np.testing.assert_allclose(
        network.lower([FEATURES])(levels(SPEC)), features(levels(SPEC)), atol=1e-4
    )
    with pytest.raises(WeightsMissingError, match="no such file"):
        build(name, weights="gone.weights.h5")


def test_statistics_that_came_with_the_weights_stay_and_those_of_a_new_head_are_learned(
    tmp_path: Path,
) -> None:
    taught = build_network(plan("convnet"), SPEC, 4, seed=1)
    taught.lower([FEATURES]).save_weights(tmp_path / "taught.weights.h5")
    network = build("convnet", weights=str(tmp_path / "taught.weights.h5"), head="conv")
    assert "block_1_first_norm" in network.frozen_norms
    assert "head_norm" not in network.frozen_norms
    upper = network.upper(INPUT)
    network.let_train(upper)
    trained = {variable.path.split("/")[0] for variable in upper.trainable_variables}
    assert "head_norm" in trained
    assert not network.frozen_norms & trained
    before = {n: network.model.get_layer(n).get_weights() for n in ("stem_norm", "head_norm")}
    upper(levels(SPEC), training=True)
    stem, head = (network.model.get_layer(n).get_weights() for n in ("stem_norm", "head_norm"))
    np.testing.assert_array_equal(stem, before["stem_norm"])
    assert not np.array_equal(head[2], before["head_norm"][2])
