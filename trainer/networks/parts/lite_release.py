"""The official ImageNet weights of EfficientNet-Lite: archives with a TensorFlow checkpoint.

Source: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
(Apache-2.0). The release states neither sizes nor checksums: an archive must have the MD5 that
others received, and be the same file at each use. Its weights are then kept as a Keras file.
"""

from __future__ import annotations

import hashlib
import tarfile
import tempfile
from collections import Counter
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import keras

from edge.core.files import storage_errors
from trainer.errors import WeightsMissingError
from trainer.networks.parts.first_use import check_first_use
from trainer.networks.parts.weights import LayerWeights, fetch, keras_models

_ADDRESS = "https://storage.googleapis.com/cloud-tpu-checkpoints/efficientnet/lite/"
_MD5 = {
    0: "703c66bc3d3463bd15c00c5e2ec535eb",
    1: "6914aa625b58a2cb786f92597af8d63a",
    2: "da60c250593ee1c5eff9d3efb3c5eb92",
}
"""MD5 of each archive as others received it: the tutorials of Microchip's VectorBlox SDK 3.1.1
check all three. That finds damage, not intent: no SHA-256 of them is published."""

_CHECKPOINT = "model.ckpt"

_KINDS = {
    keras.layers.Conv2D: ("conv2d", ("kernel",)),
    keras.layers.DepthwiseConv2D: ("depthwise_conv2d", ("depthwise_kernel",)),
    keras.layers.BatchNormalization: (
        "tpu_batch_normalization",
        ("gamma", "beta", "moving_mean", "moving_variance"),
    ),
}
"""Kind of layer -> its name in the checkpoint, and its variables in the order of Keras."""


def kept_weights(number: int) -> Path:
    """The place in Keras's home of the weights of EfficientNet-Lite `number` as a Keras file."""
    return keras_models() / f"efficientnet_lite{number}_imagenet_no_top.weights.h5"


def released_weights(own: Any, number: int) -> LayerWeights:
    """The released weights of each layer of `own`, from the archive in Keras's home or fetched.

    They are also kept as a Keras file, so that the archive is unpacked once.

    Args:
        own: EfficientNet-Lite `number` without its classes.

    Raises:
        WeightsMissingError: the archive cannot be fetched, or is not the released one.
    """
    name = f"efficientnet-lite{number}"
    archive = keras_models() / f"{name}.tar.gz"
    if not archive.exists():
        fetched = partial(
            keras.utils.get_file,
            archive.name,
            _ADDRESS + archive.name,
            file_hash=_MD5[number],
            hash_algorithm="md5",
            cache_dir=archive.parents[1],
            cache_subdir=archive.parent.name,
        )
        archive = Path(fetch(fetched, f"EfficientNet-Lite{number}", archive.name))
    with archive.open("rb") as file:
        md5 = hashlib.file_digest(file, "md5").hexdigest()
    if md5 != _MD5[number]:
        raise WeightsMissingError(
            f"{archive}: not the released archive: its MD5 must be {_MD5[number]}. Received: "
            f"{md5}. Delete it and run the same command again, which fetches it"
        )
    check_first_use(archive)
    try:
        with tempfile.TemporaryDirectory() as folder:
            found = _read(_unpacked(archive, Path(folder)), own, name)
    except (tarfile.TarError, ValueError) as error:
        raise WeightsMissingError(
            f"{archive}: does not hold the weights of EfficientNet-Lite{number}: {error}"
        ) from error
    _keep(found, own, kept_weights(number))
    return found


def _keep(weights: LayerWeights, own: Any, file: Path) -> None:
    """Writes a Keras file of the weights; in a folder that cannot be written to, none."""
    for layer, values in weights.items():
        own.get_layer(layer).set_weights(values)
    with suppress(OSError), tempfile.TemporaryDirectory(dir=file.parent) as folder:
        made = Path(folder) / file.name
        own.save_weights(made)
        made.replace(file)  # another training may be reading the one that is there
        check_first_use(file)


def released_names(own: Any) -> dict[str, list[str]]:
    """Layer -> the names of its variables in the checkpoint, below the network's own name.

    The checkpoint has a scope for the stem, for each block, and for the head. Within a scope,
    layers of one kind are numbered in the order of computation, the first without a number.
    """
    names: dict[str, list[str]] = {}
    blocks: dict[str, str] = {}
    made: Counter[str] = Counter()
    for layer in own.layers:
        if not layer.weights:
            continue
        part = layer.name.partition("_")[0]
        scope = {"stem": "stem", "top": "head"}.get(part)
        scope = scope or blocks.setdefault(part, f"blocks_{len(blocks)}")
        kind, variables = _KINDS[type(layer)]
        before = made[f"{scope}/{kind}"]
        made[f"{scope}/{kind}"] += 1
        place = f"{scope}/{kind}_{before}" if before else f"{scope}/{kind}"
        names[layer.name] = [f"{place}/{variable}" for variable in variables]
    return names


def _read(checkpoint: Path, own: Any, name: str) -> LayerWeights:
    import tensorflow as tf

    try:
        reader = tf.train.load_checkpoint(str(checkpoint))
        shapes = reader.get_variable_to_shape_map()

        def tensor(variable: str, shape: tuple[int, ...]) -> Any:
            # The published accuracy is that of the moving averages of the weights.
            averaged = f"{name}/{variable}/ExponentialMovingAverage"
            key = averaged if averaged in shapes else f"{name}/{variable}"
            if tuple(shapes.get(key, ())) != shape:
                raise ValueError(f"{key} of shape {shape} is not in it")
            return reader.get_tensor(key)

        return {
            layer: [
                tensor(variable, tuple(own_weight.shape))
                for variable, own_weight in zip(
                    variables, own.get_layer(layer).weights, strict=True
                )
            ]
            for layer, variables in released_names(own).items()
        }
    except tf.errors.OpError as error:
        raise ValueError(f"its checkpoint cannot be read: {error.message}") from error


def _unpacked(archive: Path, folder: Path) -> Path:
    """The checkpoint of `archive`, unpacked into `folder`: the common start of its files' paths."""
    with tarfile.open(archive) as content:
        for member in content:
            name = Path(member.name).name
            packed = content.extractfile(member)
            if packed and name.startswith((f"{_CHECKPOINT}.index", f"{_CHECKPOINT}.data")):
                with packed, storage_errors("write", folder / name):
                    (folder / name).write_bytes(packed.read())
    return folder / _CHECKPOINT
