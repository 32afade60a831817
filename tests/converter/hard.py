"""Networks that are hard to quantise on purpose: one fallback helps, and those before it do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

SIZE = 32


def spiky() -> Any:
    """A network in which pure white makes one channel a thousand times as large: clipping helps."""
    return _with_loud_channel(weight=2e4, bias=-2e4 * 2.94, rectified=True)


def loud() -> Any:
    """A network with one channel that is always a thousand times as large: only float helps."""
    return _with_loud_channel(weight=1e3, bias=0.0, rectified=False)


def save(model: Any, path: Path) -> Path:
    """Saves the model in the way of the trainer, and returns its path."""
    model.save(path)
    return path


def _with_loud_channel(*, weight: float, bias: float, rectified: bool) -> Any:
    """The tiny red-green-blue network with additional features of another magnitude.

    The additional features have no influence: their weights in the Dense layer are 0.
    """
    import keras

    picture = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Rescaling(1 / 127.5, -1)(picture)
    quiet = keras.layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)
    other = keras.layers.Conv2D(
        8, 3, strides=2, padding="same", activation="relu" if rectified else None
    )
    joined = keras.layers.Concatenate()([quiet(x), other(x)])
    dense = keras.layers.Dense(3, name="logits")
    logits = dense(keras.layers.GlobalAveragePooling2D(name="pooled")(joined))
    model = keras.Model(picture, keras.layers.Softmax(name="scores")(logits))
    copies = np.zeros((3, 3, 3, 8), np.float32)
    weights = np.zeros((16, 3), np.float32)
    for channel in range(3):
        copies[1, 1, channel, channel] = 1
        weights[channel] = -1.5
        weights[channel, channel] = 3.0
    quiet.set_weights([copies])
    shout = np.zeros((3, 3, 3, 8), np.float32)
    shout[1, 1] = weight
    other.set_weights([shout, np.full(8, bias, np.float32)])
    dense.set_weights([weights, np.zeros(3, np.float32)])
    return model
