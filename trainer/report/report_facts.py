"""All that a report is made of, as plain values: a training has them, and so can a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from edge.core.model.grade import Grade, grade
from trainer.calibration.accept_thresholds import AcceptThreshold
from trainer.evaluation.held_out_use import HeldOutUse
from trainer.evaluation.learning_curve import LearningCurve
from trainer.evaluation.robustness import Disturbed
from trainer.report.scored_split import ScoredSplit, confusion_matrix
from trainer.run import AcceptBasis
from trainer.statistics.intervals import Figure


class EpochLine(Protocol):
    """One epoch, as `trainer.fit.phases.Epoch` is."""

    @property
    def phase(self) -> str:
        """Its phase's name."""

    @property
    def epoch(self) -> int:
        """Within its phase, from 1."""

    @property
    def loss(self) -> float:
        """Of the batches as they were learned from."""

    @property
    def accuracy(self) -> float:
        """Of the batches as they were learned from."""

    @property
    def validation_loss(self) -> float:
        """Log loss on the validation split."""

    @property
    def validation_accuracy(self) -> float:
        """On the validation split."""

    @property
    def learning_rate(self) -> float:
        """At its end."""


@dataclass(frozen=True, slots=True)
class UnknownFigures:
    """How good the novelty score is."""

    kind: str
    """energy, distance or both."""
    threshold: float | None
    """A novelty score above it is rejected as unknown; None: none is."""
    keep: float
    """The share of known things that it is to keep."""
    kept: Figure
    """The share that it kept, by models that had not trained on them."""
    found: Mapping[str, Figure]
    """The share found of each class left out."""
    auroc: Mapping[str, float]
    """How often a picture of the class left out has a higher score than a known one."""
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ReportFacts:
    """What a report tells of one training."""

    recipe: str
    variant: str
    description: str
    labels: tuple[str, ...]
    counts: Mapping[str, Mapping[str, int]]
    """Pictures by label and split."""
    skipped: int
    """Files that could not be read."""

    test: ScoredSplit
    thresholds: Mapping[str, AcceptThreshold]
    purity: float
    """That the thresholds are to promise."""
    confidence: float
    """Of that promise."""
    history: Sequence[EpochLine]
    cut_short: bool

    recipe_yaml: str
    """As resolved."""
    command: str
    """That gives the same model again."""
    seed: int
    network: str
    """In a few words: name, width, head."""
    input: str
    """In a few words: size, colours, geometry."""
    parameters: int
    model_bytes: int
    device: str
    minutes: float
    data: str
    """Where the pictures lay."""
    digest: str
    """SHA-256 over every picture's content, label and split."""
    finished: str
    """UTC, ISO 8601."""
    tools: Mapping[str, str]
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Of the stages of the training, by their names."""

    tensors: Any = None
    """uint8 (pictures, height, width, channels) that the splits' `rows` point into: an array, or an
    object that reads such rows from disk. None for a report without pictures."""
    fill: int = 128
    """Grey level of letterbox bars."""
    validation: ScoredSplit | None = None
    cross_fitted: ScoredSplit | None = None
    """Pictures of the other splits, each scored by a model that had not trained on it: all of them,
    or those of the folds that could be used (see `basis`)."""
    unknown: UnknownFigures | None = None
    basis: AcceptBasis | None = None
    """Which scores the thresholds were chosen by; None: not known."""
    left_out: tuple[str, ...] = ()
    """What was not measured because the time was too short, each as a clause."""
    learning: LearningCurve | None = None
    disturbed: tuple[Disturbed, ...] = ()
    held_out_use: HeldOutUse | None = None

    @property
    def accept(self) -> dict[str, float]:
        """The accept threshold of every label."""
        return {label: threshold.value for label, threshold in self.thresholds.items()}

    @property
    def verdict(self) -> Grade:
        """How good it is, in a word, by the test split."""
        interval = self.test.resampling().share(self.test.right).interval
        return grade(confusion_matrix(self.test, len(self.labels)), interval)

    @property
    def best_epoch(self) -> int | None:
        """The position in `history` that the model was kept from; None of no history."""
        losses = [line.validation_loss for line in self.history]
        return int(np.nanargmin(losses)) if losses and not np.isnan(losses).all() else None
