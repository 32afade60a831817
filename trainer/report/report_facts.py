"""All values from which a report is made; plain values, so that a test can make them too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from edge.core.model.grade import Grade, grade
from trainer.calibration.accept_thresholds import AcceptThreshold
from trainer.evaluation.held_out_use import HeldOutUse
from trainer.evaluation.learning_curve import LearningCurve
from trainer.evaluation.robustness import Disturbed
from trainer.recipes.measured import MeasuredPlan
from trainer.report.scored_split import ScoredSplit, confusion_matrix
from trainer.run import AcceptBasis
from trainer.statistics.intervals import NOTHING, Figure

if TYPE_CHECKING:  # it loads TensorFlow
    from trainer.evaluation.explanation import Explanation


class EpochLine(Protocol):
    """One epoch, with the attributes of `trainer.fit.phases.Epoch`."""

    @property
    def phase(self) -> str:
        """The name of the phase."""

    @property
    def epoch(self) -> int:
        """The number of the epoch within its phase, from 1."""

    @property
    def loss(self) -> float:
        """The mean loss on the training batches."""

    @property
    def accuracy(self) -> float:
        """The accuracy on the training batches, 0..1."""

    @property
    def validation_loss(self) -> float:
        """The log loss on the validation split."""

    @property
    def validation_accuracy(self) -> float:
        """The accuracy on the validation split, 0..1."""

    @property
    def learning_rate(self) -> float:
        """The learning rate at the end of the epoch."""


@dataclass(frozen=True, slots=True)
class UnknownFigures:
    """How good the novelty score is."""

    kind: str
    """energy, distance or both."""
    threshold: float | None
    """The novelty score above which a picture is rejected as unknown; None if none is."""
    keep: float
    """The share of known things that the threshold should keep."""
    kept: Figure
    """The share of the validation pictures that it kept, each by a threshold set without it."""
    found: Mapping[str, Figure]
    """The share of the pictures of each class left out that was found."""
    auroc: Mapping[str, float]
    """For each class left out, how often its pictures have a higher score than known ones."""
    rejected: Figure = NOTHING
    """The share of the test pictures, all of known classes, that it calls unknown."""
    note: str = ""
    chose_epoch: bool = False
    """Whether the validation pictures chose the model's best epoch, too."""

    @property
    def shown(self) -> bool:
        """Whether the test pictures show that the wanted share of known things is kept."""
        interval = self.rejected.interval
        return interval is not None and interval[1] <= 1 - self.keep


@dataclass(frozen=True, slots=True, eq=False)
class ReportFacts:
    """The contents of the report of one training."""

    recipe: str
    variant: str
    description: str
    notes: tuple[str, ...]
    """What the recipe says is to be known of it."""
    measured: tuple[MeasuredPlan, ...]
    """What other networks were measured to bring in the place of the recipe's own."""
    labels: tuple[str, ...]
    counts: Mapping[str, Mapping[str, int]]
    """The number of pictures by label and split."""
    skipped: int
    """The number of files that could not be read."""

    test: ScoredSplit
    thresholds: Mapping[str, AcceptThreshold]
    purity: float
    """The purity that the thresholds should promise, 0..1."""
    confidence: float
    """The confidence of that promise, 0..1."""
    history: Sequence[EpochLine]
    kept_epoch: int | None
    """The index in `history` of the epoch whose weights the model has; None where those from before
    the training were better than all."""
    cut_short: bool

    recipe_yaml: str
    """The recipe with all settings applied, as YAML."""
    command: str
    """The command that trains the same model again."""
    seed: int
    network: str
    """The network in a few words: name, width and head."""
    input: str
    """The input in a few words: size, colours and geometry."""
    parameters: int
    model_bytes: int
    device: str
    minutes: float
    data: str
    """The place of the pictures."""
    digest: str
    """The SHA-256 of every picture's content, label and split."""
    finished: str
    """The time when the training ended, UTC, ISO 8601."""
    tools: Mapping[str, str]
    seconds: Mapping[str, float] = field(default_factory=dict)
    """The duration of each stage of the training, by its name."""

    tensors: Any = None
    """uint8 (pictures, height, width, channels) that the splits' `rows` point into: an array, or an
    object that reads such rows from disk. None for a report without pictures."""
    fill: int = 128
    """The grey level of letterbox bars."""
    validation: ScoredSplit | None = None
    cross_fitted: ScoredSplit | None = None
    """The pictures of the other splits, each scored by a model that was not trained on it: all of
    them, or those of the folds that could be used (see `basis`)."""
    unknown: UnknownFigures | None = None
    basis: AcceptBasis | None = None
    """The scores by which the thresholds were chosen; None if unknown."""
    left_out: tuple[str, ...] = ()
    """The names of the measurements that were left out because the time was too short."""
    learning: LearningCurve | None = None
    disturbed: tuple[Disturbed, ...] = ()
    held_out_use: HeldOutUse | None = None
    explained: tuple[Explanation, ...] = ()
    """Why the surest errors on the test split came about."""

    @property
    def accept(self) -> dict[str, float]:
        """The accept threshold of every label."""
        return {label: threshold.value for label, threshold in self.thresholds.items()}

    @property
    def verdict(self) -> Grade:
        """The grade of the model on the test split."""
        interval = self.test.resampling().share(self.test.right).interval
        return grade(confusion_matrix(self.test, len(self.labels)), interval)

    @property
    def best_epoch(self) -> int | None:
        """The index in `history` of the lowest validation loss; None without a history."""
        losses = [line.validation_loss for line in self.history]
        return int(np.nanargmin(losses)) if losses and not np.isnan(losses).all() else None
