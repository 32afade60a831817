"""The phases of a training: the head, the upper layers, and more; the best weights are kept."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from edge.core.terminal.progress import Progress
from trainer.fit.batches import epoch_batches
from trainer.fit.checkpoint import Checkpoint
from trainer.fit.learner import Learner, learner_key
from trainer.fit.optimizers import LearningRateSchedule
from trainer.fit.predict import TrainingSet, chunks_of, inputs_at, scorer_at
from trainer.fit.saved_outputs import compiled
from trainer.fit.weight_averaging import Average
from trainer.networks import INPUT, Network
from trainer.recipes.plan import PhasePlan, Recipe
from trainer.statistics.likelihood import log_loss

_log = logging.getLogger(__name__)

_STEPS_TO_START = 20
"""The extra time of the first step, which also traces the graph, in steps."""
_STAGE = "phases"


@dataclass(slots=True)
class Epoch:
    """One line of `history.csv`."""

    phase: str
    epoch: int
    loss: float
    accuracy: float
    """The accuracy on the batches as they were learned: augmented, and mixed if the phase does
    so."""
    validation_loss: float
    validation_accuracy: float
    learning_rate: float
    seconds: float


@dataclass(slots=True)
class Best:
    """The best epoch of all phases so far: the one with the lowest log loss on validation.

    A phase with `keep: last` that comes to its end puts its last epoch in its place, and does so
    unless the network had been trained before (`--from`) and was better then.

    The accuracy on a few hundred pictures varies by chance, so the loss is the better criterion.
    """

    weights: list[npt.NDArray[Any]] | None = None
    loss: float = math.inf
    accuracy: float = 0.0
    history: list[Epoch] = field(default_factory=list)
    cut_short: bool = False
    """Whether a phase was shortened or left out, because of the time or because the user stopped
    it."""
    reached: bool = False
    """Whether the `stop_at` of a phase was reached."""
    start: float | None = None
    """The validation accuracy before the first phase, if the network was trained already."""
    start_loss: float = math.inf
    """The log loss on validation then."""
    kept: int | None = None
    """The index in `history` of the epoch whose weights these are; None where no epoch was better
    than the network was before."""


class StopTraining(Exception):  # noqa: N818 - a wish, not an error
    """The user wants to stop the training and to use the best weights so far."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The time that a training may take, and the functions that can stop and follow it."""

    deadline: float
    """The latest end, in seconds on `clock`. Learning rates fall early enough to end by then, and a
    phase with `if_time` is left out if there is too little time for it."""
    check_stop: Callable[[], None] = lambda: None
    """A function that raises StopTraining if the user wants to stop."""
    on_epoch: Callable[[Epoch], None] = lambda epoch: None
    """A function that is called after each epoch."""
    clock: Callable[[], float] = time.monotonic
    quiet: bool = False
    """Whether to show only the progress bar."""


def run_phases(
    network: Network,
    recipe: Recipe,
    phases: Sequence[PhasePlan],
    data: TrainingSet,
    *,
    seed: int,
    budget: Budget,
    checkpoint: Checkpoint | None = None,
) -> Best:
    """Trains `network` by `phases` and leaves it with its best weights.

    Those of a network that is `trained` already are the best until an epoch is better.

    Args:
        network: the network to train.
        recipe, phases: the plan of the training.
        data: the pictures to train and to validate on.
        seed: the seed of augmentation and order.
        budget: the time that the training may take.
        checkpoint: the place of the saved state, from which the training is continued; None to save
            nothing.
    """
    best = Best()
    first = 0
    saved = checkpoint.load(_STAGE) if checkpoint else None
    if saved:
        first = int(saved[1]["phase"])
    try:
        for number, phase in enumerate(phases[first:], start=first):
            run = _PhaseRun(network, recipe, phase, data, best, seed + number, budget)
            if saved:
                run.restore(*saved)
                saved = None
            elif network.trained and best.weights is None:
                run.judge_start()
            run.go(number, checkpoint)
            if best.reached:
                break
    except StopTraining:
        best.cut_short = True
        if best.weights is None or not best.history:
            raise
    if best.weights is not None:
        network.model.set_weights(best.weights)
    return best


class _PhaseRun:
    """One phase: its layers, its optimizers, and its state."""

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        phase: PhasePlan,
        data: TrainingSet,
        best: Best,
        seed: int,
        budget: Budget,
    ) -> None:
        self._network, self._recipe, self._phase, self._data = network, recipe, phase, data
        self._best, self._seed, self._budget = best, seed, budget
        self._done = self._epoch = self._worse = self._confirmed = 0
        self._lowest = math.inf
        self._spent_before = 0.0
        self._ended = False
        upper = network.upper(phase.train_from)
        network.let_train(upper)
        learner = network.once(learner_key(phase, recipe), lambda: Learner(upper, phase, recipe))
        learner.begin()
        self._optimizers, self._step = learner.optimizers, learner.step
        self._forward = scorer_at(network, phase.train_from)
        self._average = self._make_average(upper)
        self._schedule = LearningRateSchedule(phase)
        self._lower = _frozen(network, phase) if phase.fresh and phase.train_from != INPUT else None

    def go(self, number: int, checkpoint: Checkpoint | None) -> None:
        """Trains to the end of the phase.

        Args:
            number: the number of the phase, for the checkpoint.
            checkpoint: the place for the state of the phase; None to save nothing.
        """
        phase, budget, best = self._phase, self._budget, self._best
        if self._epoch == 0 and best.weights is not None:
            # The next phase starts from the best weights, not from the last ones.
            self._network.model.set_weights(best.weights)
        batches = math.ceil(len(self._data.train) / self._recipe.batch_size)
        self._steps = phase.epochs * batches
        self._start = budget.clock() - self._spent_before
        self._timed_from = 0.0
        with Progress(f"phase {phase.name}", total=self._steps) as progress:
            progress.advance(self._done)
            while not self._ended:
                epoch_start = budget.clock()
                learned = self._learn(progress)
                if learned is None:
                    return
                self._epoch += 1
                self._ended = self._judge(learned, epoch_start)
                self._save(number, checkpoint)
        if not budget.quiet:
            line = best.history[-1]
            _log.info(
                f"phase {phase.name}: {self._epoch} epochs in "
                f"{budget.clock() - self._start:.0f} s, "
                f"validation {line.validation_accuracy:.1%}, best so far {best.accuracy:.1%}"
                + (": that is enough" if best.reached else "")
            )

    def judge_start(self) -> None:
        """Makes the weights that the phase begins with the best so far."""
        line = self._validate()
        self._keep(line, epoch=None)
        self._best.start_loss, self._best.start = line
        pictures = len(self._data.validation)
        _log.info(
            f"before training: {self._best.start:.1%} of {pictures} validation pictures right"
        )

    def _learn(self, progress: Progress) -> tuple[float, float, float] | None:
        """Trains one epoch: (loss, accuracy, last rate); None if there is no time for the phase."""
        phase, budget = self._phase, self._budget
        # Each epoch has random numbers of its own, so that a training can be continued after any
        # epoch.
        rng = np.random.default_rng((self._seed, self._epoch))
        classes = self._network.model.get_layer("logits").output.shape[-1]
        losses, right, seen, rate = [], 0, 0, 0.0
        for batch in epoch_batches(
            self._recipe, phase, self._data, classes, rng=rng, lower=self._lower
        ):
            budget.check_stop()
            if self._done == 1:
                self._timed_from = budget.clock()  # the first step also traces the graph
            if self._done == 4 and phase.if_time and self._timed_from:
                needed = (budget.clock() - self._timed_from) / 3 * self._steps
                if needed > budget.deadline - budget.clock():
                    self._best.cut_short = True
                    _log.warning(
                        f"phase {phase.name}: left out, it needs about {needed / 60:.0f} min"
                    )
                    return None
            along = self._along()
            rate = self._schedule.rate(along)
            self._optimizers.set_rate(rate)
            loss, good = self._step(batch.inputs, batch.targets, batch.weights, batch.taught)
            losses.append(float(loss))
            right, seen = right + int(good), seen + len(batch.targets)
            self._done += 1
            if self._average and (phase.ema or along >= phase.average_from):
                self._average.add()
            progress.advance(note=f"validation {self._best.accuracy:.1%} at best")
            if budget.clock() >= budget.deadline:
                break
        return float(np.mean(losses)), right / seen, rate

    def _along(self) -> float:
        """The finished share of the phase, 0 to 1.

        It follows the clock only if there is too little time for all steps; otherwise the same seed
        would give another model on another machine.
        """
        time_left = max(1e-9, self._budget.deadline - self._start)
        spent = (self._budget.clock() - self._start) / time_left
        if spent * self._steps <= self._done + _STEPS_TO_START:
            spent = 0.0
        return max(self._done / self._steps, min(1.0, spent))

    def _judge(self, learned: tuple[float, float, float], epoch_start: float) -> bool:
        """Validates, keeps the best weights, and returns whether the phase has ended."""
        # Averaged weights are what is validated, and what is kept.
        with self._average.in_place() if self._average else nullcontext():
            line = self._validate()
            number = len(self._best.history)
            if line[0] < self._best.loss:
                self._keep(line, epoch=number)
            ended = self._note(learned, line, epoch_start)
            if ended and self._phase.keep == "last" and line[0] <= self._best.start_loss:
                self._keep(line, epoch=number)
        return ended

    def _note(
        self, learned: tuple[float, float, float], line: tuple[float, float], epoch_start: float
    ) -> bool:
        """Notes an epoch in the history, and returns whether the phase has ended."""
        phase, best, now = self._phase, self._best, self._budget.clock
        better = line[0] < self._lowest
        self._lowest = min(self._lowest, line[0])
        self._worse = 0 if better else self._worse + 1
        self._schedule.saw(better=better)
        loss, accuracy, rate = learned
        epoch = Epoch(
            phase.name, self._epoch, loss, accuracy, *line, rate, round(now() - epoch_start, 3)
        )
        best.history.append(epoch)
        self._budget.on_epoch(epoch)
        if phase.stop_at:
            reached = accuracy if phase.stop_at.of == "training" else line[1]
            enough = reached >= phase.stop_at.accuracy
            self._confirmed = self._confirmed + 1 if enough else 0
            best.reached = (
                self._confirmed >= phase.stop_at.confirm and self._epoch >= phase.stop_at.min_epochs
            )
        if now() >= self._budget.deadline and self._done < self._steps:
            best.cut_short = True
            return True
        patient = not phase.early_stopping or self._worse < phase.early_stopping
        return best.reached or not patient or self._epoch == phase.epochs

    def _validate(self) -> tuple[float, float]:
        """The (log loss, accuracy) on the validation pictures."""
        data = self._data
        logits = np.concatenate(
            [
                self._forward(inputs_at(data, self._phase.train_from, chunk)).numpy()
                for chunk in chunks_of(data.validation)
            ]
        )
        truth = data.truth[data.validation]
        return log_loss(logits, truth), float((logits.argmax(axis=1) == truth).mean())

    def _keep(self, line: tuple[float, float], *, epoch: int | None) -> None:
        """Makes the present weights the best, whose log loss and accuracy are `line`."""
        self._best.loss, self._best.accuracy = line
        self._best.kept = epoch
        self._best.weights = self._network.model.get_weights()

    def _make_average(self, upper: Any) -> Average | None:
        if not self._phase.ema and self._phase.average_from == 1:
            return None
        # The moving statistics of a trained BatchNorm layer belong to its weights.
        statistics = [
            variable
            for layer in upper.layers
            if isinstance(layer, keras.layers.BatchNormalization) and layer.trainable
            for variable in layer.non_trainable_variables
        ]
        return Average([*self._optimizers.variables, *statistics], decay=self._phase.ema)

    def _save(self, number: int, checkpoint: Checkpoint | None) -> None:
        if checkpoint is None or not (self._ended or checkpoint.due):
            return
        best = self._best
        checkpoint.save(
            _STAGE,
            {
                "model": self._network.state(),
                "best": best.weights or [],
                "optimizers": self._optimizers.state(),
                "average": self._average.state() if self._average else [],
            },
            {
                "phase": number,
                "epoch": self._epoch,
                "done": self._done,
                "ended": self._ended,
                "worse": self._worse,
                "confirmed": self._confirmed,
                "lowest": self._lowest,
                "pace": self._schedule.state(),
                "loss": best.loss,
                "accuracy": best.accuracy,
                "cut_short": best.cut_short,
                "reached": best.reached,
                "start": best.start,
                "start_loss": best.start_loss,
                "kept": best.kept,
                "history": [asdict(line) for line in best.history],
                "spent": self._budget.clock() - self._start,
            },
        )

    def restore(
        self, arrays: Mapping[str, list[npt.NDArray[Any]]], facts: Mapping[str, Any]
    ) -> None:
        """Restores a saved state."""
        self._network.restore(arrays["model"])
        self._optimizers.restore(arrays["optimizers"])
        if self._average:
            self._average.restore(arrays["average"])
        self._schedule.restore(facts["pace"])
        self._done, self._worse = facts["done"], facts["worse"]
        self._confirmed, self._lowest = facts["confirmed"], facts["lowest"]
        self._epoch, self._ended = facts["epoch"], facts["ended"]
        self._spent_before = facts["spent"]
        best = self._best
        best.weights, best.loss, best.accuracy = arrays["best"], facts["loss"], facts["accuracy"]
        best.cut_short, best.reached = facts["cut_short"], facts["reached"]
        best.start, best.start_loss = facts.get("start"), facts.get("start_loss", math.inf)
        best.kept = facts.get("kept")
        best.history = [Epoch(**line) for line in facts["history"]]
        _log.info(f"phase {self._phase.name}: continuing after epoch {facts['epoch']}")


def _frozen(
    network: Network, phase: PhasePlan
) -> Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]:
    forward = compiled(network.lower([phase.train_from]))
    return lambda images: np.asarray(forward(images)[0].numpy(), np.float32)
