"""The proof of a training: what its report tells, from the pictures that it did not train on."""

from __future__ import annotations

import shlex
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.core.command_line import say
from edge.core.dataset import PARTS
from trainer.calibration.unknown import UnknownScore
from trainer.calibration.verdicts import Verdicts
from trainer.evaluation.held_out_use import count_look
from trainer.evaluation.learning_curve import LearningCurve, learning_curve
from trainer.evaluation.robustness import Disturbed, Predict, robustness
from trainer.fit.features import compiled
from trainer.fit.phases import Best
from trainer.fit.predict import TrainingSet, predict
from trainer.fit.prepare import Prepared
from trainer.networks import Network
from trainer.recipes.reading import recipe_yaml
from trainer.report.facts import ReportFacts, UnknownFigures
from trainer.report.scored import ScoredPart
from trainer.run import RunFacts

_DISTURBED = 100
"""Test pictures that are disturbed: each is computed 19 times."""
_SECONDS_A_PICTURE = 1.5
"""What disturbing one takes at most; where the deadline leaves less, it is left out."""


@dataclass(slots=True)
class Stages:
    """How long each stage of a training took."""

    seconds: dict[str, float] = field(default_factory=dict)
    before: float = 0.0
    """Seconds that it took before it was killed and gone on with."""
    _start: float = field(default_factory=time.monotonic)
    _since: float = field(default_factory=time.monotonic)

    @property
    def minutes(self) -> float:
        """Since the training began."""
        return round((self.before + time.monotonic() - self._start) / 60, 2)

    def ended(self, name: str) -> None:
        """Takes the time since the last one ended for that of `name`."""
        now = time.monotonic()
        self.seconds[name] = round(now - self._since, 1)
        self._since = now


def prove(
    prepared: Prepared,
    whole: TrainingSet,
    best: Best,
    verdicts: Verdicts,
    *,
    cut: str,
    frozen: npt.NDArray[np.float32] | None,
    run: Path,
    facts: RunFacts,
    command: Sequence[str],
    model_bytes: int,
    stages: Stages,
    deadline: float,
) -> ReportFacts:
    """What the report tells; looks at the test part, once, and counts that.

    Args:
        prepared: its network is the trained one, the temperature folded in.
        cut: the lowest layer that the phases trained from.
        frozen: see `choose_verdicts`.
        run: the folder that the training leaves behind.
        command: that gives the same model again.
        model_bytes: size of `model.keras`.
        deadline: by when to be done, as `time.monotonic` has it.
    """
    recipe, plan = prepared.recipe, prepared.recipe.network
    test = prepared.of("test")
    looks = count_look([prepared.decoded.digests[i] for i in test], run=str(run))
    parts = {name: _scored(prepared, whole, cut, name, verdicts) for name in ("test", "validation")}
    curve = _learning_curve(prepared, frozen)
    stages.ended("figures")
    disturbed, left_out = _disturbed(prepared, deadline)
    stages.ended("robustness")
    counts = Counter((picture.label, picture.part) for picture in prepared.pictures)
    spec = recipe.input
    return ReportFacts(
        recipe=facts.recipe,
        variant=facts.variant,
        description=recipe.description,
        labels=prepared.labels,
        counts={label: {part: counts[label, part] for part in PARTS} for label in prepared.labels},
        skipped=facts.data.skipped,
        test=parts["test"],
        validation=parts["validation"],
        cross_fitted=_cross_fitted(prepared, verdicts),
        thresholds=verdicts.thresholds,
        basis=verdicts.basis,
        purity=recipe.accept.purity,
        confidence=recipe.accept.confidence,
        history=best.history,
        cut_short=best.cut_short,
        recipe_yaml=recipe_yaml(recipe),
        command=shlex.join(command),
        seed=facts.seed,
        network=f"{plan.name}, width {plan.alpha:g}, head {plan.head}",
        input=f"{spec.width}x{spec.height}, {'RGB' if spec.channels == 3 else 'grey'}, "
        f"{spec.geometry} of the {spec.crop}",
        parameters=facts.parameters,
        model_bytes=model_bytes,
        device=_device(),
        minutes=stages.minutes,
        data=facts.data.path,
        digest=facts.data.digest,
        finished=facts.finished,
        tools=facts.tools,
        seconds=dict(stages.seconds),
        tensors=prepared.decoded.tensors,
        fill=spec.fill,
        unknown=_unknown(verdicts.unknown),
        learning=curve,
        disturbed=disturbed,
        left_out=left_out,
        looks=looks,
    )


def _scored(
    prepared: Prepared, whole: TrainingSet, cut: str, part: str, verdicts: Verdicts
) -> ScoredPart:
    indices = prepared.of(part)
    # The temperature is folded in by now.
    logits = predict(prepared.network, cut, whole, indices)[0] * verdicts.temperature
    return ScoredPart(
        logits=logits,
        temperature=verdicts.temperature,
        truth=prepared.truth[indices],
        names=_names(prepared, indices),
        rows=indices,
        groups=_groups(prepared, indices),
    )


def _cross_fitted(prepared: Prepared, verdicts: Verdicts) -> ScoredPart | None:
    if verdicts.basis.scores != "cross-fitted":
        return None  # the validation part's scores, which are told as what they are
    indices = verdicts.scored.indices
    return ScoredPart(
        logits=verdicts.scored.logits,
        temperature=verdicts.scored_temperature,
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


def _learning_curve(
    prepared: Prepared, frozen: npt.NDArray[np.float32] | None
) -> LearningCurve | None:
    if frozen is None:
        return None
    known = prepared.of("train", "validation")
    groups = _groups(prepared, known)
    return learning_curve(frozen[known], prepared.truth[known], groups, seed=0)


def _disturbed(
    prepared: Prepared, deadline: float
) -> tuple[tuple[Disturbed, ...], tuple[str, ...]]:
    """(what disturbed pictures come to, what was left out for want of time)."""
    test = prepared.of("test")
    count = min(_DISTURBED, len(test))
    if time.monotonic() + count * _SECONDS_A_PICTURE > deadline:
        say("robustness: left out for want of time")
        return (), ("how it bears bad light, dirt and blur",)
    found = robustness(
        _scores(prepared.network),
        prepared.decoded.tensors,
        prepared.truth[test],
        groups=_groups(prepared, test),
        seed=0,
        rows=test,
        fill=prepared.recipe.input.fill,
        limit=_DISTURBED,
    )
    return found, ()


def _scores(network: Network) -> Predict:
    forward = compiled(network.model)
    return lambda images: np.asarray(forward(images)[0].numpy())


def _unknown(score: UnknownScore | None) -> UnknownFigures | None:
    if score is None:
        return None
    return UnknownFigures(
        kind=score.strangeness.kind,
        threshold=score.threshold,
        keep=score.keep,
        kept=score.kept,
        found={label: left_out.found for label, left_out in score.found.items()},
        auroc={label: left_out.auroc for label, left_out in score.found.items()},
        note=score.note,
    )


def _device() -> str:
    import tensorflow as tf

    graphics = tf.config.list_physical_devices("GPU")
    if graphics:
        return str(tf.config.experimental.get_device_details(graphics[0]).get("device_name", "GPU"))
    return "CPU"
