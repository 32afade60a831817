"""What a frozen ImageNet network sees in each picture: the features that the check compares."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.files import storage_errors
from edge.model.preprocess import InputSpec
from edge.progress import Progress
from trainer.data.cache import DecodedPictures, cache_folder
from trainer.recipe import NetworkPlan
from trainer.tensorflow import import_tensorflow

SPEC = InputSpec(height=224, width=224, geometry="squash")
"""How pictures are decoded for the check: all of each, at the size the network was trained at."""
_PLAN = NetworkPlan(name="mobilenet_v2", alpha=1.0, weights="imagenet")
_BATCH = 32

PooledFeatures = npt.NDArray[np.float32]
"""float32 (pictures, 1280)."""


def pooled_features(decoded: DecodedPictures) -> PooledFeatures:
    """The pooled features of every picture, float32 (pictures, 1280), from disk where they were.

    A picture's features are kept by its content and by what computes them, so that a second check,
    or one with a few more pictures, runs only what is new through the network.

    Args:
        decoded: pictures decoded by `SPEC`.

    Raises:
        WeightsMissingError: the ImageNet weights are not on this machine.
        StorageError: the cache cannot be written.
    """
    folder = cache_folder() / "check" / _plan_key()
    with storage_errors("create", folder):
        folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{digest}.npy" for digest in decoded.digests]
    missing = np.array([i for i, file in enumerate(files) if not file.exists()], np.int64)
    if len(missing):
        _compute(decoded.tensors, missing, files)
    features = np.zeros((len(files), 1280), np.float32)
    for row, file in enumerate(files):
        features[row] = np.load(file)
    return features


def _compute(
    tensors: npt.NDArray[np.uint8], missing: npt.NDArray[np.int64], files: list[Path]
) -> None:
    import_tensorflow()
    # Here, because it imports Keras.
    from trainer.features import _compiled
    from trainer.networks import POOLED, build_network

    network = build_network(_PLAN, SPEC, 2, seed=0)
    forward = _compiled(network.lower([POOLED]))
    with Progress("features of pictures", total=len(missing)) as progress:
        for start in range(0, len(missing), _BATCH):
            rows = missing[start : start + _BATCH]
            (values,) = forward(np.asarray(tensors[rows]))
            for row, value in zip(rows, values.numpy(), strict=True):
                with storage_errors("write", files[row]):
                    aside = files[row].with_suffix(".part")
                    with aside.open("wb") as file:
                        np.save(file, value.astype(np.float32))
                    aside.replace(files[row])
            progress.advance(len(rows))


def _plan_key() -> str:
    text = _PLAN.model_dump_json() + SPEC.model_dump_json()
    return hashlib.sha256(text.encode()).hexdigest()[:16]
