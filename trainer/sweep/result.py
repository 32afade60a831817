"""What the trials of a sweep come to: a table, JSON, and the best recipe."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml
from optuna.trial import FrozenTrial, TrialState

from edge.core.terminal.wording import number_of
from trainer.recipes.plan import Recipe
from trainer.recipes.reading import recipe_yaml
from trainer.statistics.intervals import Figure, Resampling, students_t
from trainer.statistics.means import clustered_variance
from trainer.sweep.objective import CUT_SHORT, EPOCHS, GROUPS, LOSSES, MINUTES, RIGHT
from trainer.sweep.search import SearchedKey
from trainer.sweep.trials import ATTEMPTS, DONE, EARLY, PROBLEM

OWN = "own"
"""Attribute of the trial that has the recipe's own values."""
USED = "used"
"""Attribute of a trial: its values by key, rounded as they were trained with."""
BEFORE = "before"
"""The variant of the best recipe that has the values of the recipe it came from."""
_ROWS = 12
_HEADS = ("trial", "log loss", "right", "minutes")
FLATTERS = (
    "the best of many is by chance a little worse than its figures: train it, and look at its "
    "test, or compare it with the recipe as it was"
)
"""What whoever reads the result of a sweep is to know."""


@dataclass(frozen=True, slots=True, eq=False)
class SweepResult:
    """The trials that are done, and those that were given back."""

    keys: tuple[SearchedKey, ...]
    total: int
    """How many trials are to be done."""
    trials: tuple[FrozenTrial, ...]

    @property
    def whole(self) -> list[FrozenTrial]:
        """The trials with a score, the best first."""
        found = [trial for trial in self.trials if trial.state is TrialState.COMPLETE]
        return sorted(found, key=lambda trial: (trial.value or 0.0, trial.number))

    @property
    def best(self) -> FrozenTrial | None:
        """The trial with the lowest log loss; None before one has ended."""
        return next(iter(self.whole), None)

    @property
    def own(self) -> FrozenTrial | None:
        """The trial with the recipe's own values, if it has a score."""
        return next((trial for trial in self.whole if trial.user_attrs.get(OWN)), None)

    def verdict(self) -> str:
        """Which trial is best, beside the recipe as it is, and how the others ended."""
        done = [trial for trial in self.trials if trial.state in DONE]
        ended = [trial for trial in done if trial.state is TrialState.PRUNED]
        impossible = sum(_problem(trial) is not None for trial in ended)
        counts = (
            f"{number_of(len(done), 'trials')} of {self.total}: {len(self.whole)} whole, "
            f"{len(ended) - impossible} ended early, {impossible} impossible"
        )
        if self.best is None:
            return counts
        told = f"trial {self.best.number} is best: {_told(self.best)}"
        if self.own is self.best:
            told += ", and has the recipe's own values"
        elif self.own is not None:
            told += f"; the recipe as it is: {_told(self.own)}{self._gained()}"
        return f"{told}. {counts}"

    def gain(self) -> Figure | None:
        """The log loss of the recipe as it is less that of the best trial, of the same pictures.

        The interval is by groups of pictures, and corrected for the number of trials of which the
        best was taken (Bonferroni). What chance does to a training it does not know. None if either
        is missing, or has no losses of each picture, as of an earlier pilah.
        """
        best, own = self.best, self.own
        if best is None or own is None or not {LOSSES, GROUPS} <= best.user_attrs.keys():
            return None
        before, after = (np.array(each.user_attrs.get(LOSSES, [])) for each in (own, best))
        if before.shape != after.shape:
            return None
        variance, groups = clustered_variance(before - after, best.user_attrs[GROUPS])
        value = float((before - after).mean())
        if groups < 2:
            return Figure(value, None)
        doubt = 0.05 / max(1, len(self.whole) - 1)
        half = students_t(groups - 1, 1 - doubt) * math.sqrt(variance)
        return Figure(value, (value - half, value + half))

    def _gained(self) -> str:
        gain = self.gain()
        if gain is None:
            return ""
        if gain.interval is None or gain.interval[0] <= 0:
            return ", and no difference between both shows"
        return ", which is surely worse on these pictures"


def table(found: SweepResult) -> str:
    """The best trials as text, a line each, and the verdict."""
    keys = [each.key for each in found.keys]
    rows = [
        (*_HEADS, *keys),
        *(
            (
                f"{trial.number}{' (own)' if trial.user_attrs.get(OWN) else ''}",
                f"{trial.value:.4f}",
                _right(trial).shown,
                f"{trial.user_attrs[MINUTES]:.1f}"
                + (" (cut short)" if trial.user_attrs[CUT_SHORT] else ""),
                *(_shown(values_of(trial).get(key)) for key in keys),
            )
            for trial in found.whole[:_ROWS]
        ),
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(widths[i]) for i, cell in enumerate(row)) for row in rows]
    return "\n".join([*(line.rstrip() for line in lines), found.verdict()])


def to_json(found: SweepResult) -> dict[str, Any]:
    """The object that `sweep --json` prints."""
    gain = found.gain()
    return {
        "verdict": found.verdict(),
        "note": FLATTERS,
        "planned": found.total,
        "done": sum(trial.state in DONE for trial in found.trials),
        "best": None if found.best is None else found.best.number,
        "own": None if found.own is None else found.own.number,
        "gain": gain and gain.to_json(),
        "given_back": sum(trial.state is TrialState.FAIL for trial in found.trials),
        "search": {each.key: each.to_json() for each in found.keys},
        "trials": [_row(trial) for trial in found.trials if trial.state in DONE],
    }


def best_recipe(plain: Recipe, best: Recipe, found: SweepResult) -> str:
    """The best recipe as YAML, with the values that it had before as a variant."""
    before = {each.key: each.own for each in found.keys}
    variant = {} if found.best is found.own else {"variants": {BEFORE: before}}
    text = recipe_yaml(best) + (yaml.safe_dump(variant, sort_keys=False) if variant else "")
    told = [] if found.best is None else [f"Trial {found.best.number}: {_told(found.best)}."]
    lines = [
        f"Made by `pilah-trainer sweep` from {plain.name}: the best of "
        f"{number_of(len(found.whole), 'whole trials')}, by the validation pictures.",
        *told,
        *([f"`--variant {BEFORE}` is the recipe as it was."] if variant else []),
    ]
    return "".join(f"# {line}\n" for line in lines) + text


def values_of(trial: FrozenTrial) -> Mapping[str, Any]:
    """The values that a trial was trained with, by key."""
    values: Mapping[str, Any] = trial.user_attrs.get(USED, {})
    return values


def _row(trial: FrozenTrial) -> dict[str, Any]:
    whole = trial.state is TrialState.COMPLETE
    told = {key: trial.user_attrs.get(key) for key in (EPOCHS, MINUTES, CUT_SHORT)}
    problem = _problem(trial)
    return {
        "trial": trial.number,
        "ended": "whole" if whole else "early" if problem is None else "impossible",
        "values": values_of(trial),
        "log_loss": trial.value if whole else None,
        "accuracy": _right(trial).value if whole else None,
        "interval": _right(trial).interval if whole else None,
        **(told if whole else {}),
        **({} if problem is None else {"problem": problem}),
    }


def _problem(trial: FrozenTrial) -> str | None:
    """Why a trial has no score; None if others were better, or it has one."""
    if trial.state is TrialState.COMPLETE or trial.user_attrs.get(EARLY):
        return None
    return str(trial.user_attrs.get(PROBLEM, f"its process died, {ATTEMPTS} times"))


def _right(trial: FrozenTrial) -> Figure:
    """The share of the validation pictures that are right, with its interval by groups."""
    # A trial of an earlier pilah has neither.
    right = np.array([each == "1" for each in trial.user_attrs.get(RIGHT, "")], bool)
    return Resampling(trial.user_attrs.get(GROUPS, []), len(right)).share(right)


def _told(trial: FrozenTrial) -> str:
    pictures = len(trial.user_attrs.get(RIGHT, ""))
    return (
        f"log loss {trial.value:.3f}, {_right(trial).shown} of {pictures} validation pictures right"
    )


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
