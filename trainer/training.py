"""A training from photographs to a run: the one place where the whole flow can be read."""

from __future__ import annotations

import csv
import hashlib
import importlib.metadata
import io
import itertools
import json
import os
import platform
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge import __version__
from edge.cli import say
from edge.errors import StorageError, UsageError
from edge.files import new_folder, storage_errors
from edge.model.metrics import Evaluation, evaluate_scores
from edge.pictures import PARTS, LabelledPicture, PictureSet, read_picture_set
from trainer.calibrate import Threshold, choose_thresholds, fit_temperature, softmax
from trainer.data.cache import DecodedPictures, decode_pictures
from trainer.data.groups import assign_groups, group_column, join_copies
from trainer.data.split import fold_pictures, split_pictures
from trainer.errors import TooFewPicturesError
from trainer.features import save_features, scratch_folder
from trainer.interrupt import CtrlC
from trainer.networks import INPUT, LOGITS, Network, build_network
from trainer.phases import Best, Epoch, StopTraining, TrainingSet, predict_logits, run_phases
from trainer.recipe import PhasePlan, Recipe, recipe_yaml
from trainer.report.confusion import draw_confusion
from trainer.run import (
    CONFUSION,
    FACTS,
    HISTORY,
    METRICS,
    MODEL,
    RECIPE,
    SKIPPED,
    DataFacts,
    Run,
    RunFacts,
    write_facts,
    write_split,
)

FEWEST = 6
"""Pictures a class must have: fewer leave nothing to validate and to test on."""
_CALIBRATION_SHARE = 0.25
"""Of max_minutes, kept for the cross-fitted scores and the test."""


def train(
    recipe: Recipe,
    data: Path,
    out: Path,
    *,
    variant: str = "default",
    groups: str | None = None,
    seed: int = 0,
    max_minutes: float | None = None,
    replace: bool = False,
) -> Run:
    """The run that `recipe` makes of the pictures in `data`, written to the folder `out`.

    Args:
        data: a folder per class, a CSV manifest or a class map; see `read_picture_set`.
        groups: which pictures belong together; see `assign_groups`.
        seed: of the split, the starting weights, the augmentation and the order.
        max_minutes: instead of the recipe's own.
        replace: take the place of an `out` that is there already.

    Raises:
        PictureSetError, TooFewPicturesError, GroupError: the pictures will not do.
        WeightsMissingError: pretrained weights are not here and cannot be fetched.
        StorageError: `out` exists, or a disk is full.
        StopTraining: Ctrl-C before there was anything to keep.
    """
    start = time.monotonic()
    minutes = recipe.max_minutes if max_minutes is None else max_minutes
    found = read_picture_set(data, group_column=group_column(groups))
    _check_out(out, data, replace=replace)
    # Before the pictures are decoded: missing weights are told at once.
    network = build_network(recipe.network, recipe.input, len(found.classes), seed=seed)
    _check_phases(recipe, network)
    decoded = decode_pictures(found.pictures, recipe.input)
    skipped = (*found.skipped, *decoded.skipped)
    _check_enough(found, decoded, skipped)
    shares = {"validation": recipe.split.validation, "test": recipe.split.test}
    grouped = join_copies(assign_groups(decoded.pictures, groups), decoded.digests)
    pictures = split_pictures(grouped, shares, seed=seed)
    labels = sorted({picture.label for picture in pictures})
    _say_data(pictures, labels, skipped)
    with CtrlC() as ctrl_c, scratch_folder() as scratch:
        trained = _train_and_calibrate(
            network,
            recipe,
            decoded,
            pictures,
            labels,
            seed=seed,
            scratch=scratch,
            ctrl_c=ctrl_c,
            start=start,
            minutes=minutes,
        )
    pictures = tuple(_resolved(picture) for picture in pictures)
    root = (data if data.is_dir() else data.parent).resolve()
    if not all(picture.path.is_relative_to(root) for picture in pictures):
        root = Path(os.path.commonpath([picture.path.parent for picture in pictures]))
    facts = RunFacts(
        recipe=recipe.name,
        variant=variant,
        seed=seed,
        labels=tuple(labels),
        input=recipe.input,
        temperature=trained.temperature,
        accept={label: t.value for label, t in trained.thresholds.items()},
        accept_notes={label: t.note for label, t in trained.thresholds.items() if t.note},
        data=DataFacts(
            path=str(data.resolve()),
            root=str(root),
            digest=_data_digest(pictures, decoded.digests),
            pictures={part: sum(p.part == part for p in pictures) for part in PARTS},
            skipped=len(skipped),
        ),
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        minutes=round((time.monotonic() - start) / 60, 2),
        stopped_early=trained.best.cut_short,
        parameters=int(network.model.count_params()),
        tools=_tools(),
    )
    with new_folder(out, replace=replace) as folder:
        _write_run(folder, network, recipe, trained, labels, root, pictures, facts)
        if skipped:
            (folder / SKIPPED).write_text("\n".join(skipped) + "\n", encoding="utf-8")
    in_groups = len({picture.group for picture in pictures}) < len(pictures)
    _say_result(trained, out, facts, in_groups=in_groups)
    return Run(out, facts)


@dataclass(frozen=True, slots=True, eq=False)
class _Trained:
    best: Best
    temperature: float
    thresholds: dict[str, Threshold]
    validation: Evaluation
    test: Evaluation


def _train_and_calibrate(
    network: Network,
    recipe: Recipe,
    decoded: DecodedPictures,
    pictures: Sequence[LabelledPicture],
    labels: Sequence[str],
    *,
    seed: int,
    scratch: Path,
    ctrl_c: CtrlC,
    start: float,
    minutes: float,
) -> _Trained:
    truth = np.array([labels.index(picture.label) for picture in pictures])
    part = np.array([picture.part for picture in pictures])
    cuts = sorted({p.train_from for p in recipe.phases} - {INPUT}, key=network.depth, reverse=True)
    features = {}
    if cuts:
        features = save_features(
            network,
            cuts,
            decoded.tensors,
            # Validation pictures get copies too: the cross-fitted models train on them.
            part != "test",
            plan=recipe.augment,
            seed=seed,
            folder=scratch,
            check_stop=ctrl_c.check_stop,
        )
    whole = TrainingSet(
        tensors=decoded.tensors,
        truth=truth,
        features=features,
        train=np.flatnonzero(part == "train"),
        validation=np.flatnonzero(part == "validation"),
    )
    end = start + 60 * minutes
    untrained = network.model.get_weights()
    best = run_phases(
        network,
        recipe,
        recipe.phases,
        whole,
        seed=seed,
        deadline=end - 60 * minutes * _CALIBRATION_SHARE,
        check_stop=ctrl_c.check_stop,
    )
    lowest = min(
        (line.phase for line in best.history), key=lambda name: _cut_depth(network, recipe, name)
    )
    cut = next(phase.train_from for phase in recipe.phases if phase.name == lowest)
    logits = {
        name: predict_logits(network, cut, whole, np.flatnonzero(part == name))
        for name in ("validation", "test")
    }
    temperature = fit_temperature(logits["validation"], truth[part == "validation"])
    trained_weights = network.model.get_weights()
    thresholds = _cross_fitted_thresholds(
        network,
        recipe,
        whole,
        pictures,
        labels,
        untrained=untrained,
        seed=seed,
        deadline=end - 20,
        ctrl_c=ctrl_c,
    )
    network.model.set_weights(trained_weights)
    dense = network.model.get_layer(LOGITS)
    dense.set_weights([weights / temperature for weights in dense.get_weights()])
    accept = {label: threshold.value for label, threshold in thresholds.items()}
    figures = {
        name: evaluate_scores(
            softmax(logits[name] / temperature).astype(np.float32),
            truth[part == name],
            labels,
            accept,
        )
        for name in ("validation", "test")
    }
    return _Trained(best, temperature, thresholds, figures["validation"], figures["test"])


def _cut_depth(network: Network, recipe: Recipe, phase: str) -> int:
    return network.depth(next(p.train_from for p in recipe.phases if p.name == phase))


def _cross_fitted_thresholds(
    network: Network,
    recipe: Recipe,
    whole: TrainingSet,
    pictures: Sequence[LabelledPicture],
    labels: Sequence[str],
    *,
    untrained: list[npt.NDArray[np.float32]],
    seed: int,
    deadline: float,
    ctrl_c: CtrlC,
) -> dict[str, Threshold]:
    """Thresholds from scores of every picture but the test part's.

    Each picture is scored by a model that trained on the other folds only, on fewer pictures and
    more shortly than the final one. Both are brought to calibrated probabilities, each by a
    temperature of its own, and a threshold is one of those.
    """
    usable = np.sort(np.concatenate([whole.train, whole.validation]))
    folds = np.array(fold_pictures([pictures[i] for i in usable], recipe.accept.folds, seed=seed))
    phases = _cross_fit_phases(recipe)
    logits = np.zeros((len(pictures), len(labels)), np.float32)
    scored = np.zeros(len(pictures), bool)
    say(f"thresholds: {recipe.accept.folds} models, each scored on what it has not seen")
    for fold in range(recipe.accept.folds):
        held, rest = usable[folds == fold], usable[folds != fold]
        network.model.set_weights(untrained)
        if not len(held):
            continue  # fewer groups than folds
        # The held fold must choose nothing, so the best epoch is judged on a slice of the rest:
        # the whole of it where a class has only one group there.
        inner = np.array(fold_pictures([pictures[i] for i in rest], 8, seed=seed + 1))
        inner_train, inner_validation = rest[inner != 0], rest[inner == 0]
        if set(whole.truth[inner_train]) != set(whole.truth[rest]):
            inner_train = inner_validation = rest
        left = recipe.accept.folds - fold
        now = time.monotonic()
        try:
            run_phases(
                network,
                recipe,
                phases,
                TrainingSet(
                    whole.tensors, whole.truth, whole.features, inner_train, inner_validation
                ),
                seed=seed + 100 * (fold + 1),
                deadline=now + max(1.0, deadline - now) / left,
                check_stop=ctrl_c.check_stop,
                quiet=True,
            )
        except StopTraining:
            break
        logits[held] = predict_logits(network, phases[-1].train_from, whole, held)
        scored[held] = True
        if ctrl_c.wanted:
            break
    if not scored.any():
        scores, truth = np.zeros((0, len(labels))), whole.truth[:0]
    else:
        truth = whole.truth[scored]
        scores = softmax(logits[scored] / fit_temperature(logits[scored], truth))
    return choose_thresholds(scores, truth, labels, recipe.accept)


def _cross_fit_phases(recipe: Recipe) -> list[PhasePlan]:
    needed = [phase for phase in recipe.phases if not phase.if_time]
    last = needed[-1]
    return [
        *needed[:-1],
        last.model_copy(update={"epochs": min(last.epochs, recipe.accept.epochs)}),
    ]


def _check_phases(recipe: Recipe, network: Network) -> None:
    depths = [network.depth(phase.train_from) for phase in recipe.phases]
    if any(later > earlier for earlier, later in itertools.pairwise(depths)):
        raise UsageError(
            "phases must go from the head down: each trains from the same layer as the one before "
            "or from one nearer to the input, else saved outputs would be out of date. Received: "
            f"{[phase.train_from for phase in recipe.phases]}"
        )
    for phase in recipe.phases:
        try:
            trains = bool(network.upper(phase.train_from).trainable_variables)
        except ValueError:  # Keras: the layer's output is not all that the rest depends on
            trains = False
        if not trains:
            raise UsageError(
                f"train_from: the network cannot be cut at {phase.train_from!r} in phase "
                f"{phase.name}: take the end of a block, such as block_12_add, or pooled"
            )


def _check_out(out: Path, data: Path, *, replace: bool) -> None:
    """Passes where a run can be written to `out`, hours before it is."""
    if out.exists():
        if not replace:
            raise StorageError(f"{out} is there already: choose another --out, or add --replace")
        if not (out / FACTS).is_file():
            raise UsageError(f"{out} is no run, so --replace leaves it alone: choose another --out")
        if data.resolve().is_relative_to(out.resolve()):
            raise UsageError(f"{out} holds the pictures: choose another --out")
    with storage_errors("write", out):
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out.absolute().parent):
            pass


def _check_enough(found: PictureSet, decoded: DecodedPictures, skipped: Sequence[str]) -> None:
    counts = Counter(dict.fromkeys(found.classes, 0))
    counts.update(picture.label for picture in decoded.pictures)
    for line in skipped[:20]:
        say(f"skipped: {line}")
    if len(skipped) > 20:
        say(f"skipped: {len(skipped) - 20} more")
    if len(counts) < 2:
        raise TooFewPicturesError(
            f"{found.source}: all pictures are of one class, {found.classes[0]!r}: "
            "there is nothing to tell apart. Add a second class, for example `empty` or `other`"
        )
    for label, count in sorted(counts.items()):
        if count < FEWEST:
            left_out = f" ({len(skipped)} files could not be read)" if skipped else ""
            raise TooFewPicturesError(
                f"{found.source}: class {label!r} has {count} pictures{left_out}, at least "
                f"{FEWEST} are needed and 100 are a good start: add some or remove the class"
            )


def _resolved(picture: LabelledPicture) -> LabelledPicture:
    path = picture.path.parent.resolve() / picture.path.name
    return LabelledPicture(path, picture.label, picture.group, picture.part)


def _data_digest(pictures: Sequence[LabelledPicture], digests: Sequence[str]) -> str:
    lines = sorted(
        f"{digest} {picture.label} {picture.part}"
        for digest, picture in zip(digests, pictures, strict=True)
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _tools() -> dict[str, str]:
    found = {"pilah": __version__, "python": platform.python_version()}
    for name in ("tensorflow", "tensorflow-cpu", "keras", "numpy", "opencv-python-headless"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _write_run(
    folder: Path,
    network: Network,
    recipe: Recipe,
    trained: _Trained,
    labels: Sequence[str],
    root: Path,
    pictures: Sequence[LabelledPicture],
    facts: RunFacts,
) -> None:
    network.model.trainable = True
    network.model.save(folder / MODEL)
    (folder / RECIPE).write_text(recipe_yaml(recipe), encoding="utf-8")
    write_split(folder, root, pictures)
    history = io.StringIO()
    writer = csv.writer(history, lineterminator="\n")
    names = [field.name for field in fields(Epoch)]
    writer.writerow(names)
    for line in trained.best.history:
        writer.writerow([_rounded(getattr(line, name)) for name in names])
    (folder / HISTORY).write_text(history.getvalue(), encoding="utf-8")
    metrics: dict[str, Any] = {
        name: evaluation.to_json() | {"confusion": evaluation.confusion.tolist()}
        for name, evaluation in (("validation", trained.validation), ("test", trained.test))
    }
    metrics["labels"] = list(labels)
    metrics["thresholds"] = {
        label: {"value": t.value, "accepted": t.accepted, "right": t.right, "note": t.note}
        for label, t in trained.thresholds.items()
    }
    (folder / METRICS).write_text(
        json.dumps(metrics, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    draw_confusion(
        trained.test.confusion,
        labels,
        f"test part: {trained.test.accuracy.value:.1%} of {trained.test.accuracy.total} right",
        folder / CONFUSION,
    )
    write_facts(folder, facts)


def _rounded(value: object) -> object:
    return round(value, 6) if isinstance(value, float) else value


def _say_data(
    pictures: Sequence[LabelledPicture], labels: Sequence[str], skipped: Sequence[str]
) -> None:
    counts = Counter((picture.label, picture.part) for picture in pictures)
    groups = len({picture.group for picture in pictures})
    say(
        f"{len(pictures)} pictures in {groups} groups, {len(labels)} classes"
        + (f", {len(skipped)} files skipped" if skipped else "")
    )
    say(f"  {'':<20} {'train':>7} {'validation':>11} {'test':>6}")
    for label in labels:
        train_count, validation, test = (counts[label, part] for part in PARTS)
        say(f"  {label:<20} {train_count:>7} {validation:>11} {test:>6}")


def _say_result(trained: _Trained, out: Path, facts: RunFacts, *, in_groups: bool) -> None:
    say(f"temperature {trained.temperature:.2f}; accepted from:")
    for label, threshold in trained.thresholds.items():
        say(f"  {label:<20} {threshold.value:.2f}  {threshold.note}")
    test = trained.test
    say(f"test part: accuracy {test.accuracy}")
    say(f"           accepted {test.accepted}, of these right {test.purity}")
    if in_groups:
        say("           (pictures of one group are alike: the true intervals are wider)")
    early = " (cut short)" if facts.stopped_early else ""
    say(f"{out}: trained in {facts.minutes:.1f} min{early}")
    say(f"next: pilah-converter convert {out} --out BUNDLE")
