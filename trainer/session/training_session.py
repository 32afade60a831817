"""A training session: prepared pictures and a network, the budget, and the stages of a training."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt

from trainer.calibration.calibrate import Calibration, calibrate, fold_in
from trainer.calibration.validation_parts import validation_parts
from trainer.fit.checkpoint import Checkpoint
from trainer.fit.distillation import Taught, teach
from trainer.fit.phases import Budget, run_phases
from trainer.fit.prepare import Prepared, training_set
from trainer.fit.saved_outputs import pooled_outputs
from trainer.fit.trained import TrainedModel
from trainer.run import TENSORBOARD
from trainer.session.logs import TensorBoard
from trainer.session.request import TrainingRequest
from trainer.session.stage_times import Stages

_CALIBRATION_SHARE = 0.25
"""Of max_minutes, kept for the cross-fitted scores and the report."""


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSession:
    """One training, from prepared pictures to a calibrated model, within its budget."""

    request: TrainingRequest
    prepared: Prepared
    checkpoint: Checkpoint
    budget: Budget
    """For everything: the phases, the calibration, the evaluation and the report."""
    stages: Stages
    taught: Taught | None = None
    """What a teacher says of the training pictures."""

    @classmethod
    def begin(
        cls,
        request: TrainingRequest,
        prepared: Prepared,
        checkpoint: Checkpoint,
        stages: Stages,
        check_stop: Callable[[], None],
    ) -> Self:
        """A session whose budget counts the time before a resumed training was killed, too.

        Args:
            check_stop: raises StopTraining where the user wants to stop.

        Raises:
            StopTraining: the user wants to stop already.
        """
        stages.before = checkpoint.spent
        deadline = time.monotonic() + 60 * (request.minutes - stages.minutes)
        check_stop()
        return cls(request, prepared, checkpoint, Budget(deadline, check_stop), stages)

    def with_teacher(self) -> Self:
        """This session with what its recipe's teacher says, if it has one; see `teach` for errors.

        The teacher has minutes of its own, so the budget begins anew where it ends.
        """
        plan = self.prepared.recipe.distill
        if plan is None:
            return self
        taught = teach(self.prepared, plan, check_stop=self.budget.check_stop)
        self.stages.ended("teacher")
        deadline = self.budget.deadline + self.stages.seconds["teacher"]
        return replace(self, taught=taught, budget=replace(self.budget, deadline=deadline))

    def train(self) -> TrainedModel:
        """Trains the network by the recipe's phases.

        Raises:
            StopTraining: the user stopped it before its first epoch had ended.
            StorageError: a disk is full.
            TooFewPicturesError: the validation pictures cannot be split as the recipe asks.
        """
        prepared, budget = self.prepared, self.budget
        recipe, network = prepared.recipe, prepared.network
        choosing, calibration = self._validation()
        data = training_set(
            prepared,
            recipe.phases,
            # Validation pictures get copies too: the cross-fitted models train on them.
            with_copies=prepared.split != "test",
            train=prepared.of("train"),
            validation=choosing,
            check_stop=budget.check_stop,
        )
        if self.taught is not None:
            data = replace(data, taught=self.taught.probabilities)
        frozen = None
        if network.pretrained:
            frozen = pooled_outputs(
                network, prepared.decoded, spec=recipe.input, check_stop=budget.check_stop
            )
        self.stages.ended("frozen layers")
        untrained = network.state()
        left = budget.deadline - time.monotonic()
        reserved = left * _CALIBRATION_SHARE * (recipe.accept.folds > 1)
        with TensorBoard(self.checkpoint.folder / TENSORBOARD) as logs:
            best = run_phases(
                network,
                recipe,
                recipe.phases,
                data,
                seed=prepared.seed,
                budget=replace(budget, deadline=budget.deadline - reserved, on_epoch=logs.add),
                checkpoint=self.checkpoint,
            )
        self.stages.ended("training")
        return TrainedModel(prepared, data, best, calibration, untrained, frozen)

    def calibrate(self, model: TrainedModel) -> Calibration:
        """Chooses temperature, thresholds and novelty score; the temperature is folded in."""
        found = calibrate(model, budget=self.budget, checkpoint=self.checkpoint)
        self.stages.ended("verdicts")
        fold_in(model.prepared, found.temperature)
        return found

    def _validation(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Indices of the pictures that choose the epoch, and to calibrate; `validation_parts`."""
        return validation_parts(self.prepared)
