"""Makes a bundle of somebody else's TFLite classifier, and finds out which normalisation it needs.

Models need their input in 0..1, -1..1 or raw, as RGB or BGR, and seldom say so. With a wrong
normalisation they still answer, but worse. So every normalisation is tried on labelled pictures and
compared with what the file says; if they do not show which is right, the import is refused. The
same pictures show whether the labels have the same order as the model's outputs.
"""

from __future__ import annotations

import hashlib
import logging
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from converter.bundle.golden_choice import choose_golden
from converter.bundle.writer import (
    Draft,
    check_bundle_path,
    checked_title,
    name_from_folder,
    version_from_time,
)
from converter.errors import ConversionError
from converter.foreign.evidence import normalisations_to_try, read_evidence
from converter.foreign.graph_surgery import Normalisation, OutputKind, adapt_model
from converter.foreign.imported_card import Findings, imported_card
from converter.foreign.interface import ModelInterface, read_interface
from converter.foreign.label_order_check import (
    background_hint,
    check_better_than_chance,
    check_label_swaps,
)
from converter.foreign.label_search import find_labels, label_count_error
from converter.foreign.normalisations import (
    TriedNormalisation,
    choose_normalisation,
    rank_normalisations,
    read_normalisation,
)
from converter.parity.compare import check_known
from converter.parity.export_parity import score_tflite
from converter.tflite.metadata import read_metadata
from edge.core.dataset import LabelledPicture, read_picture_set
from edge.core.errors import BundleError, PictureSetError, UnreadableImageError
from edge.core.files import read_regular, storage_errors
from edge.core.images.image_file import read_image
from edge.core.images.preprocess import InputSpec, preprocess
from edge.core.model.bundle import MODEL, Bundle
from edge.core.model.bundle_files import LARGEST
from edge.core.model.metrics import Evaluation, evaluate_scores
from edge.core.terminal.progress import Progress
from edge.core.terminal.wording import number_of
from trainer.calibration.accept_thresholds import AcceptThreshold, choose_thresholds
from trainer.recipes.plan import AcceptPlan
from trainer.run import tool_versions

_log = logging.getLogger(__name__)

MAX_TRIED_PICTURES = 300
"""The largest number of pictures on which each normalisation is tried."""
_FEWEST = 20
"""The smallest number of pictures that a normalisation can be chosen by."""
_SHOWN = 5
"""The number of labels that a message names if there are many."""
_COLOURED = 4.0
"""The mean difference of red and blue, in levels, from which RGB and BGR can be told apart."""


@dataclass(frozen=True, slots=True, eq=False)
class ImportedModel:
    """The bundle of an imported model, and what the pictures showed about the model."""

    bundle: Bundle
    tried: tuple[TriedNormalisation, ...]
    """Every normalisation that was tried, the best one first."""
    output_kind: OutputKind
    """What the outputs of the model were before the import."""
    evaluation: Evaluation
    """The evaluation on the half of the pictures on which nothing was chosen."""
    notes: tuple[str, ...]
    """Sentences about thresholds without a promise and about doubtful labels."""
    skipped: tuple[str, ...]
    """A line for each picture that could not be read."""


def import_model(
    model: Path,
    labels: Path | None,
    data: Path,
    out: Path,
    *,
    normalisation: str | None = None,
    geometry: str = "squash",
    name: str | None = None,
    version: str | None = None,
    seed: int = 0,
    replace: bool = False,
) -> ImportedModel:
    """Makes the bundle of a `.tflite` classifier and writes it to the folder `out`.

    Args:
        model: the `.tflite` file.
        labels: a file with one label per line, or lines like `0 name` as Teachable Machine writes
            them; None takes the labels inside the model.
        data: labelled pictures. One half chooses the normalisation and the thresholds, the other
            half evaluates the result. Both are used to check the order of the labels.
        out: the folder of the bundle.
        normalisation: the name of a normalisation; None takes the one that the file and the
            pictures show.
        geometry: how a photograph is resized to the model's input; see `InputSpec`.
        name: the bundle's name; None makes it from the folder `out`.
        version: the bundle's version; None makes it from the time.
        seed: decides which pictures belong to which half.
        replace: replaces a bundle that is already there.

    Raises:
        LabelListError: the file of labels is not a list of labels.
        ForeignModelError: the labels do not fit, or the pictures do not show the normalisation.
        ConversionError: the model is no image classifier.
        PictureSetError: a class that the model does not know, or too few pictures.
        UsageError: there is no such normalisation, or the name or version is not allowed.
        StorageError: a file cannot be read or written.
    """
    check_bundle_path(out, replace=replace)
    with storage_errors("read", model):
        content = read_regular(model, largest=LARGEST[MODEL])
    now = datetime.now(UTC).isoformat(timespec="seconds")
    title = checked_title(
        (name_from_folder(out) or "imported") if name is None else name,
        version_from_time(now) if version is None else version,
    )
    interface = read_interface(content, model)
    described = read_metadata(content)
    evidence = read_evidence(interface, described)
    ways = normalisations_to_try(interface, evidence)
    wanted = None if normalisation is None else read_normalisation(normalisation, ways)
    spec = InputSpec.model_validate(
        {k: getattr(interface, k) for k in ("height", "width", "channels")} | {"geometry": geometry}
    )
    found_labels = find_labels(labels, model, content, described)
    names, source = found_labels.names, found_labels.source
    for note in found_labels.notes:
        _log.warning(note)
    if interface.has_unknown:
        _log.warning(
            f"{model}: the novelty score of this model is left out, because its threshold is not "
            "in the file"
        )
    found = read_picture_set(data, labels=names)
    for note in found.notes:
        _log.info(note)
    if interface.classes != len(names) and not set(found.labels) <= set(names):
        raise label_count_error(names, interface.classes, source, model)
    check_known(found, names)
    pictures, tensors, skipped = _read(found.pictures, spec)
    truth = np.array([names.index(picture.label) for picture in pictures], np.int64)
    first = _halves(pictures, seed)
    chosen = _some(first, seed)
    if len(chosen) < _FEWEST:
        raise PictureSetError(
            f"{data}: only {number_of(len(pictures), 'pictures')} can be read; to find out "
            f"which normalisation a model needs takes {2 * _FEWEST} or more: give more pictures"
        )
    if len(set(truth.tolist())) < 2:
        raise PictureSetError(
            f"{data}: all pictures are of one class, {names[truth[0]]!r}; to find out which "
            "normalisation a model needs takes pictures of two classes or more: add other classes"
        )
    gives = _output_kind(content, interface, ways[0], tensors[chosen], model)
    answers = {
        way: _scores(content, interface, way, gives, tensors[chosen], doing=f"trying {way}")
        for way in ways
    }
    if interface.classes != len(names):
        rows = [scores.argmax(axis=1) for scores in answers.values()]
        hint = background_hint(rows, truth[chosen], names)
        raise label_count_error(names, interface.classes, source, model, hint=hint)
    tried = rank_normalisations(
        [TriedNormalisation.of(way, scores, truth[chosen]) for way, scores in answers.items()]
    )
    check_better_than_chance(tried, wanted, truth[chosen], names, model=model, source=source)
    check_label_swaps(truth[chosen], tried[0].best, names, source=source)
    coloured = spec.channels == 3 and bool(_redness(tensors[chosen]) > _COLOURED)
    best = choose_normalisation(tried, wanted, evidence, model, coloured=coloured)
    rewired = adapt_model(content, interface, best, gives=gives)
    scores = score_tflite(rewired, tensors, doing="scoring").scores
    # With another normalisation than the best, red things may be answered as blue ones, which says
    # nothing about the order of the labels.
    trusted = best == tried[0].normalisation or wanted is None
    doubts = (
        check_label_swaps(truth, scores.argmax(axis=1), names, source=source) if trusted else ()
    )
    thresholds = choose_thresholds(scores[first], truth[first], names, AcceptPlan())
    accept = {label: threshold.value for label, threshold in thresholds.items()}
    notes = (*doubts, *_unpromised(thresholds))
    evaluation = evaluate_scores(scores[~first], truth[~first], names, accept)
    judged = [picture for picture, mine in zip(pictures, first, strict=True) if not mine]
    golden = choose_golden(_as_test(judged), rewired, spec, seed=seed)
    findings = Findings(names, best, tried, accept, evaluation, notes)
    draft = Draft(
        title=title,
        model=rewired,
        labels=names,
        spec=spec,
        golden=golden,
        card=imported_card(str(title), model.name, spec, findings),
        manifest={
            "accept": accept,
            "quantization": {"scheme": "imported", "calibration_pictures": 0},
            "figures": {"imported": evaluation.to_json()},
            "recipe": {
                "name": "imported",
                "source_sha256": hashlib.sha256(content).hexdigest(),
                "normalisation": str(best),
                "evidence": None if evidence is None else evidence.source,
                "softmax_added": gives == "logits",
                "tried": {str(t.normalisation): t.accuracy.value for t in tried},
                "accept_notes": list(notes),
                "seed": seed,
            },
            "data": {"pictures": {"chosen_on": int(first.sum()), "test": int((~first).sum())}},
            "tools": tool_versions(),
        },
    )
    bundle = draft.write(out, replace=replace)
    return ImportedModel(bundle, tried, gives, evaluation, notes, (*found.skipped, *skipped))


def _read(
    pictures: Sequence[LabelledPicture], spec: InputSpec
) -> tuple[list[LabelledPicture], npt.NDArray[np.uint8], list[str]]:
    good, tensors, skipped = [], [], []
    with Progress("reading pictures", total=len(pictures)) as progress:
        for picture in pictures:
            progress.advance()
            try:
                tensors.append(preprocess(read_image(picture.path), spec))
            except UnreadableImageError as error:
                skipped.append(str(error))
            else:
                good.append(picture)
    return good, np.array(tensors, np.uint8).reshape(-1, *spec.shape), skipped


def _halves(pictures: Sequence[LabelledPicture], seed: int) -> npt.NDArray[np.bool_]:
    """Bool (pictures,): True for a random half of the pictures of each label."""
    draw = random.Random(seed)  # `random()` gives the same on every Python
    by_label: dict[str, list[int]] = defaultdict(list)
    for index, picture in enumerate(pictures):
        by_label[picture.label].append(index)
    first = np.zeros(len(pictures), bool)
    for label in sorted(by_label):
        mine = [i for _, i in sorted((draw.random(), i) for i in by_label[label])]
        first[mine[::2]] = True
    return first


def _some(first: npt.NDArray[np.bool_], seed: int) -> npt.NDArray[np.int64]:
    """The indices of at most MAX_TRIED_PICTURES pictures of the first half, drawn at random."""
    found = np.flatnonzero(first)
    if len(found) > MAX_TRIED_PICTURES:
        draw = random.Random(seed)  # `random()` gives the same on every Python
        order = sorted(range(len(found)), key=lambda _: draw.random())
        found = np.sort(found[order[:MAX_TRIED_PICTURES]])
    return found


def _as_test(pictures: Sequence[LabelledPicture]) -> list[LabelledPicture]:
    return [LabelledPicture(p.path, p.label, p.group, "test", p.source) for p in pictures]


def _scores(
    content: bytes,
    interface: ModelInterface,
    way: Normalisation,
    gives: OutputKind,
    tensors: npt.NDArray[np.uint8],
    *,
    doing: str,
) -> npt.NDArray[np.float32]:
    contracted = adapt_model(content, interface, way, gives=gives)
    return score_tflite(contracted, tensors, doing=doing).scores


def _output_kind(
    content: bytes,
    interface: ModelInterface,
    way: Normalisation,
    tensors: npt.NDArray[np.uint8],
    path: Path,
) -> OutputKind:
    """What the model's outputs are. Sums may differ from 1 by the rounding of integer scores.

    Raises:
        ConversionError: the model cannot be adapted, or its scores are not finite.
    """
    try:
        scores = _scores(content, interface, way, "probabilities", tensors, doing="looking")
    except BundleError as error:
        raise ConversionError(
            f"{path}: the model cannot be adapted to pilah's input and output: {error}"
        ) from error
    if not np.isfinite(scores).all():
        raise ConversionError(
            f"{path}: the model gives scores that are not numbers (NaN or infinite): train or "
            "export it again"
        )
    far = np.abs(scores.sum(axis=1) - 1).max() > 0.02 * max(1, interface.classes / 4)
    if scores.min() < -1e-3 or scores.max() > 1.001:
        return "logits"
    return "sigmoids" if far else "probabilities"


def _redness(tensors: npt.NDArray[np.uint8]) -> float:
    """The mean absolute difference of red and blue in these pictures, in levels."""
    return float(np.abs(tensors[..., 0].astype(np.int16) - tensors[..., -1]).mean())


def _unpromised(thresholds: dict[str, AcceptThreshold]) -> tuple[str, ...]:
    """One note about all labels whose threshold has no promised precision; empty if none."""
    notes = {label: t.note for label, t in thresholds.items() if t.note}
    if not notes:
        return ()
    if len(notes) == 1:
        return tuple(f"threshold of {label}: {note}" for label, note in notes.items())
    shown = ", ".join(list(notes)[:_SHOWN])
    more = f" and {len(notes) - _SHOWN:,} more" if len(notes) > _SHOWN else ""
    first = next(iter(notes))
    return (
        f"the thresholds of {len(notes):,} of {len(thresholds):,} labels ({shown}{more}) carry no "
        f"promise. The reason for {first}: {notes[first].removeprefix('no promise: ')}",
    )
