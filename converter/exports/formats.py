"""Writes each export format to its folder, and scores the test pictures with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from converter.calibration import Tensors
from converter.exports.tfjs.export_folder import Contract, write_tfjs
from converter.exports.tfjs.library import find_node, is_library_cached, tfjs_library
from converter.exports.tflite import convert_model
from converter.parity.export_parity import Format, score_in_subprocess, score_tflite
from converter.parity.predictions import Predictions
from converter.tensorflow.process import TaskRequest, in_subprocess
from converter.tflite.metadata import with_metadata
from edge.core.dataset import LabelledPicture
from edge.core.model.bundle import MODEL, Bundle
from trainer.run import Run

MAX_NODE_PICTURES = 12
"""The number of test pictures that are scored with TF.js. Each takes one to two seconds with
MobileNetV2, and so many are enough to see whether every score equals Keras's."""
_COMPARED = 10
"""The number of tensors, black and white included, that check the conversion to TF.js."""
_KERAS = "model.keras"


@dataclass(frozen=True, slots=True, eq=False)
class TestPictures:
    """The pictures that formats are compared on."""

    pictures: Sequence[LabelledPicture]
    tensors: Tensors
    """The tensors of all pictures as the device makes them, followed by those of the first pictures
    as other tools make them. They are in one array so that a format is started only once."""

    @property
    def device_tensors(self) -> Tensors:
        """The tensors that the device would make, one for each picture."""
        return self.tensors[: len(self.pictures)]

    @property
    def node_tensors(self) -> Tensors:
        """The tensors that are scored with TF.js."""
        return self.device_tensors[:MAX_NODE_PICTURES]


@dataclass(frozen=True, slots=True, eq=False)
class ExportSource:
    """The model and the pictures from which every format is made and checked."""

    run: Run
    bundle: Bundle
    tested: TestPictures
    calibration: Tensors
    """The tensors that the int8 model was calibrated with."""
    float32: bytes
    """The bytes of the float32 `.tflite` file that the gate has compared the int8 model with."""


def tflite_requests(formats: Sequence[Format], calibration: Tensors) -> list[TaskRequest]:
    """The TensorFlow tasks for the requested `.tflite` formats other than float32 and int8."""
    requests = {
        "float16": TaskRequest("float16", _none(calibration)),
        "dynamic": TaskRequest("dynamic", calibration),
    }
    return [request for kind, request in requests.items() if kind in formats]


def keras_requests(
    formats: Sequence[Format], tested: TestPictures, calibration: Tensors
) -> list[TaskRequest]:
    """The TensorFlow tasks for Keras's scores and for the requested formats other than TFLite.

    A task comes after the tasks whose results it reads.

    Args:
        formats: the requested formats.
        tested: the pictures to score.
        calibration: the calibration tensors, black and white first.
    """
    requests = [TaskRequest("keras scores", tested.device_tensors)]
    none = _none(calibration)
    if "keras" in formats:
        file = TaskRequest("keras", none)
        requests += [file, TaskRequest("keras scores", tested.tensors, file)]
    if "saved_model" in formats or "tfjs" in formats:
        saved = TaskRequest("saved_model", none)
        requests.append(saved)
        if "saved_model" in formats:
            requests.append(TaskRequest("saved_model scores", tested.tensors, saved))
        if "tfjs" in formats:
            graph = TaskRequest("tfjs", calibration[:_COMPARED], saved)
            requests.append(graph)
            if find_node() is not None and is_library_cached():
                requests.append(TaskRequest("tfjs scores", tested.node_tensors, graph))
    return requests


def _none(tensors: Tensors) -> Tensors:
    """An empty array, for tasks that need no tensors."""
    return tensors[:0]


def _float32(place: Path, source: ExportSource) -> Predictions:
    return _tflite(place, source, "float32", source.float32)


def _float16(place: Path, source: ExportSource) -> Predictions:
    model = convert_model(source.run, "float16", _none(source.calibration))
    return _tflite(place, source, "float16", model)


def _dynamic(place: Path, source: ExportSource) -> Predictions:
    model = convert_model(source.run, "dynamic", source.calibration)
    return _tflite(place, source, "dynamic", model)


def _tflite(place: Path, source: ExportSource, kind: Format, model: bytes) -> Predictions:
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


def _saved_model(place: Path, source: ExportSource) -> Predictions:
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


def _keras(place: Path, source: ExportSource) -> Predictions:
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


def _tfjs(place: Path, source: ExportSource) -> Predictions | None:
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
            source.tested.node_tensors,
            doing="scoring with TF.js in Node.js",
            source=made.result,
        )


WRITERS: Mapping[Format, Callable[[Path, ExportSource], Predictions | None]] = {
    "float16": _float16,
    "dynamic": _dynamic,
    "float32": _float32,
    "saved_model": _saved_model,
    "keras": _keras,
    "tfjs": _tfjs,
}
"""For each format, the function that fills its folder and returns its scores of the test pictures,
or of the first of them; None if this machine has nothing that can run the format."""
