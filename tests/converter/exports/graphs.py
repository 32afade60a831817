"""SavedModels as the converter makes them, for tests of the TF.js export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from edge.core.images.preprocess import Tensor
from edge.core.model.interpreter import SCORES, UNKNOWN


def save_model(model: Any, folder: Path) -> Path:
    """Writes a SavedModel of a Keras model, which takes uint8 pictures and has named outputs."""
    import tensorflow as tf

    class Served(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        @tf.function(  # type: ignore[untyped-decorator]
            input_signature=[tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8)]
        )
        def serve(self, pictures: Any) -> dict[str, Any]:
            outputs = self.model(tf.cast(pictures, tf.float32), training=False)
            rows = outputs if isinstance(outputs, (list, tuple)) else [outputs]
            return dict(zip((SCORES, UNKNOWN), rows, strict=False))

    served = Served()
    tf.saved_model.save(served, str(folder), signatures={"serving_default": served.serve})
    return folder


def levels(count: int, shape: tuple[int, int, int]) -> Tensor:
    """Random pictures with a coarse structure, uint8 (count, *shape)."""
    coarse = np.random.default_rng(1).integers(0, 256, (count, 4, 4, shape[2]), dtype=np.uint8)
    whole = np.kron(coarse, np.ones((1, -(-shape[0] // 4), -(-shape[1] // 4), 1), np.uint8))
    return whole[:, : shape[0], : shape[1]]
