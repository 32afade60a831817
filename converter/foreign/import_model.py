"""A bundle of somebody else's TFLite classifier: how it wants its pictures is found out, and shown.

Models come with their input in 0..1, -1..1 or raw, as RGB or BGR, and seldom say so; taken the
wrong way they still answer, only worse. So what the file says is held against labelled pictures
normalised every way, and where it does not show which is right, nothing is guessed. Their labels
come in another order than their outputs: that shows on the same pictures. The parts of all this are
in `converter/foreign/`.
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

from converter.bundle.golden import choose_golden
from converter.bundle.writer import Draft, check_out, checked_title, plain_name, version_of
from converter.errors import ConversionError
from converter.foreign.card import Findings, imported_card
from converter.foreign.evidence import normalisations_to_try, read_evidence
from converter.foreign.interface import ModelInterface, read_interface
from converter.foreign.labels import find_labels, wrong_count
from converter.foreign.normalisations import (
    TriedNormalisation,
    best_first,
    choose_normalisation,
    read_normalisation,
)
from converter.foreign.order_check import background_hint, check_chance, check_swaps
from converter.foreign.surgery import Normalisation, Outputs, contract_model
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
from trainer.calibration.accept_thresholds import AcceptThreshold, choose_thresholds
from trainer.recipes.plan import AcceptPlan
from trainer.run import tool_versions

_log = logging.getLogger(__name__)

MOST_TRIED = 300
"""Pictures that each way to normalise is tried on, at most."""
_FEWEST = 20
"""Pictures to find the way by, at least."""
_SHOWN = 5
"""Labels that are named of many."""
_COLOURED = 4.0
"""Levels by which red and blue must differ on average, for the order of channels to show."""


@dataclass(frozen=True, slots=True, eq=False)
class Imported:
    """A bundle, and how it was found out what its model takes."""

    bundle: Bundle
    tried: tuple[TriedNormalisation, ...]
    """The best first."""
    gives: Outputs
    """What its output was."""
    evaluation: Evaluation
    """On the half of the pictures that nothing was chosen on."""
    notes: tuple[str, ...]
    """What is not promised, and what is in doubt."""
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
) -> Imported:
    """The bundle of a `.tflite` classifier, written to the folder `out`.

    Args:
        labels: a label a line, or `0 name` a line as Teachable Machine writes them; None: those
            inside the model.
        data: labelled pictures. One half decides about normalisation and thresholds, by the other
            it is judged. All of them have a say in whether the labels are refused.
        normalisation: the name of one; None: what the file says, or whichever is right most often,
            if that shows.
        geometry: how a photograph becomes its input; see `InputSpec`.
        name, version: of the bundle; None: from the folder `out` and the time.
        seed: decides which pictures belong to which half.
        replace: take the place of a bundle that is there.

    Raises:
        LabelListError: the labels are no list of them.
        ForeignModelError: its labels do not fit, or it does not show what it takes.
        ConversionError: it is no classifier of pictures.
        PictureSetError: a class that it does not know, or too few pictures.
        UsageError: the normalisation or the title cannot be.
        StorageError: a file cannot be read or written.
    """
    check_out(out, replace=replace)
    with storage_errors("read", model):
        content = read_regular(model, largest=LARGEST[MODEL])
    now = datetime.now(UTC).isoformat(timespec="seconds")
    title = checked_title(
        (plain_name(out) or "imported") if name is None else name,
        version_of(now) if version is None else version,
    )
    form = read_interface(content, model)
    described = read_metadata(content)
    evidence = read_evidence(form, described)
    ways = normalisations_to_try(form, evidence)
    wanted = None if normalisation is None else read_normalisation(normalisation, ways)
    spec = InputSpec.model_validate(
        {k: getattr(form, k) for k in ("height", "width", "channels")} | {"geometry": geometry}
    )
    found_labels = find_labels(labels, model, content, described)
    names, source = found_labels.names, found_labels.source
    for note in found_labels.notes:
        _log.warning(note)
    if form.has_unknown:
        _log.warning(
            f"{model}: its novelty score is left out, for the threshold that belongs to it is not "
            "in the file"
        )
    found = read_picture_set(data, labels=names)
    for note in found.notes:
        _log.info(note)
    if form.classes != len(names) and not set(found.labels) <= set(names):
        raise wrong_count(names, form.classes, source, model)
    check_known(found, names)
    pictures, tensors, skipped = _read(found.pictures, spec)
    truth = np.array([names.index(picture.label) for picture in pictures], np.int64)
    first = _halves(pictures, seed)
    chosen = _some(first, seed)
    if len(chosen) < _FEWEST:
        raise PictureSetError(
            f"{data}: {len(pictures)} pictures that can be read; to find out what a model takes "
            f"needs {2 * _FEWEST} or more"
        )
    if len(set(truth.tolist())) < 2:
        raise PictureSetError(
            f"{data}: all pictures are of one class, {names[truth[0]]!r}: to find out what a model "
            "takes needs pictures of two classes or more"
        )
    gives = _what_it_gives(content, form, ways[0], tensors[chosen], model)
    answers = {
        way: _scores(content, form, way, gives, tensors[chosen], doing=f"trying {way}")
        for way in ways
    }
    if form.classes != len(names):
        rows = [scores.argmax(axis=1) for scores in answers.values()]
        hint = background_hint(rows, truth[chosen], names)
        raise wrong_count(names, form.classes, source, model, hint=hint)
    tried = best_first(
        [TriedNormalisation.of(way, scores, truth[chosen]) for way, scores in answers.items()]
    )
    check_chance(tried, wanted, truth[chosen], names, model=model, source=source)
    check_swaps(truth[chosen], tried[0].best, names, source=source)
    coloured = spec.channels == 3 and bool(_redness(tensors[chosen]) > _COLOURED)
    best = choose_normalisation(tried, wanted, evidence, model, coloured=coloured)
    rewired = contract_model(content, form, best, gives=gives)
    scores = score_tflite(rewired, tensors, doing="scoring").scores
    # Asked for another way than the best, it may well take red things for blue ones: of the labels
    # that says nothing.
    trusted = best == tried[0].normalisation or wanted is None
    doubts = check_swaps(truth, scores.argmax(axis=1), names, source=source) if trusted else ()
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
    return Imported(bundle, tried, gives, evaluation, notes, (*found.skipped, *skipped))


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
    """Bool (pictures,): half of each label's, by chance."""
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
    """Indices of MOST_TRIED pictures of the first half at most, drawn by chance."""
    found = np.flatnonzero(first)
    if len(found) > MOST_TRIED:
        draw = random.Random(seed)  # `random()` gives the same on every Python
        order = sorted(range(len(found)), key=lambda _: draw.random())
        found = np.sort(found[order[:MOST_TRIED]])
    return found


def _as_test(pictures: Sequence[LabelledPicture]) -> list[LabelledPicture]:
    return [LabelledPicture(p.path, p.label, p.group, "test", p.source) for p in pictures]


def _scores(
    content: bytes,
    form: ModelInterface,
    way: Normalisation,
    gives: Outputs,
    tensors: npt.NDArray[np.uint8],
    *,
    doing: str,
) -> npt.NDArray[np.float32]:
    contracted = contract_model(content, form, way, gives=gives)
    return score_tflite(contracted, tensors, doing=doing).scores


def _what_it_gives(
    content: bytes,
    form: ModelInterface,
    way: Normalisation,
    tensors: npt.NDArray[np.uint8],
    path: Path,
) -> Outputs:
    """Whether its outputs are probabilities. The steps of integers are allowed for.

    Raises:
        ConversionError: it cannot be run with pilah's input and output, or gives no numbers.
    """
    try:
        scores = _scores(content, form, way, "probabilities", tensors, doing="looking")
    except BundleError as error:
        raise ConversionError(
            f"{path}: cannot be given pilah's input and output: {error}"
        ) from error
    if not np.isfinite(scores).all():
        raise ConversionError(f"{path}: gives scores that are no numbers (NaN or infinite)")
    far = np.abs(scores.sum(axis=1) - 1).max() > 0.02 * max(1, form.classes / 4)
    if scores.min() < -1e-3 or scores.max() > 1.001:
        return "logits"
    return "shares" if far else "probabilities"


def _redness(tensors: npt.NDArray[np.uint8]) -> float:
    """How far red and blue lie apart in these pictures, levels on average."""
    return float(np.abs(tensors[..., 0].astype(np.int16) - tensors[..., -1]).mean())


def _unpromised(thresholds: dict[str, AcceptThreshold]) -> tuple[str, ...]:
    """One line about all labels whose threshold promises nothing."""
    notes = {label: t.note for label, t in thresholds.items() if t.note}
    if not notes:
        return ()
    if len(notes) == 1:
        return tuple(f"threshold of {label}: {note}" for label, note in notes.items())
    shown = ", ".join(list(notes)[:_SHOWN])
    more = f" and {len(notes) - _SHOWN:,} more" if len(notes) > _SHOWN else ""
    first = next(iter(notes))
    return (
        f"thresholds of {len(notes):,} of {len(thresholds):,} labels ({shown}{more}) promise "
        f"nothing. Of {first}: {notes[first].removeprefix('no promise: ')}",
    )
