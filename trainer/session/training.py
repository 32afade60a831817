"""A training from photographs to a run: the one place where the whole flow can be read."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.core.dataset import PARTS
from trainer.calibration.verdicts import Verdicts, choose_verdicts, fold_in
from trainer.data.split import fold_pictures
from trainer.errors import TooFewPicturesError
from trainer.fit.checkpoint import Checkpoint
from trainer.fit.checks import check_out
from trainer.fit.features import pooled_outputs
from trainer.fit.phases import Best, StopTraining, Watch, run_phases
from trainer.fit.predict import TrainingSet
from trainer.fit.prepare import Prepared, prepare, training_set
from trainer.recipes.plan import Recipe
from trainer.recipes.reading import read_recipe, recipe_yaml
from trainer.run import TENSORBOARD, DataFacts, Run, RunFacts, UnknownFacts, tool_versions
from trainer.session.evaluation import Stages
from trainer.session.interrupt import CtrlC
from trainer.session.logs import TensorBoard
from trainer.session.run_writer import data_digest, resolved, root_of, write_run
from trainer.session.summary import say_data, say_result

_CALIBRATION_SHARE = 0.25
"""Of max_minutes, kept for the cross-fitted scores and the report."""


def train(
    recipe: Recipe | str | Path,
    data: str | Path,
    out: str | Path,
    *,
    variant: str = "default",
    settings: Sequence[str] = (),
    add: Sequence[str | Path] = (),
    groups: str | None = None,
    keep_parts: str | Path | None = None,
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
        data: a folder per class, a CSV manifest, a class map, or arrays; see `read_picture_set`.
        variant: of the recipe, by its name; with a `Recipe`, what to note as its variant.
        settings: changes of the recipe, each as `key=value`; not with a `Recipe`.
        add: later pictures; they move none of `data` to another part.
        groups: which pictures belong together; see `assign_groups`.
        keep_parts: an earlier run whose pictures keep the part that they had there, for a folder
            that has grown since.
        seed: of the split, the starting weights, the augmentation and the order.
        max_minutes: instead of the recipe's own.
        resume: go on with a training to `out` that was killed.
        replace: take the place of an `out` that is there already, and of a killed training to it.

    Raises:
        ConfigError, UsageError: the recipe is wrong.
        PictureSetError, TooFewPicturesError, GroupError: the pictures will not do.
        RunError: `keep_parts` is no run that says which picture was used for what.
        WeightsMissingError: pretrained weights are not here and cannot be fetched.
        StorageError: `out` exists, there is nothing to resume, or a disk is full.
        StopTraining: Ctrl-C before there was anything to keep.
    """
    stages = Stages()
    data, out = Path(data), Path(out)
    name = recipe.name if isinstance(recipe, Recipe) else str(recipe)
    if not isinstance(recipe, Recipe):
        recipe = read_recipe(name, variant=variant, settings=settings)
    check_out(out, data, replace=replace)
    unfinished = out.absolute().parent / f".{out.name}.training"
    if replace and not resume:
        shutil.rmtree(unfinished, ignore_errors=True)
    kept = None if keep_parts is None else Path(keep_parts)
    prepared = prepare(recipe, data, add=add, groups=groups, seed=seed, keep_parts=kept)
    pictures = tuple(resolved(picture) for picture in prepared.pictures)
    digest = data_digest(pictures, prepared.decoded.digests)
    plan = {"recipe": recipe_yaml(prepared.recipe), "seed": seed, "pictures": digest}
    with CtrlC() as ctrl_c:
        checkpoint = Checkpoint.begin(unfinished, plan, resume=resume)
        try:
            with ctrl_c.second_ends():
                say_data(prepared)
                stages.ended("pictures")
                minutes = prepared.recipe.max_minutes if max_minutes is None else max_minutes
                stages.before = checkpoint.spent
                deadline = time.monotonic() + 60 * (minutes - stages.minutes)
                ctrl_c.check_stop()
                trained = _train(prepared, seed, deadline, checkpoint, ctrl_c, stages)
                verdicts = trained.verdicts
                fold_in(prepared, verdicts.temperature)
                facts = RunFacts(
                    recipe=recipe.name,
                    variant=variant,
                    seed=seed,
                    labels=prepared.labels,
                    input=prepared.recipe.input,
                    temperature=verdicts.temperature,
                    accept={label: t.value for label, t in verdicts.thresholds.items()},
                    accept_notes={
                        label: t.note for label, t in verdicts.thresholds.items() if t.note
                    },
                    accept_basis=verdicts.basis,
                    unknown=None
                    if verdicts.unknown is None
                    else UnknownFacts.model_validate(verdicts.unknown.to_json()),
                    data=DataFacts(
                        path=str(data.resolve()),
                        root=str(root_of(data, pictures)),
                        digest=digest,
                        pictures={part: sum(p.part == part for p in pictures) for part in PARTS},
                        skipped=len(prepared.skipped),
                    ),
                    finished=datetime.now(UTC).isoformat(timespec="seconds"),
                    minutes=stages.minutes,
                    stopped_early=trained.best.cut_short,
                    parameters=int(prepared.network.model.count_params()),
                    tools=tool_versions(),
                )
                report, facts = write_run(
                    out,
                    prepared,
                    trained.whole,
                    trained.best,
                    verdicts,
                    cut=trained.cut,
                    frozen=trained.frozen,
                    pictures=pictures,
                    facts=facts,
                    command=_command(
                        name, data, add, out, variant, settings, groups, kept, seed, max_minutes
                    ),
                    logs=checkpoint.folder / TENSORBOARD,
                    stages=stages,
                    deadline=deadline,
                    replace=replace,
                )
        except BaseException as error:
            # After a mistake, or on a full disk, what was done so far can be gone on with. Ctrl-C
            # is a wish to end it; the first takes nothing away that an earlier training has done.
            stopped = isinstance(error, StopTraining) and not resume
            if stopped or isinstance(error, KeyboardInterrupt) or not checkpoint.begun:
                checkpoint.remove()
            raise
        checkpoint.remove()
    say_result(report, out, facts)
    return Run(out, facts)


@dataclass(frozen=True, slots=True, eq=False)
class _Trained:
    whole: TrainingSet
    best: Best
    verdicts: Verdicts
    cut: str
    """The lowest layer that was trained from."""
    frozen: npt.NDArray[np.float32] | None
    """(pictures, depth): outputs of `pooled` as the network came; None where it came untrained."""


def _train(
    prepared: Prepared,
    seed: int,
    deadline: float,
    checkpoint: Checkpoint,
    ctrl_c: CtrlC,
    stages: Stages,
) -> _Trained:
    recipe, network = prepared.recipe, prepared.network
    choosing = judging = prepared.of("validation")
    if recipe.accept.folds == 1:
        pictures = [prepared.pictures[i] for i in choosing]
        halves = np.array(fold_pictures(pictures, 2, seed=seed))
        choosing, judging = choosing[halves == 0], choosing[halves == 1]
        if not len(judging):
            raise TooFewPicturesError(
                "accept.folds: 1 takes half of the validation part to choose the epoch and half to "
                "choose thresholds, but all its pictures belong together: set accept.folds to 2 or "
                "more, or give more series"
            )
    whole = training_set(
        prepared,
        recipe.phases,
        # Validation pictures get copies too: the cross-fitted models train on them.
        with_copies=prepared.part != "test",
        train=prepared.of("train"),
        validation=choosing,
        check_stop=ctrl_c.check_stop,
    )
    frozen = None
    if network.pretrained:
        tensors, digests = prepared.decoded.tensors, prepared.decoded.digests
        frozen = pooled_outputs(
            network, tensors, digests, spec=recipe.input, check_stop=ctrl_c.check_stop
        )
    stages.ended("frozen layers")
    untrained = network.state()
    reserved = (deadline - time.monotonic()) * _CALIBRATION_SHARE * (recipe.accept.folds > 1)
    with TensorBoard(checkpoint.folder / TENSORBOARD) as logs:
        watch = Watch(deadline - reserved, ctrl_c.check_stop, on_epoch=logs.add)
        best = run_phases(
            network, recipe, recipe.phases, whole, seed=seed, watch=watch, checkpoint=checkpoint
        )
    stages.ended("training")
    ran = {line.phase for line in best.history}
    cuts = [phase.train_from for phase in recipe.phases if phase.name in ran]
    cut = min(cuts, key=network.depth)
    verdicts = choose_verdicts(
        prepared,
        whole,
        judging,
        best,
        cut=cut,
        frozen=frozen,
        untrained=untrained,
        seed=seed,
        deadline=deadline,
        check_stop=ctrl_c.check_stop,
        checkpoint=checkpoint,
    )
    stages.ended("verdicts")
    return _Trained(whole, best, verdicts, cut, frozen)


def _command(
    recipe: str,
    data: Path,
    add: Sequence[str | Path],
    out: Path,
    variant: str,
    settings: Sequence[str],
    groups: str | None,
    keep_parts: Path | None,
    seed: int,
    max_minutes: float | None,
) -> list[str]:
    # Beside this run, which is there now: a command that is pasted must not be refused for it.
    again = out.with_name(f"{out.name}-again")
    words = ["pilah-trainer", "train", recipe, "--data", str(data), "--out", str(again)]
    for more in add:
        words += ["--add", str(more)]
    if variant != "default":
        words += ["--variant", variant]
    for setting in settings:
        words += ["--set", setting]
    if groups is not None:
        words += ["--groups", groups]
    if keep_parts is not None:
        words += ["--keep-parts", str(keep_parts)]
    if max_minutes is not None:
        words += ["--max-minutes", f"{max_minutes:g}"]
    return [*words, "--seed", str(seed)]
