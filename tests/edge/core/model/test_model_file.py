"""A `.tflite` file in which something points where it must not is refused before it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.core.errors import BundleFormatError
from edge.core.model.model_file import check_model_file
from tests.bundles import TINY, TINY_UNKNOWN

flatbuffers = pytest.importorskip("flatbuffers")  # comes with LiteRT, not with tflite-runtime
schema: Any = pytest.importorskip("ai_edge_litert.schema_py_generated")

Change = Callable[[Any], object]


def changed(change: Change, file: Path = TINY) -> bytes:
    """A model of which something was changed."""
    model = schema.ModelT.InitFromPackedBuf(file.read_bytes(), 0)
    change(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def graph(model: Any) -> Any:
    return model.subgraphs[0]


def operator(model: Any, kind: int) -> Any:
    """The first operator of a kind."""
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    return next(o for o in graph(model).operators if codes[o.opcodeIndex] == kind)


CONV, FULLY_CONNECTED = 3, 9


def weights(model: Any) -> Any:
    """The tensor of a convolution's weights."""
    return graph(model).tensors[operator(model, CONV).inputs[1]]


@pytest.mark.parametrize("file", sorted(TINY.parent.glob("*.tflite")), ids=lambda file: file.stem)
def test_models_as_pilah_and_others_make_them_pass(file: Path) -> None:
    check_model_file(file.read_bytes(), name=file.name)
    check_model_file(changed(lambda model: None, file), name=file.name)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda m: operator(m, CONV).inputs.__setitem__(0, -1), "a tensor with the number -1"),
        (lambda m: operator(m, CONV).inputs.__setitem__(1, -1), "a tensor with the number -1"),
        (lambda m: operator(m, CONV).inputs.__setitem__(1, 9999), "a tensor with the number 9999"),
        (lambda m: operator(m, CONV).outputs.__setitem__(0, -1), "a tensor with the number -1"),
        (lambda m: setattr(operator(m, CONV), "inputs", []), "CONV_2D has 0 inputs"),
        (lambda m: setattr(operator(m, CONV), "opcodeIndex", 99), "an operator with the number 99"),
        (lambda m: setattr(operator(m, CONV), "builtinOptions", None), "options of another"),
        (lambda m: setattr(operator(m, CONV), "builtinOptionsType", 5), "options of another"),
        (lambda m: setattr(operator(m, CONV).builtinOptions, "strideW", 0), "out of range"),
        (lambda m: setattr(operator(m, CONV).builtinOptions, "strideH", -1), "out of range"),
        (lambda m: setattr(operator(m, CONV).builtinOptions, "dilationWFactor", 0), "out of range"),
        (lambda m: setattr(operator(m, CONV).builtinOptions, "padding", 7), "out of range"),
        (lambda m: graph(m).operators.reverse(), "reads a tensor that was not computed before"),
        (lambda m: graph(m).operators.pop(), "computed by no operator"),
        (lambda m: graph(m).operators.append(graph(m).operators[0]), "computed twice"),
        (lambda m: setattr(graph(m), "inputs", [-1]), "a tensor with the number -1"),
        (lambda m: setattr(graph(m), "outputs", [12345]), "a tensor with the number 12345"),
        (lambda m: setattr(weights(m), "buffer", 12345), "a buffer with the number 12345"),
        (lambda m: setattr(weights(m), "shape", [8, 3, 3, 4]), "has the shape .* bytes"),
        (lambda m: setattr(weights(m), "shape", [-8, 3, -3, 3]), "has the shape"),
        (lambda m: setattr(weights(m), "shape", [2**30] * 4), "has the shape"),
        (lambda m: setattr(weights(m), "shape", [1] * 9), "has the shape"),
        (lambda m: setattr(weights(m), "type", 5), "numbers of a kind"),
        (lambda m: setattr(weights(m), "type", 0), "bytes"),
        (lambda m: setattr(weights(m), "isVariable", True), "is a variable"),
        (lambda m: setattr(weights(m).quantization, "scale", [0.5] * 5), "5 scales"),
        (lambda m: setattr(weights(m).quantization, "zeroPoint", [0] * 5), "5 zero points"),
        (lambda m: weights(m).quantization.zeroPoint.__setitem__(0, 10**12), "zero point"),
        (lambda m: weights(m).quantization.scale.__setitem__(0, float("nan")), "positive number"),
        (lambda m: setattr(weights(m).quantization, "quantizedDimension", 7), "scales"),
        (lambda m: setattr(m.operatorCodes[0], "customCode", b"Evil"), "the operator Evil"),
        (lambda m: setattr(m.operatorCodes[0], "builtinCode", 119), "the operator 119"),
        (lambda m: setattr(m.operatorCodes[0], "version", -1), "impossible version"),
        (lambda m: m.subgraphs.append(m.subgraphs[0]), "2 graphs"),
        (lambda m: m.subgraphs.clear(), "0 graphs"),
        (lambda m: setattr(m, "version", 4), "version 4"),
        (lambda m: setattr(m.buffers[0], "offset", 2**40), "outside of its tables"),
    ],
)  # fmt: skip
def test_what_points_where_it_must_not_is_refused(change: Change, says: str) -> None:
    def lists(model: Any) -> None:
        for tensor in graph(model).tensors:  # NumPy arrays as they come
            if tensor.quantization is not None:
                for name in ("scale", "zeroPoint"):
                    value = getattr(tensor.quantization, name)
                    setattr(tensor.quantization, name, None if value is None else list(value))
        for found in graph(model).operators:
            found.inputs, found.outputs = list(found.inputs), list(found.outputs)
        change(model)

    with pytest.raises(BundleFormatError, match=says) as caught:
        check_model_file(changed(lists), name="model.tflite")
    assert str(caught.value).startswith("model.tflite: not a TFLite model that is safe to load: ")


@pytest.mark.parametrize("content", [b"", b"TFL3", b"\0" * 64, b"\xff" * 64, b"\x1c\0\0\0TFL3"])
def test_what_is_no_model_is_refused(content: bytes) -> None:
    with pytest.raises(BundleFormatError, match="not a TFLite model"):
        check_model_file(content, name="model.tflite")


@pytest.mark.parametrize("file", [TINY, TINY_UNKNOWN], ids=lambda file: file.stem)
def test_a_cut_model_is_refused_wherever_it_is_cut(file: Path) -> None:
    content = file.read_bytes()
    for length in range(0, len(content) - 64, 13):
        with pytest.raises(BundleFormatError):
            check_model_file(content[:length], name="model.tflite")


def test_any_four_bytes_of_ones_are_refused_or_of_no_harm() -> None:
    """Offsets, sizes and indices: nothing else than the error that is meant comes of it."""
    content = TINY.read_bytes()
    refused = 0
    for at in range(0, len(content) - 4, 4):
        try:
            check_model_file(
                content[:at] + b"\xff\xff\xff\x7f" + content[at + 4 :], name="model.tflite"
            )
        except BundleFormatError:
            refused += 1
    assert refused > 300
