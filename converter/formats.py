"""What fills the folder of each format beside a bundle, and says how it answers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from converter.answers import Answers
from converter.apart import apart
from converter.battery import Format, score_apart, score_tflite
from converter.calibration import Tensors
from converter.metadata import with_metadata
from converter.tfjs import write_tfjs
from converter.tfjs_library import find_node, tfjs_library
from converter.tfjs_run import score_in_node
from converter.tflite import convert_model
from edge.model.bundle import MODEL, Bundle
from trainer.run import Run

MOST_IN_NODE = 12
"""Pictures of the test part that TF.js is compared on: a second or two each for MobileNetV2, and
enough to see whether every score is Keras's."""
_COMPARED = 10
"""Tensors, black and white among them, that the conversion to TF.js checks itself on."""
_KERAS = "model.keras"


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """What every format is made from."""

    run: Run
    bundle: Bundle
    tensors: Tensors
    """Of the test part's pictures, to compare on; and then of the first of them once more, as other
    tools read them. In one array, so that a format is started once."""
    tested: int
    """How many pictures of the test part."""
    calibration: Tensors
    float32: bytes


def _float32(place: Path, source: Source) -> Answers:
    return _tflite(place, source, "float32", source.float32)


def _float16(place: Path, source: Source) -> Answers:
    model = convert_model(source.run, "float16", source.calibration[:0])
    return _tflite(place, source, "float16", model)


def _dynamic(place: Path, source: Source) -> Answers:
    model = convert_model(source.run, "dynamic", source.calibration)
    return _tflite(place, source, "dynamic", model)


def _tflite(place: Path, source: Source, kind: Format, model: bytes) -> Answers:
    bundle = source.bundle
    content = with_metadata(
        model,
        name=bundle.manifest.name,
        version=bundle.manifest.version,
        labels=bundle.labels,
        spec=source.run.facts.input,
    )
    (place / MODEL).write_bytes(content)
    return score_tflite(content, source.tensors, doing=f"scores of {kind}")


def _saved_model(place: Path, source: Source) -> Answers:
    with apart("saved_model", source.run, source.calibration[:0], doing="saved_model") as made:
        shutil.copytree(made.result, place, dirs_exist_ok=True)
    return score_apart(
        "saved_model scores",
        source.run,
        source.tensors,
        doing="scores of saved_model",
        source=place,
    )


def _keras(place: Path, source: Source) -> Answers:
    file = place / _KERAS
    with apart("keras", source.run, source.calibration[:0], doing="keras") as made:
        shutil.copyfile(made.result, file)
    return score_apart(
        "keras scores", source.run, source.tensors, doing="scores of keras", source=file
    )


def _tfjs(place: Path, source: Source) -> Answers | None:
    library = tfjs_library()
    facts = source.run.facts
    unknown = facts.unknown.threshold if facts.unknown else None
    with ExitStack() as stack:
        saved = place.with_name("saved_model")
        if not saved.is_dir():  # not wanted, or it failed
            none = source.calibration[:0]
            task = apart("saved_model", source.run, none, doing="saved_model, for tfjs")
            saved = stack.enter_context(task).result
        doing = "converting to tfjs"
        made = stack.enter_context(
            apart("tfjs", source.run, source.calibration[:_COMPARED], doing=doing, source=saved)
        )
        write_tfjs(
            place,
            graph_model=made.result,
            library=library,
            title=source.bundle.title,
            labels=facts.labels,
            spec=facts.input,
            accept=facts.accept,
            unknown=unknown,
        )
    if find_node() is None:
        return None
    few = source.tensors[: min(MOST_IN_NODE, source.tested)]
    return Answers.named(score_in_node(place, few, library=library))


WRITERS: Mapping[Format, Callable[[Path, Source], Answers | None]] = {
    "float16": _float16,
    "dynamic": _dynamic,
    "float32": _float32,
    "saved_model": _saved_model,
    "keras": _keras,
    "tfjs": _tfjs,
}
"""Format -> what fills its folder and gives its answers to `tensors`, or to the first of
them; None where nothing here can run it."""
