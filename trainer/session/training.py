"""A training from photographs to a run: the one place where the whole flow can be read."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from trainer.fit.checkpoint import Checkpoint
from trainer.fit.phases import StopTraining
from trainer.fit.preconditions import check_out
from trainer.recipes.plan import Recipe
from trainer.recipes.reading import read_recipe, recipe_yaml
from trainer.run import Run
from trainer.session.interrupt import CtrlC
from trainer.session.request import TrainingRequest
from trainer.session.run_writer import write_run
from trainer.session.stage_times import Stages
from trainer.session.summary import say_data, say_result
from trainer.session.training_session import TrainingSession


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
    from_run: str | Path | None = None,
    seed: int = 0,
    max_minutes: float | None = None,
    resume: bool = False,
    replace: bool = False,
    compared: bool = False,
) -> Run:
    """The run that a recipe makes of the pictures in `data`, written to the folder `out`.

    The same call gives the same model again, and so does one that was killed and gone on with.

    Example:
        >>> run = train("mobilenet_v2", "photos", "runs/first", groups="blocks:20")

    Args:
        recipe: the name of a shipped recipe, the path of a `.yaml` file, or a `Recipe`.
        data: a folder per class, a CSV manifest, a class map, or arrays; see `read_picture_set`.
        variant: of the recipe, by its name; with a `Recipe`, what to note as its variant.
        settings: changes of the recipe, each as `key=value`; not with a `Recipe`.
        add: later pictures; they move none of `data` to another split.
        groups: which pictures belong together; see `assign_groups`.
        keep_parts: an earlier run, or a `split.csv`, whose pictures keep the split that they had
            there, for a folder that has grown since.
        from_run: an earlier run to start from: with its weights, the order of its classes, before
            any new ones, and its split.
        seed: of the split, the starting weights, the augmentation and the order.
        max_minutes: instead of the recipe's own.
        resume: go on with a training to `out` that was killed.
        replace: take the place of an `out` that is there already, and of a killed training to it.
        compared: it is one of several trainings that are compared. One that Ctrl-C stops is not
            ended with the best so far, but left for `resume`; and what only the first of them
            computes for all, the outputs of frozen layers, takes none of the minutes.

    Raises:
        ConfigError, UsageError: the recipe is wrong.
        PictureSetError, TooFewPicturesError, GroupError: the pictures will not do.
        RunError: `keep_parts` or `from_run` is no finished run, or pictures of `from_run` are gone.
        WeightsMissingError: pretrained weights are not here and cannot be fetched.
        StorageError: `out` exists, there is nothing to resume, or a disk is full.
        StopTraining: Ctrl-C before there was anything to keep, or of a `compared` training.
    """
    stages = Stages()
    name = recipe.name if isinstance(recipe, Recipe) else str(recipe)
    if not isinstance(recipe, Recipe):
        recipe = read_recipe(name, variant=variant, settings=settings)
    request = TrainingRequest(
        recipe=recipe,
        name=name,
        data=Path(data),
        out=Path(out),
        variant=variant,
        settings=settings,
        add=add,
        groups=groups,
        keep_parts=None if keep_parts is None else Path(keep_parts),
        from_run=None if from_run is None else Path(from_run),
        seed=seed,
        max_minutes=max_minutes,
        compared=compared,
    )
    check_out(request.out, request.data, replace=replace)
    if replace and not resume:
        shutil.rmtree(request.unfinished, ignore_errors=True)
    prepared = request.prepare()
    plan = {
        "recipe": recipe_yaml(prepared.recipe),
        "seed": seed,
        "pictures": prepared.digest,
    }
    if prepared.earlier is not None:
        plan["earlier run"] = prepared.earlier.model_digest
    with CtrlC(leaving=compared) as ctrl_c:
        checkpoint = Checkpoint.begin(request.unfinished, plan, resume=resume)
        try:
            with ctrl_c.second_ends():
                say_data(prepared)
                stages.ended("pictures")
                session = TrainingSession.begin(
                    request, prepared, checkpoint, stages, ctrl_c.check_stop
                )
                session = session.with_teacher().with_saved_outputs()
                model = session.train()
                calibration = session.calibrate(model)
                report, facts = write_run(session, model, calibration, replace=replace)
        except BaseException as error:
            # After a mistake, or on a full disk, what was done so far can be gone on with. Ctrl-C
            # is a wish to end it; the first takes nothing away that an earlier training has done.
            stopped = isinstance(error, StopTraining) and not resume and not compared
            if stopped or isinstance(error, KeyboardInterrupt) or not checkpoint.begun:
                checkpoint.remove()
            raise
        checkpoint.remove()
        say_result(report, request.out, facts)
        if compared:
            ctrl_c.check_stop()  # the run is whole, but the others are not to be trained
    return Run(request.out, facts)
