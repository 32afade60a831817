"""Writes the run's model as a SavedModel, and scores pictures with that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from converter.calibration import Tensors
from converter.parity.predictions import outputs_by_name, write_outputs
from converter.tensorflow.tasks import Stage

PICTURES = "pictures"
"""The name of the signature's input, uint8 (any number, height, width, channels)."""


def write_saved_model(model: Any, tensors: Tensors, out: Path, stage: Stage) -> None:
    """Writes a SavedModel whose `serving_default` takes uint8 levels and gives float32 scores.

    Its outputs are `scores`, (pictures, classes), and, if the run has a novelty score, `unknown`,
    (pictures, 1).
    """
    import tensorflow as tf

    stage("writing the SavedModel")

    class Served(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        @tf.function(  # type: ignore[untyped-decorator]
            input_signature=[tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8, name=PICTURES)]
        )
        def serve(self, pictures: Any) -> dict[str, Any]:
            return outputs_by_name(self.model(tf.cast(pictures, tf.float32), training=False))

    served = Served()
    tf.saved_model.save(served, str(out), signatures={"serving_default": served.serve})


def score_saved_model(folder: Path, tensors: Tensors, out: Path, stage: Stage) -> None:
    """Scores `tensors` with the SavedModel in `folder` and writes the outputs to `out`, by name."""
    import tensorflow as tf

    serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
    write_outputs(out, tensors, lambda some: serve(**{PICTURES: tf.constant(some)}), stage)
