"""The run's model as a Keras file that predicts and does nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from converter.apart import Stage
from converter.calibration import Tensors
from converter.errors import ConversionError
from edge.model.interpreter import SCORES, UNKNOWN

_AT_ONCE = 32


def write_keras(model: Any, tensors: Tensors, out: Path, stage: Stage) -> None:
    """A `.keras` file: levels 0..255 in, scores out, no augmentation, no optimiser.

    Raises:
        ConversionError: the model has augmentation layers: they would be exported with it.
    """
    stage("writing the Keras file")
    changed = [
        layer.name for layer in model.layers if "Augment" in type(layer).__name__
        or type(layer).__name__.startswith("Random")
    ]  # fmt: skip
    if changed:
        raise ConversionError(
            f"model.keras has augmentation layers ({', '.join(changed)}), which would change "
            "pictures at random on some runtimes: take them out of the model and train again"
        )
    whole = out.with_name("model.keras")
    model.save(whole)
    whole.replace(out)


def score_keras(model: Any, tensors: Tensors, out: Path, stage: Stage) -> None:
    """What a Keras model says to `tensors`, as `out.npz`'s arrays by their names.

    Args:
        model: the run's, or the path of a `.keras` file.
    """
    import keras
    import tensorflow as tf

    if isinstance(model, Path):
        model = keras.saving.load_model(model, compile=False)
    forward = tf.function(lambda pictures: model(pictures, training=False), reduce_retracing=True)
    rows: tuple[list[Any], ...] = ([], [])
    for start in range(0, len(tensors), _AT_ONCE):
        stage(f"picture {start} of {len(tensors)}")
        outputs = forward(np.asarray(tensors[start : start + _AT_ONCE]).astype(np.float32))
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        for row, values in zip(rows, outputs, strict=False):
            row.append(values.numpy())
    named = {
        name: np.concatenate(row) for name, row in zip((SCORES, UNKNOWN), rows, strict=True) if row
    }
    with out.open("wb") as file:
        np.savez(file, **named)  # type: ignore[arg-type]
