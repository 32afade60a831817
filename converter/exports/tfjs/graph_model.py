"""Converts a SavedModel into a TF.js graph model: `model.json` and files of weights.

This uses TensorFlow alone, because the `tensorflowjs` package of TF.js 4.22 cannot be installed
beside a current TensorFlow. The format is that of TF.js: a GraphDef as JSON, whose constants are in
files of raw little-endian values, in the order of the list `weightsManifest`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from converter.calibration import Tensors
from converter.errors import ConversionError
from converter.exports.tfjs.graph_passes import constant_value, count_operators, simplify_graph
from edge import __version__

MODEL = "model.json"
PICTURE = "picture"
"""The name of the input, float32 (pictures, height, width, channels), whole levels 0..255."""

_SHARD = 4 * 1024 * 1024
"""The size of a file of weights in bytes: browsers do not cache very large files."""
_COMPARED = 8
"""The number of pictures on which the rewritten graph is compared with the SavedModel."""
_TOLERANCE = 1e-4
"""The largest allowed difference of a score in that comparison."""

KNOWN_OPERATORS = frozenset({
    "Add", "AddV2", "AvgPool", "BiasAdd", "Concat", "ConcatV2", "Const", "Conv2D",
    "DepthwiseConv2dNative", "Exp", "Identity", "Log", "MatMul", "Max", "MaxPool", "Maximum",
    "Mean", "Min", "Minimum", "Mul", "Pack", "Pad", "PadV2", "Placeholder", "RealDiv", "Relu",
    "Relu6", "Reshape", "Rsqrt", "Shape", "Sigmoid", "Softmax", "Sqrt", "Square", "Squeeze",
    "StridedSlice", "Sub", "Sum", "Tanh", "_FusedConv2D", "_FusedDepthwiseConv2dNative",
})  # fmt: skip
"""Operators of classifiers for which TF.js was found to compute the same as TensorFlow."""
_OTHER_NAMES = {"_FusedDepthwiseConv2dNative": "FusedDepthwiseConv2dNative"}
"""TensorFlow's name of an operator -> its name in TF.js, where they differ."""


def write_graph_model(
    saved_model: Path, tensors: Tensors, out: Path, stage: Callable[[str], None]
) -> None:
    """Writes a folder `out` with `model.json` and its weights; runs in a TensorFlow subprocess.

    The input is named `picture`. The outputs have the names of the outputs of the SavedModel's
    default signature, which must have one input of whole levels 0..255.

    Args:
        saved_model: the folder of the SavedModel.
        tensors: uint8 (pictures, height, width, channels). On the first of them, the graph that is
            written must give the same scores as the SavedModel.
        out: the folder to write.
        stage: called with a description of the current step.

    Raises:
        ConversionError: the model has an operator that TF.js may not have, or the graph gives
            other scores.
    """
    import tensorflow as tf

    stage("reading the SavedModel")
    loaded = tf.saved_model.load(str(saved_model))  # keeps the signature's variables alive
    serve = loaded.signatures["serving_default"]
    given, names = _frozen(serve)
    stage("folding constants")
    graph = _named(simplify_graph(given, source=PICTURE, outputs=list(names)), names)
    if strange := set(count_operators(graph)) - KNOWN_OPERATORS:
        raise ConversionError(
            "the model has operators that were not tested in TF.js: "
            f"{', '.join(sorted(strange))}. Use other layers, or leave out the TF.js export"
        )
    stage("comparing with the SavedModel")
    _compare(serve, graph, sorted(names.values()), tensors[:_COMPARED])
    stage("writing the weights")
    out.mkdir()
    _write(graph, sorted(names.values()), out)


def _frozen(serve: Any) -> tuple[Any, dict[str, str]]:
    """The signature as a frozen GraphDef with a float32 input, and its outputs.

    The outputs are a dict from the names of the output nodes to the names in the signature.
    """
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    ((name, taken),) = serve.structured_input_signature[1].items()

    def answer(picture: Any) -> Any:
        return serve(**{name: tf.cast(picture, taken.dtype)})

    signature = [tf.TensorSpec(taken.shape, tf.float32, name=PICTURE)]
    function = tf.function(answer, input_signature=signature).get_concrete_function()
    frozen = convert_variables_to_constants_v2(function)
    outputs = sorted(function.structured_outputs)  # the order in which a dict is flattened
    nodes = [tensor.op.name for tensor in frozen.outputs]
    return frozen.graph.as_graph_def(), dict(zip(nodes, outputs, strict=True))


def _named(graph: Any, names: dict[str, str]) -> Any:
    """The graph with its output nodes named as the outputs are."""
    taken = {node.name for node in graph.node} & set(names.values())
    renamed = names | {name: f"{name}/inner" for name in taken}
    for node in graph.node:
        node.name = renamed.get(node.name, node.name)
        for at, read in enumerate(node.input):
            node.input[at] = renamed.get(read, read)
    return graph


def _compare(serve: Any, graph: Any, outputs: Sequence[str], tensors: Tensors) -> None:
    import tensorflow as tf

    pictures = np.asarray(tensors)
    ((name, taken),) = serve.structured_input_signature[1].items()
    expected = serve(**{name: tf.constant(pictures, taken.dtype)})

    def run(levels: Any) -> Any:
        return tf.graph_util.import_graph_def(
            graph, input_map={f"{PICTURE}:0": levels}, return_elements=[f"{o}:0" for o in outputs]
        )

    found = tf.function(run)(tf.constant(pictures, tf.float32))
    for output, values in zip(outputs, found, strict=True):
        change = float(np.abs(values.numpy() - expected[output].numpy()).max(initial=0))
        if not change <= _TOLERANCE:
            raise ConversionError(
                f"the output {output} of the graph for TF.js differs by {change:.3g} from the "
                f"SavedModel's (allowed {_TOLERANCE:g}): this version of TensorFlow rewrites the "
                "graph wrongly. Install the versions of deploy/locks"
            )


def _write(graph: Any, outputs: Sequence[str], out: Path) -> None:
    import tensorflow as tf

    constants = {node.name: _value(node) for node in graph.node if node.op == "Const"}
    content = b"".join(value.tobytes() for value in constants.values())
    shards = [content[start : start + _SHARD] for start in range(0, len(content), _SHARD)]
    paths = [f"group1-shard{i + 1}of{len(shards)}.bin" for i in range(len(shards))]
    for path, shard in zip(paths, shards, strict=True):
        (out / path).write_bytes(shard)
    weights = [
        {"name": name, "shape": list(value.shape), "dtype": value.dtype.name}
        for name, value in constants.items()
    ]
    by_name = {node.name: node for node in graph.node}
    model = {
        "format": "graph-model",
        "generatedBy": tf.__version__,
        "convertedBy": f"pilah {__version__}",
        "signature": {
            "inputs": {PICTURE: _signature(by_name[PICTURE], by_name[PICTURE].attr["shape"].shape)},
            "outputs": {name: _signature(by_name[name]) for name in outputs},
        },
        "modelTopology": {"node": [_node(node) for node in graph.node], "versions": {}},
        "weightsManifest": [{"paths": paths, "weights": weights}],
    }
    text = json.dumps(model, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    (out / MODEL).write_text(text, encoding="utf-8")


def _value(node: Any) -> npt.NDArray[Any]:
    value = constant_value(node)
    if value.dtype == np.int64:  # sizes and axes; TF.js has int32 only
        value = value.astype(np.int32)
    if value.dtype not in (np.float32, np.int32, np.bool_):
        raise ConversionError(
            f"the model has a constant of type {value.dtype}, {node.name}, which TF.js does not "
            "support: export without TF.js, or train in float32"
        )
    return np.ascontiguousarray(value.astype(value.dtype.newbyteorder("<")))


def _signature(node: Any, shape: Any = None) -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict

    found = {"name": f"{node.name}:0", "dtype": "DT_FLOAT"}
    return found if shape is None else found | {"tensorShape": MessageToDict(shape)}


def _node(node: Any) -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict

    attributes = {name: value for name, value in node.attr.items() if not name.startswith("_")}
    if node.op == "Const":
        value = _value(node)
        kind = {"float32": "DT_FLOAT", "int32": "DT_INT32", "bool": "DT_BOOL"}[value.dtype.name]
        shape = {"dim": [{"size": str(size)} for size in value.shape]}
        written: dict[str, Any] = {
            "dtype": {"type": kind},
            "value": {"tensor": {"dtype": kind, "tensorShape": shape}},
        }
    else:
        written = {name: MessageToDict(value) for name, value in sorted(attributes.items())}
    return {
        "name": node.name,
        "op": _OTHER_NAMES.get(node.op, node.op),
        "input": list(node.input),
        "attr": written,
    }
