"""Compares a bundle with the float model that it was made from, on the user's own pictures."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from converter.exports.export_folders import exports_folder
from converter.exports.tflite import convert_model
from converter.parity.compare import score_bundles
from converter.parity.gate import GateVerdict, Parity, compare_answers, judge
from converter.parity.thresholds import Thresholds
from edge.core.errors import UsageError
from edge.core.files import read_regular, storage_errors
from edge.core.model.bundle import MODEL, Bundle
from edge.core.model.bundle_files import LARGEST
from trainer.run import read_run


@dataclass(frozen=True, slots=True, eq=False)
class CheckedBundle:
    """How a bundle compares with its float model on given pictures."""

    parity: Parity
    verdict: GateVerdict
    skipped: tuple[str, ...]
    """A line for each picture that could not be read."""


def check_parity(bundle: Bundle, place: Path, data: Path, *, run: Path | None) -> CheckedBundle:
    """The figures of the bundle's model and of its float model, and the gate's verdict on them.

    Args:
        bundle: the bundle that was read from `place`.
        place: the path of the bundle; its exports are looked for beside it.
        data: labelled pictures; all of them count for accuracy.
        run: the run that the bundle was made from; None takes the float32 model in the exports.

    Raises:
        UsageError: there is no float model to compare with, or it has other labels.
        BundleError: one of the two models is no classifier, or is harmful; see
            `edge.core.model.trial`.
        StorageError: the float model cannot be read.
        PictureSetError: a class that the bundle does not know, or no readable picture.
    """
    float32 = _with_model(bundle, _float_model(bundle, place, run))
    scored = score_bundles(float32, bundle, data)
    judging = [replace(picture, split="test") for picture in scored.pictures]
    thresholds = Thresholds(bundle.manifest.accept, bundle.manifest.unknown_threshold)
    parity = compare_answers(
        scored.first, scored.second, judging, bundle.labels, thresholds, thresholds
    )
    return CheckedBundle(parity, judge(parity), scored.skipped)


def _with_model(bundle: Bundle, model: bytes) -> Bundle:
    """The bundle with another model, and so without a signature."""
    files = {**bundle.manifest.files, MODEL: hashlib.sha256(model).hexdigest()}
    manifest = bundle.manifest.model_copy(update={"files": files})
    return replace(bundle, model=model, manifest=manifest, signer=None)


def _float_model(bundle: Bundle, place: Path, run: Path | None) -> bytes:
    if run is not None:
        source = read_run(run)
        if source.facts.labels != bundle.labels:
            raise UsageError(
                f"{run} has the labels {', '.join(source.facts.labels)}, but the bundle has "
                f"{', '.join(bundle.labels)}: the bundle was not made from this run; give its own"
            )
        black_and_white = np.zeros((2, *source.facts.input.shape), np.uint8)
        black_and_white[1] = 255
        return convert_model(source, "float32", black_and_white)
    beside = exports_folder(place) / "float32" / MODEL
    if not beside.exists():
        raise UsageError(
            f"{beside} does not exist: give the run that the bundle was made from with --run, or "
            "convert that run again with --formats float32"
        )
    with storage_errors("read", beside):
        return read_regular(beside, largest=LARGEST[MODEL])
