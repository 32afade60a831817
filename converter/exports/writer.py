"""The formats that lie beside a bundle: one folder each, with labels, and the proof of all."""

from __future__ import annotations

import json
import logging
import random
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from converter.bundle.card import with_words
from converter.calibration import Tensors
from converter.errors import ConversionError, LibraryMissingError, TfjsError
from converter.exports.formats import MOST_IN_NODE, WRITERS, Source, TestPictures
from converter.parity.export_parity import (
    FORMATS,
    MOST_PICTURES,
    MOST_SQUASHED,
    Format,
    FormatFigures,
    compare_format,
    score_in_subprocess,
    score_tflite,
    table,
)
from converter.parity.predictions import Predictions
from edge.core.dataset import LabelledPicture
from edge.core.errors import StorageError, UsageError
from edge.core.files import new_folder
from edge.core.images.image_file import read_image
from edge.core.images.preprocess import InputSpec, preprocess
from edge.core.model.bundle import LABELS, Bundle
from edge.core.terminal.progress import Progress

_log = logging.getLogger(__name__)

PARITY = "parity.json"
CARD = "card.md"
_SUFFIX = "-exports"


def read_formats(text: str) -> tuple[Format, ...]:
    """The formats that `--formats` names, in the order of FORMATS; int8 is always among them.

    Raises:
        UsageError: no such format.
    """
    if text == "all":
        return FORMATS
    wanted = [word.strip() for word in text.split(",")]
    if unknown := [word for word in wanted if word not in FORMATS]:
        raise UsageError(
            f"--formats takes {', '.join(FORMATS)} with commas between, or all. "
            f"Received: {', '.join(repr(word) for word in unknown)}"
        )
    return tuple(kind for kind in FORMATS if kind == "int8" or kind in wanted)


def exports_folder(bundle: Path) -> Path:
    """Where the other formats of a bundle lie: beside it, so that a device fetches only its own."""
    return bundle.with_name(bundle.name + _SUFFIX)


def check_exports(folder: Path, *, replace: bool) -> None:
    """Passes a path where exports may be written; asked before the work, not after it.

    Raises:
        StorageError: something is there, and it is not exports that may be replaced.
    """
    if not folder.exists():
        return
    if not replace:
        raise StorageError(
            f"{folder} is there already: choose another --out, or write over it with --replace"
        )
    if not (folder / PARITY).is_file():
        raise StorageError(
            f"{folder} is there already and holds no exports, so --replace leaves it alone: choose "
            "another --out"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Exports:
    """What was written, and how each format answers."""

    folder: Path
    figures: tuple[FormatFigures, ...]
    untried: tuple[Format, ...]
    """Written, but not compared: nothing here can run them."""
    refused: Mapping[Format, str]
    """Those that cannot be made here, and why."""

    @property
    def complete(self) -> bool:
        """Whether every format that was wanted is there and passes."""
        return not self.refused and not any(row.failures for row in self.figures)

    def to_json(self) -> dict[str, Any]:
        """By format, and where they lie."""
        formats = {row.format: row.to_json() for row in self.figures}
        return {
            "folder": str(self.folder),
            "formats": formats,
            "not_compared": list(self.untried),
            "refused": dict(self.refused),
        }


def pictures_of_test_part(
    pictures: Sequence[LabelledPicture], *, seed: int
) -> tuple[LabelledPicture, ...]:
    """The test part's pictures, MOST_PICTURES of them at most."""
    offered = [picture for picture in pictures if picture.split == "test"]
    if len(offered) > MOST_PICTURES:
        draw = random.Random(seed)  # `random()` gives the same on every Python
        order = sorted(range(len(offered)), key=lambda i, d=draw: d.random())  # type: ignore[misc]
        offered = [offered[i] for i in sorted(order[:MOST_PICTURES])]
    return tuple(offered)


def read_tensors(pictures: Sequence[LabelledPicture], spec: InputSpec) -> Tensors:
    """All pictures as the device reads them, and then the first MOST_SQUASHED as other tools do.

    MediaPipe, Keras's `image_dataset_from_directory` and TF.js's `resizeBilinear` all squash the
    whole picture to the model's size, whatever its shape, and none averages when it shrinks.

    Raises:
        UnreadableImageError: a picture has been damaged since the training.
    """
    count = len(pictures)
    tensors = np.empty((count + min(MOST_SQUASHED, count), *spec.shape), np.uint8)
    plain = spec.model_copy(update={"geometry": "squash"})
    with Progress("reading pictures of the test part", total=len(pictures)) as progress:
        for index, picture in enumerate(pictures):
            image = read_image(picture.path)
            preprocess(image, spec, out=tensors[index])
            if index < MOST_SQUASHED:
                small = cv2.resize(image, (spec.width, spec.height))
                preprocess(np.asarray(small, np.uint8), plain, out=tensors[count + index])
            progress.advance()
    return tensors


def read_test_part(
    pictures: Sequence[LabelledPicture], spec: InputSpec, *, seed: int
) -> TestPictures:
    """What formats are compared on.

    Args:
        pictures: all of a run's.

    Raises:
        UnreadableImageError: a picture has been damaged since the training.
    """
    chosen = pictures_of_test_part(pictures, seed=seed)
    return TestPictures(chosen, read_tensors(chosen, spec))


def write_exports(
    folder: Path, source: Source, formats: Sequence[Format], *, replace: bool = False
) -> Exports:
    """The formats of a run beside its bundle, each compared with Keras on the test part.

    A format that cannot be made or fails is left out, and it is said why; the others are written.

    Args:
        source: its bundle, the int8 one, is compared as well.
        formats: as `read_formats` gives them.
        replace: take the place of exports that are there.

    Raises:
        ConversionError: Keras itself cannot be asked.
        StorageError: `folder` cannot be written.
    """
    run, bundle, tested = source.run, source.bundle, source.tested
    chosen, tensors = tested.pictures, tested.tensors
    labels = run.facts.labels
    truth = np.array([labels.index(picture.label) for picture in chosen], np.int64)
    reference = score_in_subprocess("keras scores", run, tested.as_device, doing="scores of Keras")
    rows: list[FormatFigures] = []
    untried: list[Format] = []
    refused: dict[Format, str] = {}
    with new_folder(folder, replace=replace) as made:
        for kind in formats:
            place = made / kind
            predictions: Predictions | None
            if kind == "int8":
                predictions = score_tflite(bundle.model, tensors, doing="scores of int8")
            else:
                place.mkdir()
                try:
                    predictions = WRITERS[kind](place, source)
                except (ConversionError, LibraryMissingError, TfjsError) as error:
                    shutil.rmtree(place)
                    refused[kind] = str(error)
                    _log.warning(f"{kind}: cannot be made: {error}")
                    continue
                text = "".join(f"{label}\n" for label in labels)
                (place / LABELS).write_bytes(text.encode())
            if predictions is None:
                untried.append(kind)
                _log.warning(
                    f"{kind}: written, but not compared with Keras: no Node.js is here to run it"
                )
                continue
            count = min(len(predictions.scores), len(chosen))
            squashed = predictions.part(count, len(predictions.scores))
            row = compare_format(
                kind,
                reference.part(0, count),
                predictions.part(0, count),
                truth[:count],
                labels,
                squashed=squashed,
            )
            rows.append(row)
            if row.failures and kind != "int8":
                shutil.rmtree(place)
                _log.warning(f"{kind}: left out: {'; '.join(row.failures)}")
        found = {row.format: row.to_json() for row in rows}
        proof = {
            "bundle": bundle.digest,
            "formats": found,
            "not_compared": untried,
            "refused": refused,
        }
        text = json.dumps(proof, ensure_ascii=False, indent=2) + "\n"
        (made / PARITY).write_text(text, encoding="utf-8")
        card = _card(bundle, rows, untried, refused, len(chosen))
        (made / CARD).write_text(card, encoding="utf-8")
    return Exports(folder, tuple(rows), tuple(untried), refused)


def _card(
    bundle: Bundle,
    rows: Sequence[FormatFigures],
    untried: Sequence[Format],
    refused: Mapping[Format, str],
    pictures: int,
) -> str:
    written = [row.format for row in rows if not row.failures and row.format != "int8"]
    lines = [
        f"# {bundle.title}: other formats",
        "",
        "The same model as the bundle's, for other tools. Each folder has its `labels.txt`, line "
        "number = class index.",
        "",
        *(f"- `{kind}/`: {_USES[kind]}" for kind in (*written, *untried)),
        "",
        "## Compared with Keras",
        "",
        f"On {pictures} pictures of the test part ({MOST_IN_NODE} at most for tfjs, which is slow "
        "in Node.js), the same tensor in. Squashed: as MediaPipe, Keras's "
        "`image_dataset_from_directory` and TF.js's `resizeBilinear` read pictures, the whole to "
        "the model's size and without averaging; how often a format then still gives Keras's "
        f"label of the picture as the device reads it, on {MOST_SQUASHED} pictures at most. The "
        "page in `tfjs/` reads as the device does.",
        "",
        *table(rows),
        "",
    ]
    for row in rows:
        lines += [f"- {row.format} was left out: {failure}." for failure in row.failures]
    lines += [f"- {kind} could not be made: {why}" for kind, why in refused.items()]
    lines += [f"- {kind} was not compared: no Node.js was there to run it." for kind in untried]
    return with_words(lines)


_USES: Mapping[Format, str] = {
    "int8": "the bundle's",
    "float16": "TFLite with weights of half the size, for a GPU or a phone. uint8 levels in.",
    "dynamic": "TFLite with int8 weights and float arithmetic. uint8 levels in.",
    "float32": "TFLite as Keras computes. uint8 levels in.",
    "saved_model": "TensorFlow SavedModel; `serving_default` takes `pictures`, uint8 levels "
    "(any number, height, width, channels), and gives `scores`.",
    "tfjs": "TensorFlow.js graph model with a page that classifies from a camera or a file.",
    "keras": "Keras file; levels 0 to 255 as float32 in.",
}
