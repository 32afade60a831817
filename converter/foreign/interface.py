"""Reads the inputs and outputs of somebody else's `.tflite` file, or says why it is no classifier.

The file is parsed before any runtime loads it: a runtime reports little about an operator that it
does not know, and an unknown custom operator can crash the process.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from converter.errors import ConversionError
from converter.tflite.inspection import read_structure
from edge.core.model.interpreter import SCORES, UNKNOWN
from edge.core.terminal.wording import in_a_list

_IDENTIFIER = b"TFL3"
_SMALLEST, _LARGEST = 8, 2048
"""The smallest and largest height and width in pixels, as in `InputSpec`."""
_OTHER_FILES = (
    (b"PK\x03\x04", "a zip archive: unpack it, and give the .tflite file in it"),
    (b"\x89HDF", "a Keras file (.h5): convert it to .tflite first, with tf.lite.TFLiteConverter"),
    (b"version https://git-lfs", "a pointer of Git LFS: fetch the file itself with `git lfs pull`"),
    (b"<", "a web page: the download went wrong"),
)
"""The first bytes of other files that are given by mistake, and what to do about each."""
_DETECTION = "TFLite_Detection_PostProcess"


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """An input or an output of a model."""

    name: str
    shape: tuple[int, ...]
    """The sizes of the axes, -1 for an axis of variable size."""
    dtype: str
    """The name of the TFLite tensor type: FLOAT32, UINT8, INT8 or another."""
    scale: float
    """The quantisation scale; 0 if the tensor is not quantised."""
    zero_point: int
    """The quantisation zero point."""

    def __str__(self) -> str:
        shape = "x".join("?" if size < 0 else str(size) for size in self.shape)
        return f"{self.dtype.lower()} {shape}"


@dataclass(frozen=True, slots=True)
class ModelInterface:
    """The input and output of a classifier."""

    input: TensorInfo
    output: TensorInfo
    """The output that has the scores of the classes."""
    output_index: int
    """The index of that output among all outputs."""
    height: int
    width: int
    channels: int
    channels_first: bool
    """True for (1, channels, height, width), the layout of PyTorch."""
    classes: int
    has_unknown: bool
    """True if the model is one of pilah's own with a second output, the novelty score."""


def read_interface(content: bytes, path: Path) -> ModelInterface:
    """The interface of the classifier in a `.tflite` file.

    Args:
        content: the file's bytes.
        path: the file's path, for messages.

    Raises:
        ConversionError: it is no TFLite file, cannot be run, or is no image classifier.
    """
    model = _read_schema(content, path)
    _check_operators(model, path)
    read_structure(content, name=str(path))  # the runtime can load it
    if len(model.subgraphs) != 1:
        raise ConversionError(
            f"{path}: the model has {len(model.subgraphs)} graphs (it has loops or conditions); "
            "pilah needs a model with one graph: export the model again without them"
        )
    (graph,) = model.subgraphs
    taken = [_tensor(graph.tensors[index]) for index in graph.inputs]
    given = [_tensor(graph.tensors[index]) for index in graph.outputs]
    height, width, channels, channels_first = _picture(taken, path)
    output = _scores(given, path)
    return ModelInterface(
        input=taken[0],
        output=given[output],
        output_index=output,
        height=height,
        width=width,
        channels=channels,
        channels_first=channels_first,
        classes=given[output].shape[-1],
        has_unknown=len(given) > 1,
    )


def _read_schema(content: bytes, path: Path) -> Any:
    from ai_edge_litert import schema_py_generated as schema

    if content[4:8] != _IDENTIFIER:
        looks = next((said for start, said in _OTHER_FILES if content.startswith(start)), "")
        raise ConversionError(
            f"{path}: not a TFLite model{f', it is {looks}' if looks else ''}. Give a .tflite file"
        )
    try:
        model = schema.ModelT.InitFromPackedBuf(content, 0)
    except (struct.error, IndexError, TypeError, ValueError, AttributeError, MemoryError) as error:
        raise ConversionError(
            f"{path}: this TFLite model is cut short or damaged: copy or download it again"
        ) from error
    if not model.subgraphs or not model.operatorCodes:
        raise ConversionError(
            f"{path}: this TFLite model has no graph, so it cannot be run: export it again"
        )
    return model


def _check_operators(model: Any, path: Path) -> None:
    custom = [(code.customCode or b"").decode("utf-8", "replace") for code in model.operatorCodes]
    strange = sorted({name for name in custom if name})
    if any("edgetpu" in name for name in strange):
        plain = path.name.replace("_edgetpu", "")
        named = f", {plain}" if plain != path.name else ""
        raise ConversionError(
            f"{path}: the model was compiled for Google's Edge TPU and runs only there: give the "
            f"file that it was compiled from, without _edgetpu in its name{named}"
        )
    if _DETECTION in strange:
        raise ConversionError(
            f"{path}: the model is an object detector (it has the operator {_DETECTION}); pilah "
            "takes classifiers, which give one score for each class"
        )
    if flex := [name.removeprefix("Flex") for name in strange if name.startswith("Flex")]:
        raise ConversionError(
            f"{path}: the model needs operators of full TensorFlow ({in_a_list(flex)}), which no "
            "station has: convert the model again with TFLITE_BUILTINS only, without SELECT_TF_OPS"
        )
    if strange:
        raise ConversionError(
            f"{path}: the model needs custom operators ({in_a_list(strange)}), which no station "
            "has: convert the model again without them"
        )


def _tensor(tensor: Any) -> TensorInfo:
    from ai_edge_litert import schema_py_generated as schema

    kinds = {value: name for name, value in vars(schema.TensorType).items() if name.isupper()}
    shape = [] if tensor.shape is None else [int(size) for size in tensor.shape]
    signature = [] if tensor.shapeSignature is None else [int(s) for s in tensor.shapeSignature]
    if len(signature) == len(shape):
        shape = [-1 if wanted < 0 else size for size, wanted in zip(shape, signature, strict=True)]
    scales = [] if tensor.quantization is None else tensor.quantization.scale
    points = [] if tensor.quantization is None else tensor.quantization.zeroPoint
    quantised = scales is not None and len(scales) == 1
    return TensorInfo(
        (tensor.name or b"").decode("utf-8", "replace"),
        tuple(shape),
        kinds.get(tensor.type, "?"),
        float(scales[0]) if quantised else 0.0,
        int(points[0]) if quantised and points is not None and len(points) == 1 else 0,
    )


def _picture(taken: Sequence[TensorInfo], path: Path) -> tuple[int, int, int, bool]:
    """The height, width and channels of a model's input, and whether the channels come first."""
    received = ", ".join(map(str, taken)) or "nothing"
    shape = taken[0].shape if len(taken) == 1 else ()
    if len(shape) == 3 and shape[0] in (1, -1):  # (1, height, width), grey
        shape = (*shape, 1)
    first = len(shape) == 4 and shape[3] not in (1, 3) and shape[1] in (1, 3)
    if len(shape) != 4 or (not first and shape[3] not in (1, 3)):
        raise ConversionError(
            f"{path}: a classifier has one input, a picture of shape (1, height, width, 1 or 3), "
            f"or the same with the channels first. This model takes {received}"
        )
    height, width, channels = (*shape[2:], shape[1]) if first else shape[1:]
    if shape[0] not in (1, -1):
        raise ConversionError(
            f"{path}: the model takes {shape[0]} pictures at a time ({received}), but a station "
            "has one: export the model again with a batch size of 1"
        )
    if height < 0 or width < 0:
        raise ConversionError(
            f"{path}: the model takes pictures of any size ({received}), but a bundle needs one "
            "size: export the model again with the size that it was trained at, such as 224 x 224"
        )
    if not (_SMALLEST <= height <= _LARGEST and _SMALLEST <= width <= _LARGEST):
        raise ConversionError(
            f"{path}: the model takes pictures of {width} x {height} pixels; a bundle can have "
            f"{_SMALLEST} to {_LARGEST} pixels per side: export the model again with such a size"
        )
    if taken[0].dtype not in ("FLOAT32", "UINT8", "INT8") or (
        taken[0].dtype == "INT8" and not taken[0].scale
    ):
        raise ConversionError(
            f"{path}: the model takes {received}; pilah supports float32, uint8 and quantised int8 "
            "inputs: export the model again with one of these"
        )
    return height, width, channels, first


def _scores(given: Sequence[TensorInfo], path: Path) -> int:
    """The index of the output that has the scores of the classes."""
    received = ", ".join(map(str, given)) or "nothing"
    names = [tensor.name for tensor in given]
    if len(given) == 2 and sorted(names) == [SCORES, UNKNOWN]:
        output = names.index(SCORES)
    elif len(given) == 1:
        output = 0
    else:
        boxes = any(len(tensor.shape) == 3 and tensor.shape[-1] == 4 for tensor in given)
        kind = " It seems to be an object detector." if boxes else ""
        raise ConversionError(
            f"{path}: the model has {len(given)} outputs ({received}).{kind} Pilah takes "
            "classifiers, which have one output, a row of scores: export the model with that "
            "output only"
        )
    shape = given[output].shape
    if len(shape) < 2 or any(size not in (1, -1) for size in shape[:-1]) or shape[-1] < 1:
        many = (
            ", a score for each position in the picture or for each box" if len(shape) > 2 else ""
        )
        raise ConversionError(
            f"{path}: the model gives {received}{many}; pilah takes classifiers, which give one "
            "row of scores, (1, classes)"
        )
    if shape[-1] == 1:
        raise ConversionError(
            f"{path}: the model gives a single number, for yes or no; pilah needs a score for each "
            "class: train the model with an output for each of its two classes (a softmax)"
        )
    if given[output].dtype not in ("FLOAT32", "UINT8", "INT8"):
        raise ConversionError(
            f"{path}: the model gives {received}; pilah supports float32, uint8 and int8 scores. A "
            "model that gives only the index of the best class must be exported with its scores"
        )
    return output
