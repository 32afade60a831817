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
from trainer.fit.predict import TrainingSet
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
    data: TrainingSet | None = None
    """The pictures with the outputs of the frozen layers; see `with_saved_outputs`."""
    frozen: npt.NDArray[np.float32] | None = None
    """What the pretrained network makes of the pictures before it is trained."""

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
        stages.before, stages.free = checkpoint.spent, checkpoint.free
        deadline = time.monotonic() + 60 * (request.minutes - stages.counted)
        check_stop()
        return cls(request, prepared, checkpoint, Budget(deadline, check_stop), stages)

    def with_teacher(self) -> Self:
        """This session with what its recipe's teacher says, if it has one; see `teach` for errors.

        The teacher has minutes of its own, so the budget begins anew where it ends.
        """
        plan = self.prepared.recipe.distill
        if plan is None:
            return self
        choosing, _ = self._validation()
        taught = teach(self.prepared, plan, choosing=choosing, check_stop=self.budget.check_stop)
        self.stages.ended("teacher")
        return replace(self, taught=taught, budget=self._without("teacher"))

    def with_saved_outputs(self) -> Self:
        """This session with the outputs of the frozen layers, from the cache or computed.

        Of several trainings that are compared only the first one computes them, so there they take
        none of the minutes.

        Raises:
            StopTraining: the user wants to stop.
            StorageError: a disk is full.
            TooFewPicturesError: the validation pictures cannot be split as the recipe asks.
        """
        prepared, budget = self.prepared, self.budget
        recipe, network = prepared.recipe, prepared.network
        choosing, _ = self._validation()
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
        if self.request.compared:
            budget = self._without("frozen layers")
        return replace(self, data=data, frozen=frozen, budget=budget)

    def train(self) -> TrainedModel:
        """Trains the network by the recipe's phases.

        Raises:
            StopTraining: the user stopped it before its first epoch had ended; where it is
                compared with others, whenever the user stopped it.
            StorageError: a disk is full.
        """
        prepared, budget, data = self.prepared, self.budget, self.data
        recipe, network = prepared.recipe, prepared.network
        if data is None:
            raise TypeError("with_saved_outputs comes before train")
        _, calibration = self._validation()
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
        self._check_whole()
        return TrainedModel(prepared, data, best, calibration, untrained, self.frozen)

    def calibrate(self, model: TrainedModel) -> Calibration:
        """Chooses temperature, thresholds and novelty score; the temperature is folded in."""
        found = calibrate(model, budget=self.budget, checkpoint=self.checkpoint)
        self.stages.ended("verdicts")
        self._check_whole()
        fold_in(model.prepared, found.temperature)
        return found

    @property
    def minutes(self) -> float:
        """Minutes so far; of a training that is compared, those that its budget counts."""
        return self.stages.counted if self.request.compared else self.stages.minutes

    def _without(self, stage: str) -> Budget:
        """The budget, which does not count the stage that has ended just now."""
        seconds = self.stages.seconds[stage]
        self.stages.free += seconds
        self.checkpoint.free = self.stages.free  # and not either where the training is resumed
        return replace(self.budget, deadline=self.budget.deadline + seconds)

    def _check_whole(self) -> None:
        # What was stopped would be compared as if it were no better; it can be gone on with.
        if self.request.compared:
            self.budget.check_stop()

    def _validation(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Indices of the pictures that choose the epoch, and to calibrate; `validation_parts`."""
        return validation_parts(self.prepared)
