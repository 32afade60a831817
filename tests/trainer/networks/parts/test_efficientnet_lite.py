"""EfficientNet-Lite's sizes, and its released weights, read from a checkpoint with their names."""

from __future__ import annotations

import errno
import hashlib
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest

from edge.core.errors import StorageError, UsageError
from edge.core.images.preprocess import InputSpec
from trainer.errors import WeightsMissingError
from trainer.networks import FEATURES, build_network
from trainer.networks.parts import lite_release
from trainer.networks.parts.efficientnet_lite import Size, features
from trainer.networks.parts.first_use import record_of
from trainer.networks.parts.weights import without_fetching
from trainer.recipes.plan import NetworkPlan
from trainer.recipes.reading import read_recipe

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SPEC = InputSpec(height=32, width=32)
SMALL = Size(9, width=0.25, depth=0.5)
"""A size that does not exist: ten blocks, of which three have a way past them."""

Variables = dict[str, npt.NDArray[np.float32]]

_NORM = ("gamma", "beta", "moving_mean", "moving_variance")
_OUTSIDE = {
    "stem_conv": "stem/conv2d",
    "stem_bn": "stem/tpu_batch_normalization",
    "top_conv": "head/conv2d",
    "top_bn": "head/tpu_batch_normalization",
}
_FIRST_BLOCK = {
    "dwconv": "depthwise_conv2d",
    "bn": "tpu_batch_normalization",
    "project_conv": "conv2d",
    "project_bn": "tpu_batch_normalization_1",
}
_OTHER_BLOCKS = {
    "expand_conv": "conv2d",
    "expand_bn": "tpu_batch_normalization",
    "dwconv": "depthwise_conv2d",
    "bn": "tpu_batch_normalization_1",
    "project_conv": "conv2d_1",
    "project_bn": "tpu_batch_normalization_2",
}
"""Layer of a block -> its name in the release, as published converters of it have them."""


def built(plan: NetworkPlan, size: Size = SMALL) -> Any:
    image = keras.Input(SPEC.shape)
    return keras.Model(image, features(plan, SPEC, image, size))


def plan(**changes: object) -> NetworkPlan:
    return NetworkPlan.model_validate({"name": "efficientnet_lite0"} | changes)


def taught(seed: int = 0) -> Any:
    """A network whose weights and statistics all differ from those that one begins with."""
    model = built(plan(weights="none"))
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        weight.assign(weight + rng.uniform(0.1, 0.5, weight.shape))
    return model


def official(model: Any, network: str) -> Variables:
    """The weights of `model` by their names in the release."""
    named: Variables = {}
    blocks = list(
        dict.fromkeys(
            layer.name.partition("_")[0] for layer in model.layers if layer.name.startswith("block")
        )
    )
    for layer in model.layers:
        if not layer.weights:
            continue
        if layer.name in _OUTSIDE:
            place = _OUTSIDE[layer.name]
        else:
            block, _, kind = layer.name.partition("_")
            number = blocks.index(block)
            place = f"blocks_{number}/{(_OTHER_BLOCKS if number else _FIRST_BLOCK)[kind]}"
        variables = _NORM if len(layer.weights) == 4 else ("kernel",)
        if "depthwise" in place:
            variables = ("depthwise_kernel",)
        for variable, value in zip(variables, layer.get_weights(), strict=True):
            named[f"{network}/{place}/{variable}"] = value
    return named


def write_release(models: Path, network: str, weights: Variables, *, averaged: bool = True) -> Path:
    """The archive of a release, with a checkpoint of `weights` and of what else is in it."""
    import tensorflow as tf

    named: dict[str, npt.NDArray[Any]] = {"global_step": np.array(218_949, np.int64)}
    for name, value in weights.items():
        named[name] = np.zeros_like(value) if averaged else value
        if averaged:
            named[f"{name}/ExponentialMovingAverage"] = value
        named[f"{name}/RMSProp"] = np.ones_like(value)
    named[f"{network}/head/dense/kernel"] = np.ones((1280, 1000), np.float32)
    folder = models / "unpacked" / network
    folder.mkdir(parents=True)
    tf.raw_ops.SaveV2(
        prefix=str(folder / "model.ckpt"),
        tensor_names=list(named),
        shape_and_slices=[""] * len(named),
        tensors=list(named.values()),
    )
    (folder / f"{network}-fp32.tflite").write_bytes(b"not read")
    archive = models / f"{network}.tar.gz"
    with tarfile.open(archive, "w:gz") as content:
        content.add(folder, network)
    return archive


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of pretrained weights of a Keras home with nothing in it."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


@pytest.fixture
def accepted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that has an archive accepted as the released one of a size."""

    def accept(archive: Path, number: int = SMALL.number) -> None:
        md5 = hashlib.md5(archive.read_bytes(), usedforsecurity=False).hexdigest()
        monkeypatch.setitem(lite_release._MD5, number, md5)

    return accept


@pytest.mark.parametrize("averaged", [True, False])
def test_a_released_checkpoint_is_read_by_its_names(
    averaged: bool, models: Path, accepted: Callable[..., None]
) -> None:
    model = taught()
    archive = write_release(
        models, "efficientnet-lite9", official(model, "efficientnet-lite9"), averaged=averaged
    )
    accepted(archive)
    loaded = built(plan())
    assert len(loaded.weights) == 155
    for mine, released in zip(loaded.weights, model.weights, strict=True):
        np.testing.assert_array_equal(mine, released, err_msg=mine.path)


def test_a_checkpoint_that_lacks_a_tensor_or_has_another_shape_is_refused(
    models: Path, accepted: Callable[..., None]
) -> None:
    weights = official(taught(), "efficientnet-lite9")
    weights["efficientnet-lite9/blocks_3/conv2d/kernel"] = np.ones((3, 3, 1, 1), np.float32)
    accepted(write_release(models, "efficientnet-lite9", weights))
    with pytest.raises(WeightsMissingError, match=r"lite9/blocks_3/conv2d/kernel.*is not in it"):
        built(plan())


def test_an_archive_is_read_once_and_its_weights_are_the_same_ones_from_then_on(
    models: Path, accepted: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = taught()
    archive = write_release(models, "efficientnet-lite9", official(model, "efficientnet-lite9"))
    accepted(archive)
    built(plan())
    file = models / "efficientnet_lite9_imagenet_no_top.weights.h5"
    size, sha256, name = record_of(archive).read_text().split()
    assert (int(size), name) == (archive.stat().st_size, archive.name)
    assert sha256 == hashlib.sha256(archive.read_bytes()).hexdigest()
    assert not [path for path in models.iterdir() if path.name.startswith("tmp")]
    monkeypatch.setattr(lite_release, "_unpacked", lambda *_: pytest.fail("unpacked again"))
    for mine, released in zip(built(plan()).weights, model.weights, strict=True):
        np.testing.assert_array_equal(mine, released, err_msg=mine.path)
    # Another file of the same size and form is not taken for it.
    taught(seed=1).save_weights(file)
    with pytest.raises(WeightsMissingError, match=r"not the file that was used before: .* says"):
        built(plan())
    record_of(file).unlink()
    built(plan())  # as the message says, for who put it there


def test_another_archive_that_others_received_too_is_not_taken_for_the_first(
    models: Path, accepted: Callable[..., None]
) -> None:
    archive = write_release(models, "efficientnet-lite9", official(taught(), "efficientnet-lite9"))
    accepted(archive)
    built(plan())
    (models / "efficientnet_lite9_imagenet_no_top.weights.h5").unlink()
    archive.write_bytes(archive.read_bytes() + b"more")
    accepted(archive)  # its MD5 is right, as a forged one's may be
    with pytest.raises(WeightsMissingError, match="not the file that was used before"):
        built(plan())


def test_another_archive_than_the_released_one_is_refused_and_left(models: Path) -> None:
    archive = models / "efficientnet-lite0.tar.gz"
    archive.write_bytes(b"an error page")
    said = r"its MD5 must be 703c66bc\w+\. Received: \w+\. Delete it"
    with pytest.raises(WeightsMissingError, match=said):
        built(plan(), Size(0, 0.25, 0.5))
    assert archive.read_bytes() == b"an error page"


def test_a_weights_file_in_the_home_of_keras_is_taken_without_a_network(models: Path) -> None:
    model = taught()
    model.save_weights(models / "efficientnet_lite9_imagenet_no_top.weights.h5")
    for mine, released in zip(built(plan()).weights, model.weights, strict=True):
        np.testing.assert_array_equal(mine, released)


def test_weights_that_are_nowhere_say_what_to_do(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(name: str, origin: str, **options: object) -> None:
        assert options["cache_dir"] == models.parent
        assert options["file_hash"] == "da60c250593ee1c5eff9d3efb3c5eb92"
        raise Exception(f"URL fetch failure on {origin}: None -- no route")

    monkeypatch.setattr(keras.utils, "get_file", unreachable)
    with pytest.raises(WeightsMissingError) as raised:
        built(plan(), Size(2, 0.25, 0.5))
    said = str(raised.value)
    assert "weights of EfficientNet-Lite2 are not on this machine" in said
    assert "could not be fetched (no route)" in said
    assert f"put efficientnet-lite2.tar.gz into {models}" in said
    # Other recipes have no such variant, and most refuse network.weights=none.
    assert said.endswith("by the recipe mobilenet_v2 with --variant scratch")
    assert read_recipe("mobilenet_v2", variant="scratch").network.weights == "none"
    assert "(from https://storage.googleapis.com/cloud-tpu-checkpoints/efficientnet/lite/" in said
    with without_fetching():
        built(plan(), Size(2, 0.25, 0.5))  # a check of a recipe needs no weights


@pytest.mark.parametrize(
    ("number", "told"),
    [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "the file system is read-only")],
)
def test_a_disk_that_takes_no_weights_is_not_told_as_a_missing_network(
    number: int, told: str, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(name: str, origin: str, **options: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(keras.utils, "get_file", full)
    with pytest.raises(StorageError, match=told):
        built(plan(), Size(2, 0.25, 0.5))


def test_only_the_published_width_has_weights() -> None:
    with pytest.raises(UsageError, match=r"network.alpha: .* for 1.0 alone. Received: 0.5"):
        built(plan(alpha=0.5))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "millions", "cut_layers"),
    [
        # As published, with 1,000 classes.
        (0, 4.652, ("block3b_add", "block5c_add")),
        (1, 5.417, ("block3c_add", "block5d_add")),
        (2, 6.092, ("block3c_add", "block5d_add")),
    ],
)
def test_each_size_is_its_published_one(
    number: int, millions: float, cut_layers: tuple[str, ...]
) -> None:
    network = build_network(
        plan(name=f"efficientnet_lite{number}", weights="none"),
        InputSpec(height=64, width=64),
        1000,
        seed=0,
    )
    parameters = sum(weight.numpy().size for weight in network.model.trainable_weights)
    assert parameters / 1e6 == pytest.approx(millions, abs=0.0005)
    assert network.model.get_layer(FEATURES).output.shape[1:] == (2, 2, 1280)
    # The last layers before the steps from 28 to 14 and from 14 to 7 rows of 224.
    sides = [network.model.get_layer(layer).output.shape[1] for layer in cut_layers]
    assert sides == [8, 4]
    kinds = {type(layer).__name__ for layer in network.model.layers}
    assert not kinds & {"Multiply", "Activation"}  # no squeeze-and-excitation, no swish


@pytest.mark.slow
def test_lite0_from_a_checkpoint_gives_the_features_of_the_original(
    models: Path, accepted: Callable[..., None], shared: Path
) -> None:
    stored = shared / "keras" / "models" / "efficientnet_lite0_imagenet_no_top.weights.h5"
    spec = InputSpec(height=224, width=224)
    original = build_network(plan(weights=str(stored)), spec, 2, seed=0).lower([FEATURES])
    archive = write_release(models, "efficientnet-lite0", official(original, "efficientnet-lite0"))
    accepted(archive, 0)
    loaded = build_network(plan(), spec, 2, seed=1).lower([FEATURES])
    levels = np.random.default_rng(0).uniform(0, 255, (2, *spec.shape)).astype(np.float32)
    pooled = [np.asarray(model(levels)).mean(axis=(1, 2)) for model in (original, loaded)]
    assert pooled[0].std() > 0.1
    np.testing.assert_allclose(pooled[1], pooled[0], atol=5e-6)


@pytest.mark.slow
def test_lite2_takes_every_tensor_of_the_original(
    models: Path, accepted: Callable[..., None], shared: Path
) -> None:
    """The shapes agree in all 21 blocks: widths and depths are those of the release."""
    weights = of_pytorch(shared / "keras" / "models" / "efficientnet_lite2_imagenet_no_top.npz")
    accepted(write_release(models, "efficientnet-lite2", weights), 2)
    model = build_network(plan(name="efficientnet_lite2"), SPEC, 2, seed=0).lower([FEATURES])
    found = official(model, "efficientnet-lite2")
    assert found.keys() == weights.keys()
    for name, value in weights.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def of_pytorch(file: Path) -> Variables:
    """Tensors of the PyTorch copy by their names in the release."""
    variables = {
        "weight": "gamma", "bias": "beta", "running_mean": "moving_mean",
        "running_var": "moving_variance",
    }  # fmt: skip
    layers = {
        "_expand_conv": "expand_conv", "_bn0": "expand_bn", "_depthwise_conv": "dwconv",
        "_bn1": "bn", "_project_conv": "project_conv", "_bn2": "project_bn",
        "_conv_stem": "stem_conv", "_conv_head": "top_conv",
    }  # fmt: skip
    named: Variables = {}
    with np.load(file) as stored:
        for key in stored.files:
            value = stored[key].astype(np.float32)
            *block, layer, kind = key.split(".")
            if block:
                number = int(block[1])
                names = _OTHER_BLOCKS if number else _FIRST_BLOCK
                place = f"blocks_{number}/{names[layers[layer]]}"
            else:
                outside = {"_bn0": "stem_bn", "_bn1": "top_bn"}
                place = _OUTSIDE[outside.get(layer) or layers[layer]]
            # PyTorch's convolutions have the axes out, in, height, width.
            if "depthwise" in place:
                value, kind = value.transpose(2, 3, 0, 1), "depthwise_kernel"
            elif value.ndim == 4:
                value, kind = value.transpose(2, 3, 1, 0), "kernel"
            named[f"efficientnet-lite2/{place}/{variables.get(kind, kind)}"] = value
    return named
