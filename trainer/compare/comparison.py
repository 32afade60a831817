"""What the trainings of a comparison come to: which way is best, and whether that is sure."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.core.terminal.wording import in_a_sentence, number_of
from trainer.compare.trainings import Training
from trainer.errors import RunError
from trainer.report.predictions_csv import TestPrediction, read_predictions
from trainer.statistics.intervals import Figure
from trainer.statistics.means import mean_of
from trainer.statistics.paired_runs import CONFIDENCE, Difference, holm, paired_difference

FEWEST_SEEDS = 3
"""The fewest trainings of each way with which a winner is named."""


@dataclass(frozen=True, slots=True, eq=False)
class WayOutcome:
    """What one way comes to, with one seed."""

    seed: int
    predictions: Mapping[str, TestPrediction]
    """Of the test pictures, by the SHA-256 of their files."""
    corrupted: float | None
    """The accuracy on disturbed test pictures, the mean over all disturbances; None if it was not
    measured."""
    minutes: float
    cut_short: bool
    parameters: int

    @property
    def accuracy(self) -> float:
        """On the test pictures, 0..1."""
        return float(np.mean([each.right for each in self.predictions.values()]))


@dataclass(frozen=True, slots=True, eq=False)
class WayFigures:
    """What one way comes to, over all seeds."""

    name: str
    outcomes: tuple[WayOutcome, ...]
    milliseconds: float | None = None
    """Of the int8 model, a picture, on this machine; None if it was not measured."""

    @property
    def accuracy(self) -> float:
        """The mean over the seeds."""
        return float(np.mean([outcome.accuracy for outcome in self.outcomes]))

    @property
    def spread(self) -> float | None:
        """The standard deviation over the seeds; None with one."""
        values = [outcome.accuracy for outcome in self.outcomes]
        return float(np.std(values, ddof=1)) if len(values) > 1 else None

    @property
    def figure(self) -> Figure:
        """The share right with its interval, by groups of pictures."""
        found = [each for outcome in self.outcomes for each in outcome.predictions.values()]
        mean = mean_of(np.array([e.right for e in found], float), [e.group for e in found])
        return Figure(None, None) if mean is None else mean.figure

    @property
    def corrupted(self) -> float | None:
        """The mean over the seeds."""
        values = [o.corrupted for o in self.outcomes if o.corrupted is not None]
        return float(np.mean(values)) if values else None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two ways beside each other."""

    one: str
    other: str
    difference: Difference
    """The accuracy of `one` less that of `other`."""
    corrected: float
    """The p value, corrected for the number of pairs."""

    @property
    def sure(self) -> bool:
        """Whether they differ by more than chance explains."""
        return self.corrected < 1 - CONFIDENCE


@dataclass(frozen=True, slots=True, eq=False)
class WayComparison:
    """All ways, the best first, and all pairs."""

    ways: tuple[WayFigures, ...]
    pairs: tuple[Pair, ...]

    def between(self, one: str, other: str) -> Pair:
        """The pair of these two, whichever way round it was computed."""
        for pair in self.pairs:
            if (pair.one, pair.other) == (one, other):
                return pair
            if (pair.one, pair.other) == (other, one):
                turned = pair.difference
                low, high = turned.interval
                return Pair(
                    one, other, Difference(-turned.value, (-high, -low), turned.p), pair.corrected
                )
        raise KeyError((one, other))

    @property
    def seeds(self) -> int:
        """How many times each way was trained."""
        return len(self.ways[0].outcomes)

    @property
    def winner(self) -> WayFigures | None:
        """The way that is better than every other one by more than chance explains, if any.

        There is none with fewer seeds than show how much chance moves a training.
        """
        told = self.seeds >= FEWEST_SEEDS and len(self.ways) > 1 and not self.as_good
        return self.ways[0] if told else None

    @property
    def as_good(self) -> tuple[str, ...]:
        """The ways that cannot be told from the best."""
        best, *others = self.ways
        return tuple(each.name for each in others if not self.between(best.name, each.name).sure)

    def verdict(self) -> str:
        """Which way wins and why, or that no difference shows, in a sentence."""
        best, *others = self.ways
        if not others:
            return f"{best.name}: {best.accuracy:.1%} right; there is nothing to compare it with"
        if self.winner:
            return (
                f"{best.name} wins: {best.accuracy:.1%} right, "
                f"{self._apart(best.name, others[0].name)}, the next, and surely more than every "
                "other one"
            )
        if not self.as_good:
            return (
                f"no winner with {number_of(self.seeds, 'seeds')}: {best.name} has "
                f"{self._apart(best.name, others[0].name)} on these test pictures, but how much "
                f"chance moves a training, {FEWEST_SEEDS} seeds show or more"
            )
        names = in_a_sentence(list(self.as_good))
        return (
            f"no difference shows between {best.name} and {names}: {best.name} has "
            f"{self._apart(best.name, self.as_good[0])}, which chance explains. More seeds or more "
            "test pictures may tell them apart; else take the fastest of them"
        )

    def _apart(self, one: str, other: str) -> str:
        difference = self.between(one, other).difference
        low, high = difference.interval
        return (
            f"{100 * difference.value:.1f} points ({100 * low:.1f} to {100 * high:.1f}) more than "
            f"{other}"
        )


def read_outcome(training: Training) -> WayOutcome:
    """What a finished training comes to.

    Raises:
        RunError: its files are damaged, or of an earlier pilah.
    """
    metrics, facts = training.metrics(), training.run.facts
    disturbed = [each["accuracy"] for each in metrics.get("robustness", [])]
    return WayOutcome(
        seed=training.seed,
        predictions={each.sha256: each for each in read_predictions(training.run.path)},
        corrupted=float(np.mean(disturbed)) if disturbed else None,
        minutes=facts.minutes,
        cut_short=facts.stopped_early,
        parameters=facts.parameters,
    )


def compare_outcomes(
    outcomes: Mapping[str, Sequence[WayOutcome]], milliseconds: Mapping[str, float | None]
) -> WayComparison:
    """The comparison of ways by their outcomes, with the same seeds.

    Args:
        outcomes: by the name of the way, one for each seed.
        milliseconds: by the name of the way, the time of its int8 model.

    Raises:
        RunError: two ways were tested on other pictures with the same seed.
    """
    ways = [
        WayFigures(name, tuple(found), milliseconds.get(name)) for name, found in outcomes.items()
    ]
    ways.sort(key=lambda way: (-way.accuracy, way.name))
    names = list(itertools.combinations(range(len(ways)), 2))
    found = [_difference(ways[i], ways[j]) for i, j in names]
    corrected = holm([each.p for each in found])
    return WayComparison(
        tuple(ways),
        tuple(
            Pair(ways[i].name, ways[j].name, each, p)
            for (i, j), each, p in zip(names, found, corrected, strict=True)
        ),
    )


def _difference(one: WayFigures, other: WayFigures) -> Difference:
    changes: list[npt.NDArray[np.float64]] = []
    groups: list[str] = []
    seeds: list[int] = []
    for mine, theirs in zip(one.outcomes, other.outcomes, strict=True):
        if mine.seed != theirs.seed or mine.predictions.keys() != theirs.predictions.keys():
            raise RunError(
                f"{one.name} and {other.name} were not tested on the same pictures with seed "
                f"{mine.seed}: remove the folders of that seed to train them again"
            )
        pairs = [(mine.predictions[key], theirs.predictions[key]) for key in mine.predictions]
        changes.append(np.array([float(a.right) - float(b.right) for a, b in pairs]))
        groups += [a.group for a, _ in pairs]
        seeds += [mine.seed] * len(pairs)
    return paired_difference(np.concatenate(changes), groups, seeds)
