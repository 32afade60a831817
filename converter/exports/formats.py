"""What fills the folder of each format beside a bundle, and says how it answers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from converter.calibration import Tensors
from converter.exports.tfjs.folder import Contract, write_tfjs
from converter.exports.tfjs.library import find_node, has_library, tfjs_library
from converter.exports.tflite import convert_model
from converter.parity.export_parity import Format, score_in_subprocess, score_tflite
from converter.parity.predictions import Predictions
from converter.tensorflow.process import Piece, in_subprocess
from converter.tflite.metadata import with_metadata
from edge.core.dataset import LabelledPicture
from edge.core.model.bundle import MODEL, Bundle
from trainer.run import Run

MOST_IN_NODE = 12
"""Pictures of the test part that TF.js is compared on: a second or two each for MobileNetV2, and
enough to see whether every score is Keras's."""
_COMPARED = 10
"""Tensors, black and white among them, that the conversion to TF.js checks itself on."""
_KERAS = "model.keras"


@dataclass(frozen=True, slots=True, eq=False)
class TestPictures:
    """The pictures that formats are compared on."""

    pictures: Sequence[LabelledPicture]
    tensors: Tensors
    """Of each picture as the device reads it; and then of the first of them once more, as other
    tools read them. In one array, so that a format is started once."""

    @property
    def as_device(self) -> Tensors:
        """Those that the device would make."""
        return self.tensors[: len(self.pictures)]

    @property
    def in_node(self) -> Tensors:
        """Those that TF.js is compared on."""
        return self.as_device[:MOST_IN_NODE]


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What every format is made from."""

    run: Run
    bundle: Bundle
    tested: TestPictures
    calibration: Tensors
    """What the int8 model was calibrated on."""
    float32: bytes
    """The `.tflite` file's bytes, which the gate has compared int8 with."""


def tflite_pieces(formats: Sequence[Format], calibration: Tensors) -> list[Piece]:
    """Jobs of the TensorFlow subprocess for `.tflite` formats besides float32 and int8."""
    pieces = {
        "float16": Piece("float16", _none(calibration)),
        "dynamic": Piece("dynamic", calibration),
    }
    return [piece for kind, piece in pieces.items() if kind in formats]


def keras_pieces(
    formats: Sequence[Format], tested: TestPictures, calibration: Tensors
) -> list[Piece]:
    """What it will be asked for, for other formats and for Keras's scores, in an order that works.

    Args:
        formats: those that are wanted.
        calibration: tensors, black and white first.
    """
    pieces = [Piece("keras scores", tested.as_device)]
    none = _none(calibration)
    if "keras" in formats:
        file = Piece("keras", none)
        pieces += [file, Piece("keras scores", tested.tensors, file)]
    if "saved_model" in formats or "tfjs" in formats:
        saved = Piece("saved_model", none)
        pieces.append(saved)
        if "saved_model" in formats:
            pieces.append(Piece("saved_model scores", tested.tensors, saved))
        if "tfjs" in formats:
            graph = Piece("tfjs", calibration[:_COMPARED], saved)
            pieces.append(graph)
            if find_node() is not None and has_library():
                pieces.append(Piece("tfjs scores", tested.in_node, graph))
    return pieces


def _none(tensors: Tensors) -> Tensors:
    """For what needs none."""
    return tensors[:0]


def _float32(place: Path, source: Source) -> Predictions:
    return _tflite(place, source, "float32", source.float32)


def _float16(place: Path, source: Source) -> Predictions:
    model = convert_model(source.run, "float16", _none(source.calibration))
    return _tflite(place, source, "float16", model)


def _dynamic(place: Path, source: Source) -> Predictions:
    model = convert_model(source.run, "dynamic", source.calibration)
    return _tflite(place, source, "dynamic", model)


def _tflite(place: Path, source: Source, kind: Format, model: bytes) -> Predictions:
    bundle = source.bundle
    content = with_metadata(
        model,
        name=bundle.manifest.name,
        version=bundle.manifest.version,
        labels=bundle.labels,
        spec=source.run.facts.input,
    )
    (place / MODEL).write_bytes(content)
    return score_tflite(content, source.tested.tensors, doing=f"scores of {kind}")


def _saved_model(place: Path, source: Source) -> Predictions:
    run, none = source.run, _none(source.calibration)
    with in_subprocess("saved_model", run, none, doing="saved_model") as made:
        shutil.copytree(made.result, place, dirs_exist_ok=True)
        return score_in_subprocess(
            "saved_model scores",
            run,
            source.tested.tensors,
            doing="scores of saved_model",
            source=made.result,
        )


def _keras(place: Path, source: Source) -> Predictions:
    run, none = source.run, _none(source.calibration)
    with in_subprocess("keras", run, none, doing="keras") as made:
        shutil.copyfile(made.result, place / _KERAS)
        return score_in_subprocess(
            "keras scores",
            run,
            source.tested.tensors,
            doing="scores of keras",
            source=made.result,
        )


def _tfjs(place: Path, source: Source) -> Predictions | None:
    library = tfjs_library()
    run, facts = source.run, source.run.facts
    unknown = facts.unknown.threshold if facts.unknown else None
    none, few = _none(source.calibration), source.calibration[:_COMPARED]
    with (
        in_subprocess("saved_model", run, none, doing="saved_model, for tfjs") as saved,
        in_subprocess("tfjs", run, few, doing="converting to tfjs", source=saved.result) as made,
    ):
        contract = Contract(source.bundle.title, facts.labels, facts.input, facts.accept, unknown)
        write_tfjs(place, graph_model=made.result, library=library, contract=contract)
        if find_node() is None:
            return None
        return score_in_subprocess(
            "tfjs scores",
            run,
            source.tested.in_node,
            doing="scoring with TF.js in Node.js",
            source=made.result,
        )


WRITERS: Mapping[Format, Callable[[Path, Source], Predictions | None]] = {
    "float16": _float16,
    "dynamic": _dynamic,
    "float32": _float32,
    "saved_model": _saved_model,
    "keras": _keras,
    "tfjs": _tfjs,
}
"""Format -> what fills its folder and gives its answers to `tensors`, or to the first of
them; None where nothing here can run it."""
