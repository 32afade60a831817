"""A training from photographs to a run: the one place where the whole flow can be read."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.cli import say
from edge.files import new_folder
from edge.model.metrics import Evaluation, evaluate_scores
from edge.pictures import PARTS, LabelledPicture
from trainer.calibrate import Threshold, choose_thresholds, fit_temperature, softmax
from trainer.checkpoint import Checkpoint
from trainer.checks import check_out
from trainer.crossfit import CrossFitted, cross_fit, cross_fit_phases
from trainer.data.split import fold_pictures
from trainer.interrupt import CtrlC
from trainer.logs import TensorBoard
from trainer.networks import LOGITS
from trainer.phases import Best, Epoch, StopTraining, Watch, predict, run_phases
from trainer.prepare import Prepared, prepare, training_set
from trainer.recipe import Recipe, read_recipe, recipe_yaml
from trainer.report.confusion import draw_confusion
from trainer.run import (
    CONFUSION,
    HISTORY,
    METRICS,
    MODEL,
    RECIPE,
    SKIPPED,
    TENSORBOARD,
    DataFacts,
    Run,
    RunFacts,
    tool_versions,
    write_facts,
    write_split,
)
from trainer.summary import say_data, say_result

_CALIBRATION_SHARE = 0.25
"""Of max_minutes, kept for the cross-fitted scores and the test."""


def train(
    recipe: Recipe | str | Path,
    data: str | Path,
    out: str | Path,
    *,
    variant: str = "default",
    settings: Sequence[str] = (),
    groups: str | None = None,
    seed: int = 0,
    max_minutes: float | None = None,
    resume: bool = False,
    replace: bool = False,
) -> Run:
    """The run that a recipe makes of the pictures in `data`, written to the folder `out`.

    The same call gives the same model again, and so does one that was killed and gone on with.

    Example:
        run = trainer.train("mobilenet_v2", "photos", "runs/first", groups="blocks:20")
        print(run.facts.labels, run.path / "report.html")

    Args:
        recipe: the name of a shipped recipe, the path of a `.yaml` file, or a `Recipe`.
        data: a folder per class, a CSV manifest or a class map; see `read_picture_set`.
        variant: of the recipe, by its name; with a `Recipe`, what to note as its variant.
        settings: changes of the recipe, each as `key=value`; not with a `Recipe`.
        groups: which pictures belong together; see `assign_groups`.
        seed: of the split, the starting weights, the augmentation and the order.
        max_minutes: instead of the recipe's own.
        resume: go on with a training to `out` that was killed.
        replace: take the place of an `out` that is there already, and of a killed training to it.

    Raises:
        ConfigError, UsageError: the recipe is wrong.
        PictureSetError, TooFewPicturesError, GroupError: the pictures will not do.
        WeightsMissingError: pretrained weights are not here and cannot be fetched.
        StorageError: `out` exists, there is nothing to resume, or a disk is full.
        StopTraining: Ctrl-C before there was anything to keep.
    """
    start = time.monotonic()
    data, out = Path(data), Path(out)
    if not isinstance(recipe, Recipe):
        recipe = read_recipe(str(recipe), variant=variant, settings=settings)
    check_out(out, data, replace=replace)
    unfinished = out.absolute().parent / f".{out.name}.training"
    if replace and not resume:
        shutil.rmtree(unfinished, ignore_errors=True)
    prepared = prepare(recipe, data, groups=groups, seed=seed)
    pictures = tuple(_resolved(picture) for picture in prepared.pictures)
    digest = _data_digest(pictures, prepared.decoded.digests)
    plan = {"recipe": recipe_yaml(prepared.recipe), "seed": seed, "pictures": digest}
    checkpoint = Checkpoint.begin(unfinished, plan, resume=resume)
    say_data(prepared)
    minutes = prepared.recipe.max_minutes if max_minutes is None else max_minutes
    try:
        with CtrlC() as ctrl_c:
            deadline = start + 60 * minutes - checkpoint.spent
            trained = _train_and_calibrate(
                prepared, seed=seed, deadline=deadline, checkpoint=checkpoint, ctrl_c=ctrl_c
            )
        facts = RunFacts(
            recipe=recipe.name,
            variant=variant,
            seed=seed,
            labels=prepared.labels,
            input=prepared.recipe.input,
            temperature=trained.temperature,
            accept={label: t.value for label, t in trained.thresholds.items()},
            accept_notes={label: t.note for label, t in trained.thresholds.items() if t.note},
            data=DataFacts(
                path=str(data.resolve()),
                root=str(_root(data, pictures)),
                digest=digest,
                pictures={part: sum(p.part == part for p in pictures) for part in PARTS},
                skipped=len(prepared.skipped),
            ),
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
            minutes=round((time.monotonic() - start + checkpoint.spent) / 60, 2),
            stopped_early=trained.best.cut_short,
            parameters=int(prepared.network.model.count_params()),
            tools=tool_versions(),
        )
        with new_folder(out, replace=replace) as folder:
            _write_run(folder, prepared, trained, pictures, facts)
            if (logs := checkpoint.folder / TENSORBOARD).is_dir():
                shutil.copytree(logs, folder / TENSORBOARD)
    except BaseException as error:
        # A mistake or a disk that is full: what was done so far can be gone on with. Ctrl-C is a
        # wish to end it.
        if isinstance(error, (StopTraining, KeyboardInterrupt)) or not checkpoint.begun:
            checkpoint.remove()
        raise
    checkpoint.remove()
    say_result(
        trained.thresholds,
        trained.test,
        out,
        facts,
        in_groups=len({picture.group for picture in pictures}) < len(pictures),
    )
    return Run(out, facts)


@dataclass(frozen=True, slots=True, eq=False)
class _Trained:
    best: Best
    temperature: float
    thresholds: dict[str, Threshold]
    cross_fitted: CrossFitted
    validation: Evaluation
    test: Evaluation


def _train_and_calibrate(
    prepared: Prepared, *, seed: int, deadline: float, checkpoint: Checkpoint, ctrl_c: CtrlC
) -> _Trained:
    recipe, network, truth = prepared.recipe, prepared.network, prepared.truth
    validation = prepared.of("validation")
    choosing, judging = validation, validation
    if recipe.accept.folds == 1:
        halves = np.array(fold_pictures([prepared.pictures[i] for i in validation], 2, seed=seed))
        choosing, judging = validation[halves == 0], validation[halves == 1]
    whole = training_set(
        prepared,
        recipe.phases,
        # Validation pictures get copies too: the cross-fitted models train on them.
        with_copies=prepared.part != "test",
        train=prepared.of("train"),
        validation=choosing,
        check_stop=ctrl_c.check_stop,
    )
    untrained = network.state()
    reserved = (deadline - time.monotonic()) * _CALIBRATION_SHARE * (recipe.accept.folds > 1)
    with TensorBoard(checkpoint.folder / TENSORBOARD) as logs:
        watch = Watch(deadline - reserved, ctrl_c.check_stop, on_epoch=logs.add)
        best = run_phases(
            network, recipe, recipe.phases, whole, seed=seed, watch=watch, checkpoint=checkpoint
        )
    ran = {line.phase for line in best.history}
    lowest = min(
        (phase.train_from for phase in recipe.phases if phase.name in ran), key=network.depth
    )
    logits, pooled = {}, {}
    parts = {"judging": judging, "validation": validation, "test": prepared.of("test")}
    for name, indices in parts.items():
        logits[name], pooled[name] = predict(network, lowest, whole, indices)
    temperature = fit_temperature(logits["judging"], truth[judging])
    trained_weights = network.model.get_weights()
    if recipe.accept.folds == 1:
        scored = CrossFitted(
            judging, logits["judging"], pooled["judging"], np.zeros(len(judging), np.int64)
        )
    else:
        say(f"thresholds: {recipe.accept.folds} models, each scored on what it has not seen")
        scored = cross_fit(
            network,
            recipe,
            cross_fit_phases(recipe),
            whole,
            prepared.pictures,
            prepared.of("train", "validation"),
            folds=recipe.accept.folds,
            untrained=untrained,
            seed=seed,
            watch=Watch(deadline - 20, ctrl_c.check_stop),
            checkpoint=checkpoint,
        )
    thresholds = _thresholds(scored, truth, prepared.labels, recipe)
    network.model.set_weights(trained_weights)
    dense = network.model.get_layer(LOGITS)
    dense.set_weights([weights / temperature for weights in dense.get_weights()])
    accept = {label: threshold.value for label, threshold in thresholds.items()}
    figures = {
        name: evaluate_scores(
            softmax(logits[name] / temperature).astype(np.float32),
            truth[prepared.of(name)],
            prepared.labels,
            accept,
        )
        for name in ("validation", "test")
    }
    return _Trained(best, temperature, thresholds, scored, figures["validation"], figures["test"])


def _thresholds(
    scored: CrossFitted, truth: npt.NDArray[np.int64], labels: Sequence[str], recipe: Recipe
) -> dict[str, Threshold]:
    """Thresholds from what models said of pictures they had not trained on.

    A cross-fitted model trained on fewer pictures and more shortly than the final one. Both are
    brought to calibrated probabilities, each by a temperature of its own, and a threshold is one of
    those.
    """
    mine = truth[scored.indices]
    if not len(mine):
        return choose_thresholds(np.zeros((0, len(labels))), mine, labels, recipe.accept)
    scores = softmax(scored.logits / fit_temperature(scored.logits, mine))
    return choose_thresholds(scores, mine, labels, recipe.accept)


def _root(data: Path, pictures: Sequence[LabelledPicture]) -> Path:
    root = (data if data.is_dir() else data.parent).resolve()
    if all(picture.path.is_relative_to(root) for picture in pictures):
        return root
    return Path(os.path.commonpath([picture.path.parent for picture in pictures]))


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
    prepared: Prepared,
    trained: _Trained,
    pictures: Sequence[LabelledPicture],
    facts: RunFacts,
) -> None:
    labels = prepared.labels
    prepared.network.model.trainable = True
    prepared.network.model.save(folder / MODEL)
    (folder / RECIPE).write_text(recipe_yaml(prepared.recipe), encoding="utf-8")
    write_split(folder, Path(facts.data.root), pictures)
    if prepared.skipped:
        (folder / SKIPPED).write_text("\n".join(prepared.skipped) + "\n", encoding="utf-8")
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
