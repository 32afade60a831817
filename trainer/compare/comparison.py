"""What the trainings of a comparison come to: which way is best, and whether that is sure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from edge.core.terminal.wording import in_a_sentence, number_of
from trainer.compare.speed import InferenceTime
from trainer.compare.trainings import Training
from trainer.errors import RunError
from trainer.evaluation.predictions import TestPrediction, read_predictions
from trainer.statistics.intervals import Figure
from trainer.statistics.paired_runs import Difference, paired_difference
from trainer.statistics.several_trainings import share_of_trainings

FEWEST_TRAININGS = 3
"""The fewest trainings of each way with which a winner is named."""


@dataclass(frozen=True, slots=True, eq=False)
class WayOutcome:
    """What one way comes to, on one split."""

    split: str
    """A seed, `0`; or a repeat and a fold of it, `1.5`."""
    predictions: Mapping[str, TestPrediction]
    """Of the test pictures, by the SHA-256 of their files."""
    trained_on: int
    """The pictures of the split that it was trained on."""
    minutes: float
    cut_short: bool
    parameters: int

    @property
    def accuracy(self) -> float:
        """On the test pictures, 0..1."""
        return float(np.mean([each.right for each in self.predictions.values()]))

    @property
    def corrupted(self) -> float | None:
        """On disturbed test pictures, the mean over all disturbances; None if not measured."""
        found = [e.disturbed for e in self.predictions.values() if e.disturbed is not None]
        return float(np.mean(found)) if found else None


@dataclass(frozen=True, eq=False)
class WayFigures:
    """What one way comes to, over all splits."""

    name: str
    outcomes: tuple[WayOutcome, ...]
    timing: InferenceTime | None = None
    """Of the int8 model, a picture, on this machine; None if it was not measured."""

    @property
    def accuracy(self) -> float:
        """The share right of all test pictures, each counted once for each split that tests it."""
        return self.figure.value or 0.0

    @property
    def spread(self) -> float | None:
        """The standard deviation of the accuracy over the splits; None with one."""
        values = [outcome.accuracy for outcome in self.outcomes]
        return float(np.std(values, ddof=1)) if len(values) > 1 else None

    @cached_property
    def figure(self) -> Figure:
        """The accuracy with its interval, by groups of pictures and by trainings."""
        found = [(i, e) for i, o in enumerate(self.outcomes) for e in o.predictions.values()]
        return share_of_trainings(
            np.array([e.right for _, e in found], bool),
            [e.group for _, e in found],
            [i for i, _ in found],
            overlap=_overlap(self.outcomes),
        )

    @cached_property
    def corrupted(self) -> Figure:
        """The accuracy on disturbed test pictures, the mean over all disturbances."""
        found = [
            (i, e, e.disturbed)
            for i, outcome in enumerate(self.outcomes)
            for e in outcome.predictions.values()
            if e.disturbed is not None
        ]
        return share_of_trainings(
            np.array([share for _, _, share in found], float),
            [e.group for _, e, _ in found],
            [i for i, _, _ in found],
            overlap=_overlap(self.outcomes),
        )

    @property
    def disturbed(self) -> int:
        """The splits on which there was time to score disturbed pictures."""
        return sum(outcome.corrupted is not None for outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two ways beside each other."""

    one: str
    other: str
    difference: Difference
    """The accuracy of `one` less that of `other`."""
    corrupted: Difference | None = None
    """The same on disturbed pictures; None if both were measured on none of the splits."""

    @property
    def sure(self) -> bool:
        """Whether they differ by more than chance explains."""
        return self.difference.sure


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
                worse = pair.corrupted and pair.corrupted.turned
                return Pair(one, other, pair.difference.turned, worse)
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
        """Which way wins and why, or that no difference shows; and what corruption changes, and
        time that ran out."""
        return f"{self._verdict()}{self._on_corrupted()}{self._cut_short()}"

    def _cut_short(self) -> str:
        """Of which ways trainings were cut short, if any."""
        counts = {way.name: sum(each.cut_short for each in way.outcomes) for way in self.ways}
        told = [
            f"{count} of {number_of(self.trainings, 'trainings')} with {name}"
            for name, count in counts.items()
            if count
        ]
        if not told:
            return ""
        return (
            f". Cut short: {in_a_sentence(told)}. With all of its steps a way may be better than "
            "this: give more minutes to be sure"
        )

    def _on_corrupted(self) -> str:
        """Which ways bear corrupted pictures surely better or worse than the best one."""
        best, *others = self.ways
        pairs = {way.name: self.between(way.name, best.name).corrupted for way in others}
        measured = {name: pair for name, pair in pairs.items() if pair is not None}
        if not measured or self.trainings < FEWEST_TRAININGS:
            return ""
        told = [
            f"{name} has {points(pair if pair.value > 0 else pair.turned)} "
            f"{'more' if pair.value > 0 else 'fewer'} than {best.name}"
            for name, pair in measured.items()
            if pair.sure
        ]
        if not told:
            return ". On corrupted pictures no difference shows"
        return f". On corrupted pictures {in_a_sentence(told)}"

    def _verdict(self) -> str:
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
        names = in_a_sentence([best.name, *self.as_good])
        return (
            f"no difference shows between {names}: {best.name} has "
            f"{self._apart(best.name, self.as_good[0])}, which chance explains. More "
            f"{'seeds' if self.folds is None else 'repeats'} or more pictures may tell them apart; "
            f"else take {self._fastest_alike()}"
        )

    def _cost(self) -> str:
        """What the best way takes beside the fastest one; nothing if it is that, or not timed."""
        best, fastest = self.ways[0], _fastest(self.ways)
        if fastest is None or best.timing is None or best.name in fastest[0]:
            return ""
        names, least = fastest
        took = best.timing.milliseconds
        return (
            f". A picture takes {took:.1f} ms, {took / least.milliseconds:.1f} times as long as "
            f"with {in_a_sentence(names)}, the fastest ({least.milliseconds:.1f} ms)"
        )

    def _fastest_alike(self) -> str:
        """Which of the ways as good as the best is the fastest, if all were timed."""
        best, *others = self.ways
        alike = [best, *(way for way in others if way.name in self.as_good)]
        fastest = _fastest(alike)
        if fastest is None:
            return "the fastest of them"
        names, least = fastest
        took = f"({least.milliseconds:.1f} ms)"
        if len(names) == len(alike):
            return f"either, as no difference in time shows {took}"
        one = "the fastest" if len(names) == 1 else "one of the fastest"
        return f"{one} of them, {in_a_sentence(names)} {took}"

    def _apart(self, one: str, other: str) -> str:
        return f"{points(self.between(one, other).difference)} more than {other}"


def points(difference: Difference) -> str:
    """A difference in words: "2.0 points (0.3 to 3.7)"."""
    low, high = difference.interval
    return f"{100 * difference.value:.1f} points ({100 * low:.1f} to {100 * high:.1f})"


def _fastest(ways: Sequence[WayFigures]) -> tuple[list[str], InferenceTime] | None:
    """The names of the ways that no other one is faster than, and the time of the first; None if
    any was not timed."""
    timed = [(way.name, way.timing) for way in ways if way.timing is not None]
    if len(timed) < len(ways):
        return None
    timed.sort(key=lambda each: (each[1].milliseconds, each[0]))
    least = timed[0][1]
    return [name for name, timing in timed if not least.is_less_than(timing)], least


def read_outcome(training: Training) -> WayOutcome:
    """What a finished training comes to.

    Raises:
        RunError: its files are damaged, or of an earlier pilah.
    """
    facts = training.run.facts
    return WayOutcome(
        split=training.split.key,
        predictions={each.sha256: each for each in read_predictions(training.run.path)},
        trained_on=facts.data.pictures["train"],
        minutes=facts.minutes,
        cut_short=facts.stopped_early,
        parameters=facts.parameters,
    )


def compare_outcomes(
    outcomes: Mapping[str, Sequence[WayOutcome]],
    timings: Mapping[str, InferenceTime | None],
    *,
    folds: int | None = None,
) -> WayComparison:
    """The comparison of ways by their outcomes, on the same splits.

    Args:
        outcomes: by the name of the way, one for each split.
        timings: by the name of the way, the time of its int8 model.
        folds: of a cross-validation, of whose repeats the splits are; None: they are of seeds.

    Raises:
        RunError: two ways were tested on other pictures on the same split.
    """
    ways = [WayFigures(name, tuple(found), timings.get(name)) for name, found in outcomes.items()]
    ways.sort(key=lambda way: (-way.accuracy, way.name))
    pairs = list(itertools.combinations(ways, 2))
    return WayComparison(
        tuple(ways),
        tuple(
            Pair(
                one.name,
                other.name,
                _difference(one, other, lambda each: float(each.right), len(pairs)),
                _difference(one, other, lambda each: each.disturbed, len(pairs))
                if _both_disturbed(one, other)
                else None,
            )
            for one, other in pairs
        ),
        folds,
    )


def _overlap(outcomes: Sequence[WayOutcome]) -> float:
    """The pictures that a training is tested on for each one that it is trained on."""
    return float(np.mean([len(each.predictions) / each.trained_on for each in outcomes]))


def _both_disturbed(one: WayFigures, other: WayFigures) -> bool:
    """Whether disturbed pictures of both were scored on any split."""
    pairs = zip(one.outcomes, other.outcomes, strict=True)
    return any(a.corrupted is not None and b.corrupted is not None for a, b in pairs)


def _difference(
    one: WayFigures,
    other: WayFigures,
    right: Callable[[TestPrediction], float | None],
    pairs: int,
) -> Difference:
    """What the first has more than the other.

    Args:
        right: whether a picture is right, or which share of its tries; None: it was not tried.
        pairs: how many pairs of ways are looked at.
    """
    changes: list[float] = []
    groups: list[str] = []
    trainings: list[int] = []
    for number, (mine, theirs) in enumerate(zip(one.outcomes, other.outcomes, strict=True)):
        if mine.split != theirs.split or mine.predictions.keys() != theirs.predictions.keys():
            raise RunError(
                f"{one.name} and {other.name} were not tested on the same pictures on split "
                f"{mine.split}: remove the folders of that split to train them again"
            )
        for key, picture in mine.predictions.items():
            mine_right, theirs_right = right(picture), right(theirs.predictions[key])
            if mine_right is not None and theirs_right is not None:
                changes.append(mine_right - theirs_right)
                groups.append(picture.group)
                trainings.append(number)
    overlap = _overlap([*one.outcomes, *other.outcomes])
    return paired_difference(np.array(changes), groups, trainings, overlap=overlap, pairs=pairs)
