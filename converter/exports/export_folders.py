"""Writes the exports beside a bundle: a folder per format, and a comparison of all with Keras."""

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

from converter.bundle.card import with_glossary
from converter.calibration import Tensors
from converter.errors import ConversionError, LibraryMissingError, TfjsError
from converter.exports.formats import MAX_NODE_PICTURES, WRITERS, ExportSource, TestPictures
from converter.parity.export_parity import (
    FORMATS,
    MAX_PICTURES,
    MAX_SQUASHED_PICTURES,
    Format,
    FormatFigures,
    compare_format,
    parity_table,
    score_in_subprocess,
    score_tflite,
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
        UsageError: there is no such format.
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
    """The folder of a bundle's exports: beside the bundle, so that devices do not fetch them."""
    return bundle.with_name(bundle.name + _SUFFIX)


def check_exports_path(folder: Path, *, replace: bool) -> None:
    """Checks, before the long work, that exports may be written to `folder`.

    Raises:
        StorageError: the path exists, and it is not a folder of exports that may be replaced.
    """
    if not folder.exists():
        return
    if not replace:
        raise StorageError(
            f"{folder} is there already: choose another --out, or replace it with --replace"
        )
    if not (folder / PARITY).is_file():
        raise StorageError(
            f"{folder} is there already and holds no exports, so --replace does not replace it: "
            "choose another --out"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Exports:
    """The exports that were written, and how each format compares with Keras."""

    folder: Path
    figures: tuple[FormatFigures, ...]
    """The figures of each format that was compared."""
    untried: tuple[Format, ...]
    """Formats that were written but not compared, because nothing on this machine can run them."""
    refused: Mapping[Format, str]
    """For each format that could not be made, the reason."""

    @property
    def complete(self) -> bool:
        """Whether every requested format was written and passes its comparison."""
        return not self.refused and not any(row.failures for row in self.figures)

    def to_json(self) -> dict[str, Any]:
        """The figures by format, and the folder, as `--json` prints them."""
        formats = {row.format: row.to_json() for row in self.figures}
        return {
            "folder": str(self.folder),
            "formats": formats,
            "not_compared": list(self.untried),
            "refused": dict(self.refused),
        }


def choose_test_pictures(
    pictures: Sequence[LabelledPicture], *, seed: int
) -> tuple[LabelledPicture, ...]:
    """The pictures of the test split, or MAX_PICTURES of them drawn at random."""
    offered = [picture for picture in pictures if picture.split == "test"]
    if len(offered) > MAX_PICTURES:
        draw = random.Random(seed)  # `random()` gives the same on every Python
        order = sorted(range(len(offered)), key=lambda i, d=draw: d.random())  # type: ignore[misc]
        offered = [offered[i] for i in sorted(order[:MAX_PICTURES])]
    return tuple(offered)


def read_tensors(pictures: Sequence[LabelledPicture], spec: InputSpec) -> Tensors:
    """The tensors of all pictures as the device makes them, then of some as other tools make them.

    Those of the first MAX_SQUASHED_PICTURES are appended in the way of MediaPipe, Keras's
    `image_dataset_from_directory` and TF.js's `resizeBilinear`: these all squash the whole picture
    to the model's size, whatever its shape, and do not average pixels when they shrink it.

    Raises:
        UnreadableImageError: a picture has been damaged since the training.
    """
    count = len(pictures)
    tensors = np.empty((count + min(MAX_SQUASHED_PICTURES, count), *spec.shape), np.uint8)
    plain = spec.model_copy(update={"geometry": "squash"})
    with Progress("reading pictures of the test split", total=len(pictures)) as progress:
        for index, picture in enumerate(pictures):
            image = read_image(picture.path)
            preprocess(image, spec, out=tensors[index])
            if index < MAX_SQUASHED_PICTURES:
                small = cv2.resize(image, (spec.width, spec.height))
                preprocess(np.asarray(small, np.uint8), plain, out=tensors[count + index])
            progress.advance()
    return tensors


def read_test_split(
    pictures: Sequence[LabelledPicture], spec: InputSpec, *, seed: int
) -> TestPictures:
    """The pictures of the test split that formats are compared on, and their tensors.

    Args:
        pictures: all pictures of a run.
        spec: how a picture becomes a tensor.
        seed: decides which pictures are chosen if there are many.

    Raises:
        UnreadableImageError: a picture has been damaged since the training.
    """
    chosen = choose_test_pictures(pictures, seed=seed)
    return TestPictures(chosen, read_tensors(chosen, spec))


def write_exports(
    folder: Path, source: ExportSource, formats: Sequence[Format], *, replace: bool = False
) -> Exports:
    """Writes the requested formats of a run, and compares each with Keras on the test split.

    A format that cannot be made or fails its comparison is left out, and the reason is logged. The
    others are written.

    Args:
        folder: the folder to write.
        source: the run, its bundle and the pictures. The bundle's int8 model is compared as well.
        formats: the formats, from `read_formats`.
        replace: replaces exports that are already there.

    Raises:
        ConversionError: the scores of Keras cannot be computed.
        StorageError: `folder` cannot be written.
    """
    run, bundle, tested = source.run, source.bundle, source.tested
    chosen, tensors = tested.pictures, tested.tensors
    labels = run.facts.labels
    truth = np.array([labels.index(picture.label) for picture in chosen], np.int64)
    reference = score_in_subprocess(
        "keras scores", run, tested.device_tensors, doing="scores of Keras"
    )
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
                    f"{kind}: written, but not compared with Keras, because there is no Node.js on "
                    "this machine to run it"
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
        "The model of the bundle, for other tools. Each folder has a `labels.txt`, with the label "
        "of class 0 on the first line, that of class 1 on the next, and so on.",
        "",
        *(f"- `{kind}/`: {_USES[kind]}" for kind in (*written, *untried)),
        "",
        "## Compared with Keras",
        "",
        f"Measured on {pictures} pictures of the test split ({MAX_NODE_PICTURES} at most for tfjs, "
        "which is slow in Node.js), with the same input tensors. *Squashed*: MediaPipe, Keras's "
        "`image_dataset_from_directory` and TF.js's `resizeBilinear` resize the whole picture to "
        "the model's size, without averaging; this is how often a format then still gives the "
        "label that Keras gives for the picture as the device reads it, on up to "
        f"{MAX_SQUASHED_PICTURES} pictures. The page in `tfjs/` reads pictures as the device does.",
        "",
        *parity_table(rows),
        "",
    ]
    for row in rows:
        lines += [f"- {row.format} was left out: {failure}." for failure in row.failures]
    lines += [f"- {kind} could not be made: {why}" for kind, why in refused.items()]
    lines += [f"- {kind} was not compared: there was no Node.js to run it." for kind in untried]
    return with_glossary(lines)


_USES: Mapping[Format, str] = {
    "int8": "the model of the bundle",
    "float16": "TFLite with weights of half the size, for a GPU or a phone. It takes uint8 levels.",
    "dynamic": "TFLite with int8 weights and float arithmetic. It takes uint8 levels.",
    "float32": "TFLite with the same arithmetic as Keras. It takes uint8 levels.",
    "saved_model": "TensorFlow SavedModel; `serving_default` takes `pictures`, uint8 levels "
    "(any number, height, width, channels), and gives `scores`.",
    "tfjs": "TensorFlow.js graph model with a page that classifies from a camera or a file.",
    "keras": "Keras file. It takes levels 0 to 255 as float32.",
}
