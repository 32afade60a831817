"""Reads and writes TFLite metadata, which other tools read from a `.tflite` file.

Names and normalisation are in a FlatBuffer inside that of the model. The labels are a file in a zip
archive at the end of the `.tflite` file: `unzip -p model.tflite labels.txt` shows them. Android's
Task Library, MediaPipe Tasks and Netron read both.

Source of tables, slots and numbers: metadata_schema.fbs of TensorFlow Lite Support, 1.5.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from edge.core.images.preprocess import InputSpec
from edge.core.model.interpreter import SCORES

LABELS = "labels.txt"

_ENTRY = "TFLITE_METADATA"
_IDENTIFIER = b"M001"
_MODEL_IDENTIFIER = b"TFL3"
_PARSER = "1.0.0"
"""The oldest version of a reader that supports all fields used here."""
_AXIS_LABELS = 2
"""The AssociatedFileType of a file with one label per line, for the last axis of a tensor."""
_IMAGE_PROPERTIES, _NORMALIZATION = 2, 1
"""Members of the unions ContentProperties and ProcessUnitOptions."""
_COLOUR = {3: 1, 1: 2}
"""The number of channels -> the ColorSpaceType, RGB or GRAYSCALE."""
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The time of the labels in the archive, fixed so that the same model gives the same bytes."""


@dataclass(frozen=True, slots=True)
class PictureMetadata:
    """The normalisation and the files of labels that the metadata of a model name."""

    mean: tuple[float, ...]
    """One value per channel or one for all, in levels: the input is (level - mean) / deviation."""
    deviation: tuple[float, ...]
    """As many values as `mean`; empty if the metadata do not say it."""
    label_files: tuple[str, ...]
    """The names of files in the archive of the `.tflite` file that have one label per line."""


def read_metadata(model: bytes) -> PictureMetadata | None:
    """The metadata of a `.tflite` file's bytes; None if it has none that can be read."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    content = schema.ModelT.InitFromPackedBuf(model, 0)
    had = [entry for entry in content.metadata or [] if entry.name == _ENTRY.encode()]
    data = content.buffers[had[0].buffer].data if had else None
    if data is None or bytes(data[4:8]) != _IDENTIFIER:
        return None
    packed = bytes(data)
    try:
        root = flatbuffers.encode.Get(flatbuffers.packer.uoffset, packed, 0)
        graphs = _Read(flatbuffers.table.Table(packed, root)).tables(3)
        pictures = graphs[0].tables(2) if graphs else []
        outputs = graphs[0].tables(3) if graphs else []
        mean: tuple[float, ...] = ()
        deviation: tuple[float, ...] = ()
        for unit in pictures[0].tables(4) if pictures else []:
            options = unit.table(1)
            if unit.number(0) == _NORMALIZATION and options is not None:
                mean, deviation = options.floats(0), options.floats(1)
        files = [file for output in outputs for file in output.tables(6)]
        named = tuple(file.text(0) for file in files if file.number(2) == _AXIS_LABELS)
    except (struct.error, IndexError, TypeError, ValueError):
        return None
    return PictureMetadata(mean, deviation, named)


class _Read:
    """Reads the fields of a FlatBuffer table; `slot` is the number of a field in the schema."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def _at(self, slot: int) -> int:
        offset = int(self._table.Offset(4 + 2 * slot))
        return offset and offset + int(self._table.Pos)

    def _places(self, slot: int) -> list[int]:
        """The offsets of the entries of a vector whose entries have four bytes each."""
        if not self._at(slot):
            return []
        offset = self._at(slot) - int(self._table.Pos)
        start, count = int(self._table.Vector(offset)), int(self._table.VectorLen(offset))
        if 4 * count > len(self._table.Bytes):
            raise ValueError(f"a vector of {count} entries in {len(self._table.Bytes)} bytes")
        return [start + 4 * index for index in range(count)]

    def table(self, slot: int) -> _Read | None:
        place = self._at(slot)
        return self._read(place) if place else None

    def tables(self, slot: int) -> list[_Read]:
        return [self._read(place) for place in self._places(slot)]

    def _read(self, place: int) -> _Read:
        import flatbuffers

        return _Read(flatbuffers.table.Table(self._table.Bytes, self._table.Indirect(place)))

    def floats(self, slot: int) -> tuple[float, ...]:
        return tuple(struct.unpack_from("<f", self._table.Bytes, p)[0] for p in self._places(slot))

    def number(self, slot: int) -> int:
        """The value of a one-byte field; 0 if the field is missing."""
        place = self._at(slot)
        return int(self._table.Bytes[place]) if place else 0

    def text(self, slot: int) -> str:
        place = self._at(slot)
        return self._table.String(place).decode("utf-8") if place else ""


def with_metadata(
    model: bytes, *, name: str, version: str, spec: InputSpec, labels: Sequence[str]
) -> bytes:
    """The model with metadata, and with the labels in an archive at the end of the file.

    Metadata that it had before are replaced; no weight, operator or tensor changes.

    Args:
        model: the bytes of a `.tflite` file whose input is raw uint8 levels.
        name: the name of the model.
        version: the version of the model.
        spec: how a picture becomes the model's input.
        labels: the label of each class.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    content = schema.ModelT.InitFromPackedBuf(model, 0)
    (graph,) = content.subgraphs
    outputs = [graph.tensors[index].name.decode() for index in graph.outputs]
    # A single output has the scores, whatever its name.
    outputs = outputs if len(outputs) > 1 else [SCORES]
    description = f"which of these a picture shows: {', '.join(labels)}"
    written = _packed(name, version, description, spec, outputs)
    had = [entry for entry in content.metadata or [] if entry.name == _ENTRY.encode()]
    if had:
        entry = had[0]
    else:
        entry = schema.MetadataT()
        entry.name, entry.buffer = _ENTRY, len(content.buffers)
        content.buffers.append(schema.BufferT())
        content.metadata = [*(content.metadata or []), entry]
    content.buffers[entry.buffer].data = list(written)
    builder = flatbuffers.Builder(len(model) + len(written) + 4096)
    builder.Finish(content.Pack(builder), file_identifier=_MODEL_IDENTIFIER)
    archive = io.BytesIO(bytes(builder.Output()))
    with zipfile.ZipFile(archive, "a") as file:
        info = zipfile.ZipInfo(LABELS, _LONG_AGO)
        info.create_system = 3  # the same on every system
        info.external_attr = 0o644 << 16
        file.writestr(info, "".join(f"{label}\n" for label in labels))
    return archive.getvalue()


def _packed(
    name: str, version: str, description: str, spec: InputSpec, outputs: Sequence[str]
) -> bytes:
    import flatbuffers

    builder = flatbuffers.Builder(2048)
    image = _table(builder, 2, lambda: builder.PrependUint8Slot(0, _COLOUR[spec.channels], 0))
    content = _union(builder, 3, _IMAGE_PROPERTIES, image)
    # The graph normalises its input itself, so it takes raw levels.
    normalization = _offsets(builder, 2, {0: _floats(builder, [0.0]), 1: _floats(builder, [1.0])})
    unit = _union(builder, 2, _NORMALIZATION, normalization)
    levels = {0: _floats(builder, [255.0]), 1: _floats(builder, [0.0])}
    channels = "RGB" if spec.channels == 3 else "grey"
    picture = _offsets(
        builder,
        7,
        {
            0: builder.CreateString("picture"),
            1: builder.CreateString(f"{channels} levels 0 to 255 as they are, {spec.height} rows "
                                    f"of {spec.width}, {spec.geometry}"),
            3: content,
            4: _vector(builder, [unit]),
            5: _offsets(builder, 2, levels),
        },
    )  # fmt: skip
    graph = _offsets(
        builder,
        9,
        {
            2: _vector(builder, [picture]),
            3: _vector(builder, [_output(builder, output) for output in outputs]),
        },
    )
    model = _offsets(
        builder,
        8,
        {
            0: builder.CreateString(name),
            1: builder.CreateString(description),
            2: builder.CreateString(version),
            3: _vector(builder, [graph]),
            7: builder.CreateString(_PARSER),
        },
    )
    builder.Finish(model, file_identifier=_IDENTIFIER)
    return bytes(builder.Output())


def _output(builder: Any, output: str) -> int:
    fields = {0: builder.CreateString(output)}
    if output == SCORES:
        fields[1] = builder.CreateString("probability of each label")
        label_name = builder.CreateString(LABELS)
        file = _table(
            builder,
            5,
            lambda: builder.PrependUOffsetTRelativeSlot(0, label_name, 0),
            lambda: builder.PrependInt8Slot(2, _AXIS_LABELS, 0),
        )
        fields[6] = _vector(builder, [file])
    else:
        fields[1] = builder.CreateString("novelty score, 0 to 1: how little it looks like a class")
    fields[5] = _offsets(builder, 2, {0: _floats(builder, [1.0]), 1: _floats(builder, [0.0])})
    return _offsets(builder, 7, fields)


def _table(builder: Any, slots: int, *fill: Callable[[], object]) -> int:
    builder.StartObject(slots)
    for put in fill:
        put()
    return int(builder.EndObject())


def _offsets(builder: Any, slots: int, fields: dict[int, int]) -> int:
    builder.StartObject(slots)
    for slot, offset in fields.items():
        builder.PrependUOffsetTRelativeSlot(slot, offset, 0)
    return int(builder.EndObject())


def _union(builder: Any, slots: int, member: int, value: int) -> int:
    return _table(
        builder,
        slots,
        lambda: builder.PrependUint8Slot(0, member, 0),
        lambda: builder.PrependUOffsetTRelativeSlot(1, value, 0),
    )


def _vector(builder: Any, offsets: Sequence[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _floats(builder: Any, values: Sequence[float]) -> int:
    builder.StartVector(4, len(values), 4)
    for value in reversed(values):
        builder.PrependFloat32(value)
    return int(builder.EndVector())
