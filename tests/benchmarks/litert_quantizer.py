"""How pilah's int8 model of a run compares with the one that litert-quantizer makes of it.

    python -m tests.benchmarks.litert_quantizer RUN [--data PATH] [--json]

litert-quantizer is the successor of ai-edge-quantizer, which takes the place of the quantisation in
`tf.lite`. Both begin with the same float32 TFLite model and calibrate on the same pictures. The
plain way of each is compared: none of pilah's fallbacks, and litert-quantizer's recipe
`static_wi8_ai8`, whose softmax is left in float, because an int8 softmax has steps of 1/256. What
int8 loses is counted picture by picture, as the converter's gate counts it.

litert-quantizer is no dependency of pilah: `pip install --target FOLDER --no-deps litert-quantizer
immutabledict ml_dtypes`, and FOLDER in PYTHONPATH.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from converter.calibration import (
    CALIBRATION_PICTURES,
    Tensors,
    calibration_tensors,
    choose_calibration,
)
from converter.errors import ConversionError
from converter.exports.tflite import convert_model
from converter.parity.gate import Parity, compare, score_both
from converter.quantization.quantise import frozen_graph
from converter.tensorflow.process import shared_tensorflow
from converter.tflite.inspection import read_structure
from trainer.run import read_run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path, help="where the run's pictures are now")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    try:
        import litert_quantizer  # noqa: F401
    except ImportError:
        print("litert-quantizer is not installed; see the head of this file", file=sys.stderr)
        return 2
    run = read_run(arguments.run)
    facts = run.facts
    pictures = run.pictures(arguments.data)
    chosen = choose_calibration(pictures, CALIBRATION_PICTURES, seed=facts.seed)
    tensors = calibration_tensors(chosen, facts.input)
    with shared_tensorflow():
        float32 = convert_model(run, "float32", tensors)
        ours = convert_model(run, "int8", tensors)
    theirs = quantised(with_signature(run.load_model(), facts.input.shape), tensors)
    used = {picture.path for picture in chosen}
    rest = [picture for picture in pictures if picture.path not in used]
    rows = {}
    for name, model in (("pilah", ours), ("litert-quantizer", theirs)):
        both = score_both(rest, facts.input, float32=float32, int8=model)
        rows[name] = _row(compare(*both, rest, facts), model)
    if arguments.json:
        print(json.dumps(rows))
        return 0
    for name, row in rows.items():
        print(name)
        for key, value in row.items():
            print(f"  {key:<28} {value}")
    return 0


def with_signature(model: Any, shape: Sequence[int]) -> bytes:
    """The float model, `.tflite`, with a signature: litert-quantizer calibrates by its name.

    Args:
        model: the run's Keras model.
        shape: height, width and channels of a picture.
    """
    import tensorflow as tf

    graph = frozen_graph(model, tf.uint8)

    @tf.function(input_signature=[tf.TensorSpec([1, *shape], tf.uint8, "picture")])
    def serve(picture: Any) -> Any:
        outputs = graph(picture)
        return {"scores": outputs[0] if isinstance(outputs, list | tuple) else outputs}

    module = tf.Module()
    module.serve = serve
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=serve.get_concrete_function())
        return bytes(tf.lite.TFLiteConverter.from_saved_model(folder).convert())


def quantised(float32: bytes, tensors: Tensors) -> bytes:
    """The int8 model that litert-quantizer makes, `.tflite`.

    Args:
        float32: the float model, `.tflite`, that takes uint8 (1, height, width, channels).
        tensors: the pictures that it is calibrated on, uint8 (pictures, height, width, channels).
    """
    from litert_quantizer import quantizer, recipe  # type: ignore[import-not-found]
    from litert_quantizer.algorithm_manager import (  # type: ignore[import-not-found]
        AlgorithmName,
    )
    from litert_quantizer.qtyping import TFLOperationName  # type: ignore[import-not-found]

    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder) / "float32.tflite", Path(folder) / "int8.tflite"
        source.write_bytes(float32)
        work = quantizer.Quantizer(str(source))
        work.load_quantization_recipe(recipe.static_wi8_ai8())
        for operation in (TFLOperationName.SOFTMAX, TFLOperationName.OUTPUT):
            work.update_quantization_recipe(
                regex=".*", operation_name=operation, algorithm_key=AlgorithmName.NO_QUANTIZE
            )
        samples = [{"picture": tensor[np.newaxis]} for tensor in tensors]
        ranges = work.calibrate({"serving_default": samples})
        work.quantize(ranges).export_model(str(made))
        return made.read_bytes()


def _row(parity: Parity, model: bytes) -> dict[str, Any]:
    row = {
        "accuracy of float": str(parity.float32.accuracy),
        "accuracy of int8": str(parity.int8.accuracy),
        "drop, points": str(parity.drop),
        "same label": str(parity.agreement),
        "score moves by": str(parity.confidence_change),
        "divergence, nats": round(parity.divergence, 5),
        "bytes": len(model),
    }
    try:
        found = read_structure(model, name="int8")
    except ConversionError as error:  # such as weights that lie outside of the file's tables
        return row | {"operators": str(error)}
    return row | {
        "operators": sum(found.operators.values()),
        "of them with a float": dict(found.not_int8),
        "weights per channel": f"{found.per_channel} of {found.weighted}",
    }


if __name__ == "__main__":
    sys.exit(main())
