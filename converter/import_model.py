"""A bundle of somebody else's TFLite classifier: how it wants its pictures is found out, and shown.

Models come with their input in 0..1, -1..1 or raw, as RGB or BGR, and seldom say so; taken the
wrong way they still answer, only worse. So every way is tried on labelled pictures, and where it
does not show which is right, nothing is guessed. Only where coloured pictures show no difference
between RGB and BGR, RGB is taken, as nearly all training tools do, and it is said.
"""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace as changed
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from converter.anatomy import read_anatomy
from converter.battery import score_tflite
from converter.bundle import check_out, checked_title, fill_bundle, plain_name, version_of
from converter.card import imported_card
from converter.compare import check_known
from converter.errors import ConversionError, ForeignModelError
from converter.golden import choose_golden
from converter.rewire import NORMALISATIONS, Normalisation, contract_model
from edge.cli import say
from edge.errors import BundleError, PictureSetError, UnreadableImageError
from edge.files import storage_errors
from edge.labels import read_label_list
from edge.model.bundle import Bundle
from edge.model.image_file import read_image
from edge.model.metrics import Evaluation, Share, evaluate_scores, paired_interval
from edge.model.preprocess import InputSpec, Tensor, preprocess
from edge.pictures import LabelledPicture, read_picture_set
from edge.progress import Progress
from trainer.calibrate import choose_thresholds
from trainer.recipe import AcceptPlan
from trainer.run import tool_versions

MOST_TRIED = 300
"""Pictures that each way to normalise is tried on, at most."""
_FEWEST = 20
"""Pictures to find the way by, at least."""
_COLOURED = 4.0
"""Levels by which red and blue must differ on average, for the order of channels to show."""


@dataclass(frozen=True, slots=True)
class Tried:
    """How right a model is with its pictures normalised one way."""

    normalisation: Normalisation
    right: npt.NDArray[np.bool_]
    """(pictures,)."""

    @property
    def accuracy(self) -> Share:
        """Of the pictures it was tried on."""
        return Share(int(self.right.sum()), len(self.right))


@dataclass(frozen=True, slots=True, eq=False)
class Imported:
    """A bundle, and how it was found out what its model takes."""

    bundle: Bundle
    tried: tuple[Tried, ...]
    """The best first."""
    softmax: bool
    """Its output were logits."""
    evaluation: Evaluation
    """On the half of the pictures that nothing was chosen on."""
    notes: tuple[str, ...]
    """By label: why its threshold promises nothing."""
    skipped: tuple[str, ...]
    """A line for each picture that could not be read."""


def import_model(
    model: Path,
    labels: Path,
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
        labels: a label a line, or `0 name` a line as Teachable Machine writes them.
        data: labelled pictures. One half decides about normalisation and thresholds, by the other
            it is judged.
        normalisation: the name of one; None: whichever is right most often, if that shows.
        geometry: how a photograph becomes its input; see `InputSpec`.
        name, version: of the bundle; None: from the folder `out` and the time.
        seed: decides which pictures belong to which half.
        replace: take the place of a bundle that is there.

    Raises:
        LabelListError: the labels are no list of them.
        ForeignModelError: its labels do not fit, or it does not show what it takes.
        ConversionError: it is no classifier of pictures.
        PictureSetError: a class that it does not know, or too few pictures.
        StorageError: a file cannot be read or written.
    """
    check_out(out, replace=replace)
    with storage_errors("read", model):
        content = model.read_bytes()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    title = checked_title(
        (plain_name(out) or "imported") if name is None else name,
        version_of(now) if version is None else version,
    )
    spec = _spec_of(content, model, geometry)
    names = read_label_list(labels)
    found = read_picture_set(data, labels=names)
    for note in found.notes:
        say(note)
    check_known(found, names)
    pictures, tensors, skipped = _read(found.pictures, spec)
    truth = np.array([names.index(picture.label) for picture in pictures], np.int64)
    first = _halves(pictures, seed)
    chosen = np.flatnonzero(first)[:MOST_TRIED]
    if len(chosen) < _FEWEST:
        raise PictureSetError(
            f"{data}: {len(pictures)} pictures that can be read; to find out what a model takes "
            f"needs {2 * _FEWEST} or more"
        )
    softmax = _gives_logits(content, names, spec, tensors[chosen], model)
    tried = _try_all(content, tensors[chosen], truth[chosen], softmax=softmax, spec=spec)
    coloured = spec.channels == 3 and bool(_redness(tensors[chosen]) > _COLOURED)
    best = decide(tried, normalisation, model, coloured=coloured)
    rewired = contract_model(content, best, softmax=softmax)
    scores = _scores(rewired, tensors, doing="scoring")
    thresholds = choose_thresholds(scores[first], truth[first], names, AcceptPlan())
    accept = {label: threshold.value for label, threshold in thresholds.items()}
    notes = tuple(f"{label}: {t.note}" for label, t in thresholds.items() if t.note)
    evaluation = evaluate_scores(scores[~first], truth[~first], names, accept)
    judged = [picture for picture, mine in zip(pictures, first, strict=True) if not mine]
    golden = choose_golden(_as_test(judged), rewired, spec, seed=seed)
    bundle = fill_bundle(
        out,
        title=title,
        model=rewired,
        labels=names,
        spec=spec,
        golden=golden,
        card=imported_card(
            str(title), names, spec, evaluation, accept, notes, source=model.name,
            taken=str(best), tried=[(str(t.normalisation), str(t.accuracy)) for t in tried],
        ),
        replace=replace,
        accept=accept,
        quantization={"scheme": "imported", "calibration_pictures": 0},
        figures={"imported": evaluation.to_json()},
        recipe={
            "name": "imported",
            "source_sha256": hashlib.sha256(content).hexdigest(),
            "normalisation": str(best),
            "softmax_added": softmax,
            "tried": {str(t.normalisation): t.accuracy.value for t in tried},
            "accept_notes": list(notes),
            "seed": seed,
        },
        data={"pictures": {"chosen_on": int(first.sum()), "test": int((~first).sum())}},
        tools=tool_versions(),
    )  # fmt: skip
    return Imported(bundle, tried, softmax, evaluation, notes, (*found.skipped, *skipped))


def _spec_of(content: bytes, path: Path, geometry: str) -> InputSpec:
    anatomy = read_anatomy(content, name=str(path))
    shape = anatomy.inputs[0].shape if len(anatomy.inputs) == 1 else ()
    if len(shape) != 4 or shape[0] not in (1, -1) or shape[3] not in (1, 3):
        raise ConversionError(
            f"{path}: a classifier takes one picture (1, height, width, 1 or 3). This one takes "
            f"{', '.join(str(port) for port in anatomy.inputs)}"
        )
    return InputSpec.model_validate(
        {"height": shape[1], "width": shape[2], "channels": shape[3], "geometry": geometry}
    )


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


def _as_test(pictures: Sequence[LabelledPicture]) -> list[LabelledPicture]:
    return [LabelledPicture(p.path, p.label, p.group, "test", p.source) for p in pictures]


def _scores(model: bytes, tensors: npt.NDArray[np.uint8], *, doing: str) -> npt.NDArray[np.float32]:
    return score_tflite(model, tensors, doing=doing).scores


def _gives_logits(
    content: bytes,
    labels: Sequence[str],
    spec: InputSpec,
    tensors: npt.NDArray[np.uint8],
    path: Path,
) -> bool:
    """Whether its outputs are no probabilities. The steps of integers are allowed for."""
    try:
        scores = _scores(
            contract_model(content, NORMALISATIONS[0], softmax=False), tensors, doing="looking"
        )
    except BundleError as error:
        raise ConversionError(f"{path}: cannot be given pilah's input and output: {error}") from (
            error
        )
    if scores.shape[1] != len(labels):
        raise ForeignModelError(
            f"{path} gives {scores.shape[1]} scores, and there are {len(labels)} labels: give the "
            "labels file that came with it"
        )
    far = np.abs(scores.sum(axis=1) - 1).max() > 0.02 * max(1, len(labels) / 4)
    return bool(far or scores.min() < -1e-3 or scores.max() > 1.001)


def _try_all(
    content: bytes,
    tensors: Tensor,
    truth: npt.NDArray[np.int64],
    *,
    softmax: bool,
    spec: InputSpec,
) -> tuple[Tried, ...]:
    tried = []
    for way in NORMALISATIONS:
        if way.bgr and spec.channels == 1:
            continue
        scores = _scores(
            contract_model(content, way, softmax=softmax), tensors, doing=f"trying {way}"
        )
        tried.append(Tried(way, scores.argmax(axis=1) == truth))
    return tuple(sorted(tried, key=lambda t: -int(t.right.sum())))


def _redness(tensors: Tensor) -> float:
    """How far red and blue lie apart in these pictures, levels on average."""
    return float(np.abs(tensors[..., 0].astype(np.int16) - tensors[..., -1]).mean())


def decide(
    tried: Sequence[Tried], wanted: str | None, path: Path, *, coloured: bool
) -> Normalisation:
    """The one that was asked for, or the one that is right more often than all others; where only
    the order of the channels does not show, the one that takes RGB.

    Args:
        coloured: the pictures would show it if the order of the channels mattered.

    Raises:
        ForeignModelError: there is none.
    """
    shown = "".join(f"\n  {t.normalisation!s:12} {t.accuracy}" for t in tried)
    if wanted is not None:
        for t in tried:
            if str(t.normalisation) == wanted:
                return t.normalisation
        known = ", ".join(f'"{t.normalisation}"' for t in tried)
        raise ForeignModelError(f"--normalisation takes one of {known}. Received: {wanted!r}")
    best = tried[0]
    turned = changed(best.normalisation, bgr=not best.normalisation.bgr)
    undecided = [t for t in tried[1:] if not _shows(best, t)]
    if coloured and [t.normalisation for t in undecided] == [turned]:
        taken, other = sorted((best.normalisation, turned), key=lambda way: way.bgr)
        say(
            f"in which order it wants the channels makes no difference that shows ({best.accuracy} "
            f"and {undecided[0].accuracy}): taken is {taken}, RGB, as nearly all training tools "
            f'have it; --normalisation "{other}" takes the other'
        )
        return taken
    if undecided:
        raise ForeignModelError(
            f"{path}: it does not show how the model wants its pictures:{shown}\n"
            "Ask whoever made it and give --normalisation, or give more pictures"
        )
    return best.normalisation


def _shows(one: Tried, other: Tried) -> bool:
    """Whether the first is right more often, beyond chance."""
    lost, won = int((one.right & ~other.right).sum()), int((other.right & ~one.right).sum())
    return paired_interval(lost, won, len(one.right))[0] > 0
