"""The evaluation of a trained model, on the pictures that it did not train on."""

from __future__ import annotations

import logging
import shlex
import time
from collections import Counter

import numpy as np
import numpy.typing as npt

from edge.core.dataset import SPLITS
from edge.core.terminal.wording import in_a_sentence, number_of
from trainer.calibration.calibrate import Calibration
from trainer.calibration.unknown import UnknownScore
from trainer.evaluation.explanation import Explanation, SeenPictures, activations, by_label
from trainer.evaluation.held_out_use import count_held_out_use
from trainer.evaluation.learning_curve import LearningCurve, learning_curve
from trainer.evaluation.robustness import LIMIT, Disturbed, Predict, robustness
from trainer.fit.distillation import is_run
from trainer.fit.prepare import Prepared
from trainer.fit.saved_outputs import compiled
from trainer.fit.trained import TrainedModel
from trainer.networks import Network
from trainer.recipes.reading import recipe_yaml
from trainer.report.report_facts import ReportFacts, UnknownFigures
from trainer.report.scored_split import ScoredSplit, worst_errors
from trainer.run import RunFacts
from trainer.session.training_session import TrainingSession
from trainer.statistics.intervals import NOTHING, Resampling

_log = logging.getLogger(__name__)

_EXPLAINED = 6
"""The errors on the test split of which the report shows why they came about."""
_SECONDS_A_PICTURE = 1.5
"""What disturbing one takes at most; where the deadline leaves less, it is left out."""


def evaluate(
    session: TrainingSession,
    model: TrainedModel,
    calibration: Calibration,
    *,
    facts: RunFacts,
    model_bytes: int,
) -> ReportFacts:
    """What the report tells; scores the test pictures, once, and counts that use of them.

    Args:
        model: the temperature is folded into its network.
        model_bytes: size of `model.keras`.
    """
    prepared, best, stages = model.prepared, model.best, session.stages
    recipe, plan = prepared.recipe, prepared.recipe.network
    test = prepared.of("test")
    held_out_use = count_held_out_use(
        [prepared.decoded.digests[i] for i in test], run=str(session.request.out)
    )
    outputs = {name: model.predict(prepared.of(name)) for name in ("test", "validation")}
    splits = {
        name: _scored(prepared, calibration.temperature, name, logits)
        for name, (logits, _) in outputs.items()
    }
    curve = _learning_curve(model)
    explained = _explained(prepared, calibration, splits["test"], outputs["test"][1])
    stages.ended("figures")
    disturbed, left_out = _disturbed(prepared, session.budget.deadline)
    stages.ended("robustness")
    counts = Counter((picture.label, picture.split) for picture in prepared.pictures)
    spec = recipe.input
    return ReportFacts(
        recipe=facts.recipe,
        variant=facts.variant,
        description=recipe.description,
        notes=(*recipe.notes, *_teacher(session), *_start(model, facts)),
        measured=tuple(recipe.measured),
        labels=prepared.labels,
        counts={
            label: {split: counts[label, split] for split in SPLITS} for label in prepared.labels
        },
        skipped=facts.data.skipped,
        test=splits["test"],
        validation=splits["validation"],
        cross_fitted=_cross_fitted(prepared, calibration),
        thresholds=calibration.thresholds,
        basis=calibration.basis,
        purity=recipe.accept.purity,
        confidence=recipe.accept.confidence,
        history=best.history,
        kept_epoch=best.kept,
        cut_short=best.cut_short,
        recipe_yaml=recipe_yaml(recipe),
        command=shlex.join(session.request.command()),
        seed=facts.seed,
        network=f"{plan.name}, width {plan.alpha:g}, head {plan.head}",
        input=f"{spec.width}x{spec.height}, {'RGB' if spec.channels == 3 else 'grey'}, "
        f"{spec.geometry} of the {spec.crop}",
        parameters=facts.parameters,
        model_bytes=model_bytes,
        device=_device(),
        minutes=session.minutes,
        data=facts.data.path,
        digest=facts.data.digest,
        finished=facts.finished,
        tools=facts.tools,
        seconds=dict(stages.seconds),
        tensors=prepared.decoded.tensors,
        fill=spec.fill,
        unknown=_unknown(calibration.unknown, splits["test"].resampling(), *outputs["test"]),
        learning=curve,
        disturbed=disturbed,
        left_out=left_out,
        held_out_use=held_out_use,
        explained=explained,
    )


def _start(model: TrainedModel, facts: RunFacts) -> tuple[str, ...]:
    """What is to be known of the run that the training started from, if it did."""
    start, best = facts.started_from, model.best
    if start is None:
        return ()
    new = f" New to it: {in_a_sentence(list(start.new_labels))}." if start.new_labels else ""
    pictures = number_of(len(model.data.validation), "validation pictures")
    return (
        f"Started from the run {start.run} (model {start.model[:12]}), with its split.{new} Of "
        f"{pictures} {start.validation_accuracy:.1%} were right before this training, and "
        f"{best.accuracy:.1%} after it. They chose the epoch, so the test split tells more.",
    )


def _explained(
    prepared: Prepared,
    calibration: Calibration,
    test: ScoredSplit,
    pooled: npt.NDArray[np.float32],
) -> tuple[Explanation, ...]:
    """Why the surest errors came about, from what was computed of the training pictures already.

    Args:
        pooled: (pictures, depth), the outputs of `pooled` for the test pictures.
    """
    wrong = np.array(worst_errors(test)[:_EXPLAINED], np.int64)
    if not len(wrong):
        return ()
    tensors = np.stack([np.asarray(prepared.decoded.tensors[int(i)]) for i in test.rows[wrong]])
    seen = SeenPictures(
        [prepared.pictures[i] for i in calibration.trained],
        prepared.decoded.tensors,
        calibration.trained,
        calibration.trained_pooled,
    )
    heats = activations(prepared.network, tensors, test.best[wrong].tolist())
    scores = test.scores
    return tuple(
        Explanation(
            path=prepared.pictures[test.rows[place]].path,
            tensor=tensors[i],
            scores=by_label(scores[place], prepared.labels),
            unknown=None,
            heat=None if heats is None else heats[i],
            alike=alike,
            label=prepared.labels[test.truth[place]],
        )
        for i, (place, alike) in enumerate(
            zip(wrong.tolist(), seen.alike(pooled[wrong]), strict=True)
        )
    )


def _teacher(session: TrainingSession) -> tuple[str, ...]:
    plan = session.prepared.recipe.distill
    if plan is None or session.taught is None:
        return ()
    by_recipe = f", variant {plan.variant}" + f", {plan.folds} of them" * (plan.folds > 1)
    return (
        f"It learned from a teacher beside the labels: {plan.teacher}"
        f"{'' if is_run(plan.teacher) else by_recipe}.",
        *(
            ["The cross-fitted models learned from none."]
            * (session.prepared.recipe.accept.folds > 1)
        ),
        *(f"{line[0].upper()}{line[1:]}." for line in session.taught.told),
    )


def _scored(
    prepared: Prepared, temperature: float, split: str, logits: npt.NDArray[np.float32]
) -> ScoredSplit:
    indices = prepared.of(split)
    return ScoredSplit(
        logits=logits * temperature,  # it is folded in by now
        temperature=temperature,
        truth=prepared.truth[indices],
        names=_names(prepared, indices),
        rows=indices,
        groups=_groups(prepared, indices),
    )


def _cross_fitted(prepared: Prepared, calibration: Calibration) -> ScoredSplit | None:
    if calibration.basis.scores != "cross-fitted":
        return None  # the validation split's scores, which are told as what they are
    indices = calibration.scored.indices
    return ScoredSplit(
        logits=calibration.scored.logits,
        temperature=calibration.scored_temperature,
        truth=prepared.truth[indices],
        names=_names(prepared, indices),
        rows=indices,
        groups=_groups(prepared, indices),
    )


def _names(prepared: Prepared, indices: npt.NDArray[np.int64]) -> list[str]:
    paths = [prepared.pictures[i].path for i in indices]
    return [f"{path.parent.name}/{path.name}" for path in paths]


def _groups(prepared: Prepared, indices: npt.NDArray[np.int64]) -> list[str]:
    return [str(prepared.pictures[i].group) for i in indices]


def _learning_curve(model: TrainedModel) -> LearningCurve | None:
    prepared, frozen = model.prepared, model.frozen
    if frozen is None:
        return None
    known = prepared.of("train", "validation")
    groups = _groups(prepared, known)
    return learning_curve(frozen[known], prepared.truth[known], groups, seed=0)


def _disturbed(
    prepared: Prepared, deadline: float
) -> tuple[tuple[Disturbed, ...], tuple[str, ...]]:
    """(what disturbed pictures come to, what was not measured because the time was too short)."""
    test = prepared.of("test")
    count = min(LIMIT, len(test))
    if time.monotonic() + count * _SECONDS_A_PICTURE > deadline:
        _log.warning("robustness: not measured, because the time was too short")
        return (), ("how it bears bad light, dirt and blur",)
    found = robustness(
        _scores(prepared.network),
        prepared.decoded.tensors,
        prepared.truth[test],
        groups=_groups(prepared, test),
        seed=0,
        rows=test,
        fill=prepared.recipe.input.fill,
    )
    return found, ()


def _scores(network: Network) -> Predict:
    forward = compiled(network.model)
    return lambda images: np.asarray(forward(images)[0].numpy())


def _unknown(
    score: UnknownScore | None,
    test: Resampling,
    logits: npt.NDArray[np.float32],
    pooled: npt.NDArray[np.float32],
) -> UnknownFigures | None:
    """How good the novelty score is.

    Args:
        test: the resampling of the test pictures.
        logits: (pictures, classes), of the test pictures, divided by the temperature.
        pooled: (pictures, depth), the outputs of `pooled` for the test pictures.
    """
    if score is None:
        return None
    rejected = NOTHING
    if score.threshold is not None:
        rejected = test.share(score.novelty.of(logits, pooled) > score.threshold)
    return UnknownFigures(
        kind=score.novelty.kind,
        threshold=score.threshold,
        keep=score.keep,
        kept=score.kept,
        found={label: left_out.found for label, left_out in score.found.items()},
        auroc={label: left_out.auroc for label, left_out in score.found.items()},
        rejected=rejected,
        chose_epoch=score.chose_epoch,
        note=score.note,
    )


def _device() -> str:
    import tensorflow as tf

    graphics = tf.config.list_physical_devices("GPU")
    if graphics:
        return str(tf.config.experimental.get_device_details(graphics[0]).get("device_name", "GPU"))
    return "CPU"
