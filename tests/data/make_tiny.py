"""Makes `tiny.tflite`, the model of the tests' bundle: says which of red, green, blue prevails.

Weights set by hand, no training: one 3x3 convolution of 8 filters that copy, the mean over the
picture, and a Dense layer that takes the other two colours from each. Converted as pilah converts:
uint8 in (scale 1, zero point 0), int8 to the logits, float32 softmax out. Beside it, the same with
a novelty score (`tiny_unknown.tflite`), and four models that break the contract in
one way each. Needs TensorFlow:

    python tests/data/make_tiny.py
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tensorflow.lite.python import convert as tflite_convert
from tensorflow.lite.python.util import modify_model_io_type
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from converter.quantization.quantise import float_nodes, with_output_names
from trainer.calibration.novelty import NoveltyScore, with_unknown_output

SIZE = 32
CONTRAST = 6.0
"""A pure colour's logit; the other two get minus half of it, so softmax gives 0.9998."""


def tiny_model(*, normalised: bool = True) -> keras.Model:
    """A Keras model from raw levels 0..255 (batch, 32, 32, 3) to 3 class probabilities.

    Args:
        normalised: False leaves the normalisation to the caller, as others do: -1..1 comes in.
    """
    picture = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Rescaling(1 / 127.5, -1)(picture) if normalised else picture
    convolution = keras.layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)
    x = convolution(x)
    dense = keras.layers.Dense(3, name="logits")
    logits = dense(keras.layers.GlobalAveragePooling2D(name="pooled")(x))
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


def tiny_novelty_score() -> NoveltyScore:
    """0.03 for a pure colour, 0.8 for grey: no large logit, and far from any pure colour."""
    colours = 2 * np.eye(3, dtype=np.float32) - 1
    prototypes = np.zeros((6, 8), np.float32)
    prototypes[:3, :3] = colours / np.sqrt(3)
    prototypes[3:] = prototypes[:3]
    return NoveltyScore(energy=0.9, distance=0.5, offset=-2.0, prototypes=prototypes)


def convert(
    model: keras.Model,
    *,
    takes: tf.DType = tf.uint8,
    gives: tf.DType = tf.float32,
    lowest: float = 0,
    highest: float = 255,
    named: bool = False,
) -> bytes:
    """`model` as int8 inside, float32 behind its last layers with weights.

    Args:
        takes, gives: types of the input and the output.
        lowest, highest: what black and white are to the model.
        named: name its outputs as the converter does.
    """
    signature = [tf.TensorSpec((1, SIZE, SIZE, 3), tf.float32)]
    graph = tf.function(lambda x: model(x, training=False), input_signature=signature)
    frozen = convert_variables_to_constants_v2(graph.get_concrete_function())

    def pictures() -> Iterator[list[np.ndarray]]:
        random = np.random.default_rng(0)
        for colour in ((0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255)):
            yield [levels(np.full((1, SIZE, SIZE, 3), colour))]
        for _ in range(8):
            yield [levels(random.integers(0, 256, (1, SIZE, SIZE, 3)))]

    def levels(picture: np.ndarray) -> np.ndarray:
        return (lowest + picture / 255 * (highest - lowest)).astype(np.float32)

    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = pictures
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter, debug_dataset=pictures
    )
    debugger.options = tf.lite.experimental.QuantizationDebugOptions(
        denylisted_nodes=float_nodes(debugger.calibrated_model)
    )
    # tflite-runtime 2.14 on arm64 crashes on a Dense of fewer than 4 outputs whose weights have a
    # scale each, and the debugger does not pass on that they shall share one.
    per_channel = tflite_convert.mlir_quantize
    tflite_convert.mlir_quantize = partial(per_channel, disable_per_channel_for_dense_layers=True)
    try:
        quantised = debugger.get_nondebug_quantized_model()
    finally:
        tflite_convert.mlir_quantize = per_channel
    model = bytes(modify_model_io_type(quantised, takes, gives))
    return with_output_names(model) if named else model


def convert_whole(model: keras.Model) -> bytes:
    """`model` with an int8 softmax, and so uint8 scores: what is made without the denylist."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [np.full((1, SIZE, SIZE, 3), colour, np.float32)]
        for colour in ((0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255))
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.uint8
    return bytes(converter.convert())


def two_outputs(model: keras.Model) -> keras.Model:
    """`model` giving its logits as well."""
    return keras.Model(model.input, [model.output, model.get_layer("logits").output])


if __name__ == "__main__":
    here = Path(__file__).parent
    (here / "tiny.tflite").write_bytes(convert(tiny_model()))
    (here / "tiny_unknown.tflite").write_bytes(
        convert(with_unknown_output(tiny_model(), tiny_novelty_score()), named=True)
    )
    (here / "tiny_float_input.tflite").write_bytes(convert(tiny_model(), takes=tf.float32))
    (here / "tiny_scaled_input.tflite").write_bytes(
        convert(tiny_model(normalised=False), lowest=-1, highest=1)
    )
    (here / "tiny_uint8_output.tflite").write_bytes(convert_whole(tiny_model()))
    (here / "tiny_two_outputs.tflite").write_bytes(convert(two_outputs(tiny_model())))
