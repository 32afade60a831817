"""Finds a learning rate to start with, by raising the rate during one short training."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.core.terminal.progress import Progress
from trainer.fit.batches import Batch, epoch_batches
from trainer.fit.learner import learning_step
from trainer.fit.optimizers import Optimizers
from trainer.fit.predict import TrainingSet
from trainer.fit.prepare import Prepared, prepare, training_set
from trainer.recipes.plan import PhasePlan, Recipe
from trainer.recipes.reading import read_recipe

LOWEST, HIGHEST = 1e-7, 1.0
_STEPS = 100
"""The number of batches of the training of each phase."""
_SMOOTHING = 0.9
_EXPLODED = 4.0
"""The search ends when the loss is so many times the lowest one."""


@dataclass(frozen=True, slots=True)
class RateCurve:
    """The loss of a phase while the learning rate was raised from step to step."""

    phase: str
    rates: tuple[float, ...]
    losses: tuple[float, ...]
    """The smoothed loss at each rate."""

    @property
    def suggestion(self) -> float:
        """A tenth of the rate at which the loss was lowest, with one digit.

        Source: L. N. Smith, Cyclical learning rates for training neural networks, WACV 2017, and
        the rule of thumb of the fastai library: the lowest point is already too near to divergence.
        """
        rate = self.rates[int(np.argmin(self.losses))] / 10
        digit = 10 ** math.floor(math.log10(rate))
        return float(f"{round(rate / digit) * digit:.0e}")


def find_rates(
    recipe: Recipe | str | Path,
    data: str | Path,
    *,
    variant: str = "default",
    settings: Sequence[str] = (),
    add: Sequence[str | Path] = (),
    groups: str | None = None,
    seed: int = 0,
) -> tuple[RateCurve, ...]:
    """Measures a curve for each phase of a recipe, each from the network's starting weights.

    The test split is not used.

    Args:
        recipe, data, variant, settings, add, groups, seed: see `train`.

    Raises:
        As `train`.

    Example:
        >>> curves = find_rates("mobilenet_v2", "photos", settings=["augment.copies=1"])
    """
    if not isinstance(recipe, Recipe):
        recipe = read_recipe(str(recipe), variant=variant, settings=settings)
    phases = [phase.model_copy(update={"fresh": False}) for phase in recipe.phases]
    prepared = prepare(
        # No teacher: its training would take longer than all of this.
        recipe.model_copy(update={"phases": phases, "distill": None}),
        Path(data),
        add=add,
        groups=groups,
        seed=seed,
    )
    train = prepared.of("train")
    whole = training_set(
        prepared,
        phases,
        with_copies=prepared.split == "train",
        train=train,
        validation=train,
    )
    network = prepared.network
    start = network.model.get_weights()
    curves = []
    for number, phase in enumerate(prepared.recipe.phases):
        network.model.set_weights(start)
        curves.append(_try_rates(prepared, phase, whole, seed=seed + number))
    network.model.set_weights(start)
    return tuple(curves)


def _try_rates(prepared: Prepared, phase: PhasePlan, whole: TrainingSet, *, seed: int) -> RateCurve:
    upper = prepared.network.upper(phase.train_from)
    prepared.network.let_train(upper)
    optimizers = Optimizers(phase, upper)
    step = learning_step(upper, prepared.recipe, optimizers)
    batches = _endless(prepared, phase, whole, seed)
    rates: list[float] = []
    losses: list[float] = []
    mean = 0.0
    with Progress(f"rates of phase {phase.name}", total=_STEPS) as progress:
        for done in range(_STEPS):
            batch = next(batches)
            rate = LOWEST * (HIGHEST / LOWEST) ** (done / (_STEPS - 1))
            optimizers.set_rate(rate)
            loss = float(step(batch.inputs, batch.targets, batch.weights, batch.taught)[0])
            mean = _SMOOTHING * mean + (1 - _SMOOTHING) * loss
            smooth = mean / (1 - _SMOOTHING ** (done + 1))
            if not smooth < _EXPLODED * min(losses, default=math.inf):
                break
            rates.append(rate)
            losses.append(smooth)
            progress.advance()
    return RateCurve(phase.name, tuple(rates), tuple(losses))


def _endless(
    prepared: Prepared, phase: PhasePlan, whole: TrainingSet, seed: int
) -> Iterator[Batch]:
    for epoch in itertools.count():
        rng = np.random.default_rng((seed, epoch))
        classes = len(prepared.labels)
        yield from epoch_batches(prepared.recipe, phase, whole, classes, rng=rng, lower=None)
