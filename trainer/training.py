"""A training from photographs to a run: the one place where the whole flow can be read."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from edge.cli import say
from edge.files import new_folder
from edge.model.metrics import Evaluation, evaluate_scores
from edge.pictures import PARTS, LabelledPicture, read_picture_set
from trainer.calibrate import Threshold, fit_temperature, softmax
from trainer.captured import as_captured
from trainer.checks import check_enough, check_out, check_phases
from trainer.crossfit import cross_fitted_thresholds
from trainer.data.cache import DecodedPictures, decode_pictures
from trainer.data.groups import assign_groups, group_column, join_copies
from trainer.data.split import split_pictures
from trainer.features import save_features, scratch_folder
from trainer.interrupt import CtrlC
from trainer.networks import INPUT, LOGITS, Network, build_network
from trainer.phases import Best, Epoch, TrainingSet, predict_logits, run_phases
from trainer.recipe import Recipe, recipe_yaml
from trainer.report.confusion import draw_confusion
from trainer.run import (
    CONFUSION,
    HISTORY,
    METRICS,
    MODEL,
    RECIPE,
    SKIPPED,
    DataFacts,
    Run,
    RunFacts,
    tool_versions,
    write_facts,
    write_split,
)

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
    check_out(out, data, replace=replace)
    spec, said = as_captured(recipe.input, [picture.path for picture in found.pictures])
    if said:
        say(said)
    recipe = recipe.model_copy(update={"input": spec})
    # Before the pictures are decoded: missing weights are told at once.
    network = build_network(recipe.network, recipe.input, len(found.classes), seed=seed)
    check_phases(recipe, network)
    decoded = decode_pictures(found.pictures, recipe.input)
    skipped = (*found.skipped, *decoded.skipped)
    check_enough(found, decoded, skipped)
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
        tools=tool_versions(),
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
    thresholds = cross_fitted_thresholds(
        network,
        recipe,
        whole,
        pictures,
        labels,
        untrained=untrained,
        seed=seed,
        deadline=end - 20,
        check_stop=ctrl_c.check_stop,
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


def _resolved(picture: LabelledPicture) -> LabelledPicture:
    path = picture.path.parent.resolve() / picture.path.name
    return LabelledPicture(path, picture.label, picture.group, picture.part)


def _data_digest(pictures: Sequence[LabelledPicture], digests: Sequence[str]) -> str:
    lines = sorted(
        f"{digest} {picture.label} {picture.part}"
        for digest, picture in zip(digests, pictures, strict=True)
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


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
