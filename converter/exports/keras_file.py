"""Writes the run's model as a Keras file for prediction, and scores pictures with Keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from converter.calibration import Tensors
from converter.errors import ConversionError
from converter.parity.predictions import outputs_by_name, write_outputs
from converter.tensorflow.tasks import Stage


def write_keras(model: Any, tensors: Tensors, out: Path, stage: Stage) -> None:
    """Writes the model to `out`, whose name must end in `.keras`, without its optimiser.

    The model takes float32 levels 0..255 and gives scores.

    Raises:
        ConversionError: the model has augmentation layers, which would be exported with it.
    """
    stage("writing the Keras file")
    changed = [
        layer.name for layer in model.layers if "Augment" in type(layer).__name__
        or type(layer).__name__.startswith("Random")
    ]  # fmt: skip
    if changed:
        raise ConversionError(
            f"model.keras has augmentation layers ({', '.join(changed)}), which would change "
            "pictures at random on some runtimes: remove them from the model and train again"
        )
    model.save(out)


def score_keras(model: Any, tensors: Tensors, out: Path, stage: Stage) -> None:
    """Scores `tensors` with Keras and writes the outputs to the NumPy file `out`, by name.

    Args:
        model: the run's Keras model, or the path of a `.keras` file.
    """
    import keras
    import tensorflow as tf

    if isinstance(model, Path):
        model = keras.saving.load_model(model, compile=False)
    forward = tf.function(lambda pictures: model(pictures, training=False), reduce_retracing=True)
    write_outputs(
        out, tensors, lambda some: outputs_by_name(forward(some.astype(np.float32))), stage
    )
