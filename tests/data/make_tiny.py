"""Makes `tiny.tflite`, the model of the tests' bundle: says which of red, green, blue prevails.

Weights set by hand, no training: one 3x3 convolution of 8 filters that copy, the mean over the
picture, and a Dense layer that takes the other two colours from each. Converted as pilah converts:
uint8 in (scale 1, zero point 0), int8 to the logits, float32 softmax out. Needs TensorFlow:

    python tests/data/make_tiny.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tensorflow.lite.python.util import modify_model_io_type
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)

SIZE = 32
CONTRAST = 6.0
"""A pure colour's logit; the other two get minus half of it, so softmax gives 0.9998."""


def tiny_model() -> keras.Model:
    """A Keras model from raw levels 0..255 (batch, 32, 32, 3) to 3 class probabilities."""
    picture = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Rescaling(1 / 127.5, -1)(picture)
    convolution = keras.layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)
    x = convolution(x)
    dense = keras.layers.Dense(3, name="logits")
    logits = dense(keras.layers.GlobalAveragePooling2D()(x))
    model = keras.Model(picture, keras.layers.Softmax(name="scores")(logits))
    copy = np.zeros((3, 3, 3, 8), np.float32)
    weights = np.zeros((8, 3), np.float32)
    for channel in range(3):
        copy[1, 1, channel, channel] = 1
        weights[channel] = -CONTRAST / 4
        weights[channel, channel] = CONTRAST / 2
    convolution.set_weights([copy])
    dense.set_weights([weights, np.zeros(3, np.float32)])
    return model


def convert(model: keras.Model) -> bytes:
    """`model` as uint8 in, int8 inside, float32 softmax out."""
    signature = [tf.TensorSpec((1, SIZE, SIZE, 3), tf.float32)]
    graph = tf.function(lambda x: model(x, training=False), input_signature=signature)
    frozen = convert_variables_to_constants_v2(graph.get_concrete_function())

    def pictures() -> Iterator[list[np.ndarray]]:
        random = np.random.default_rng(0)
        for colour in ((0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255)):
            yield [np.full((1, SIZE, SIZE, 3), colour, np.float32)]
        for _ in range(8):
            yield [random.integers(0, 256, (1, SIZE, SIZE, 3)).astype(np.float32)]

    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = pictures
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter,
        debug_dataset=pictures,
        debug_options=tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=["SOFTMAX"]),
    )
    quantised = debugger.get_nondebug_quantized_model()
    return bytes(modify_model_io_type(quantised, tf.uint8, tf.float32))


if __name__ == "__main__":
    Path(__file__).with_name("tiny.tflite").write_bytes(convert(tiny_model()))
