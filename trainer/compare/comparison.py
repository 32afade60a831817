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

FEWEST_TRAININGS = 3
"""The fewest trainings of each way with which a winner is named."""


@dataclass(frozen=True, slots=True, eq=False)
class WayOutcome:
    """What one way comes to, on one split."""

    split: str
    """A seed, `0`; or a repeat and a fold of it, `1.5`."""
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
    """What one way comes to, over all splits."""

    name: str
    outcomes: tuple[WayOutcome, ...]
    milliseconds: float | None = None
    """Of the int8 model, a picture, on this machine; None if it was not measured."""

    @property
    def accuracy(self) -> float:
        """The mean over the splits."""
        return float(np.mean([outcome.accuracy for outcome in self.outcomes]))

    @property
    def spread(self) -> float | None:
        """The standard deviation over the splits; None with one."""
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
        """The mean over the splits."""
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
    folds: int | None = None
    """Of a cross-validation; None: the splits are drawn by seeds."""

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
    def trainings(self) -> int:
        """How many times each way was trained."""
        return len(self.ways[0].outcomes)

    @property
    def splits(self) -> str:
        """What the ways were trained on, in words: "3 seeds", "5 folds, 2 repeats"."""
        if self.folds is None:
            return number_of(self.trainings, "seeds")
        return f"{self.folds} folds, {number_of(self.trainings // self.folds, 'repeats')}"

    @property
    def winner(self) -> WayFigures | None:
        """The way that is better than every other one by more than chance explains, if any.

        There is none with fewer trainings than show how much chance moves one.
        """
        told = self.trainings >= FEWEST_TRAININGS and len(self.ways) > 1 and not self.as_good
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
                f"other one{self._cost()}"
            )
        if not self.as_good:
            return (
                f"no winner with {self.splits}: {best.name} has "
                f"{self._apart(best.name, others[0].name)} on these test pictures, but how much "
                f"chance moves a training, {FEWEST_TRAININGS} trainings of each way show or more"
            )
        names = in_a_sentence(list(self.as_good))
        return (
            f"no difference shows between {best.name} and {names}: {best.name} has "
            f"{self._apart(best.name, self.as_good[0])}, which chance explains. More "
            f"{'seeds' if self.folds is None else 'repeats'} or more pictures may tell them apart; "
            f"else take the fastest of them{self._fastest_alike()}"
        )

    def _cost(self) -> str:
        """What the best way takes beside the fastest one; nothing if it is that, or not timed."""
        best, fastest = self.ways[0], _fastest(self.ways)
        if fastest is None or best.milliseconds is None or fastest[0] == best.name:
            return ""
        name, least = fastest
        return (
            f". A picture takes {best.milliseconds:.1f} ms, {best.milliseconds / least:.1f} times "
            f"as long as with {name}, the fastest ({least:.1f} ms)"
        )

    def _fastest_alike(self) -> str:
        """Which of the ways as good as the best is the fastest, if all were timed."""
        best, *others = self.ways
        fastest = _fastest([best, *(way for way in others if way.name in self.as_good)])
        return "" if fastest is None else f", {fastest[0]} ({fastest[1]:.1f} ms)"

    def _apart(self, one: str, other: str) -> str:
        difference = self.between(one, other).difference
        low, high = difference.interval
        return (
            f"{100 * difference.value:.1f} points ({100 * low:.1f} to {100 * high:.1f}) more than "
            f"{other}"
        )


def _fastest(ways: Sequence[WayFigures]) -> tuple[str, float] | None:
    """The way whose int8 model takes the least time, and its milliseconds; None if any was not
    timed."""
    timed = [(way.milliseconds, way.name) for way in ways if way.milliseconds is not None]
    if len(timed) < len(ways):
        return None
    least, name = min(timed)
    return name, least


def read_outcome(training: Training) -> WayOutcome:
    """What a finished training comes to.

    Raises:
        RunError: its files are damaged, or of an earlier pilah.
    """
    metrics, facts = training.metrics(), training.run.facts
    disturbed = [each["accuracy"] for each in metrics.get("robustness", [])]
    return WayOutcome(
        split=training.split.key,
        predictions={each.sha256: each for each in read_predictions(training.run.path)},
        corrupted=float(np.mean(disturbed)) if disturbed else None,
        minutes=facts.minutes,
        cut_short=facts.stopped_early,
        parameters=facts.parameters,
    )


def compare_outcomes(
    outcomes: Mapping[str, Sequence[WayOutcome]],
    milliseconds: Mapping[str, float | None],
    *,
    folds: int | None = None,
) -> WayComparison:
    """The comparison of ways by their outcomes, on the same splits.

    Args:
        outcomes: by the name of the way, one for each split.
        milliseconds: by the name of the way, the time of its int8 model.
        folds: of a cross-validation, of whose repeats the splits are; None: they are of seeds.

    Raises:
        RunError: two ways were tested on other pictures on the same split.
    """
    ways = [
        WayFigures(name, tuple(found), milliseconds.get(name)) for name, found in outcomes.items()
    ]
    ways.sort(key=lambda way: (-way.accuracy, way.name))
    names = list(itertools.combinations(range(len(ways)), 2))
    overlap = 0.0 if folds is None else 1 / (folds - 1)
    found = [_difference(ways[i], ways[j], overlap) for i, j in names]
    corrected = holm([each.p for each in found])
    return WayComparison(
        tuple(ways),
        tuple(
            Pair(ways[i].name, ways[j].name, each, p)
            for (i, j), each, p in zip(names, found, corrected, strict=True)
        ),
        folds,
    )


def _difference(one: WayFigures, other: WayFigures, overlap: float) -> Difference:
    changes: list[npt.NDArray[np.float64]] = []
    groups: list[str] = []
    trainings: list[int] = []
    pairs_of = enumerate(zip(one.outcomes, other.outcomes, strict=True))
    for number, (mine, theirs) in pairs_of:
        if mine.split != theirs.split or mine.predictions.keys() != theirs.predictions.keys():
            raise RunError(
                f"{one.name} and {other.name} were not tested on the same pictures on split "
                f"{mine.split}: remove the folders of that split to train them again"
            )
        pairs = [(mine.predictions[key], theirs.predictions[key]) for key in mine.predictions]
        changes.append(np.array([float(a.right) - float(b.right) for a, b in pairs]))
        groups += [a.group for a, _ in pairs]
        trainings += [number] * len(pairs)
    return paired_difference(np.concatenate(changes), groups, trainings, overlap=overlap)
