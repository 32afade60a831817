"""A sweep says how sure its best trial is, and whether it is better than the recipe as it is."""

from __future__ import annotations

import numpy as np
import optuna
import pytest
from optuna.trial import FrozenTrial

from trainer.sweep.objective import CUT_SHORT, GROUPS, LOSSES, MINUTES, RIGHT
from trainer.sweep.result import OWN, SweepResult, table, to_json


def trial(losses: np.ndarray, *, series: int = 1, own: bool = False) -> FrozenTrial:
    """A trial in which the pictures with less than 0.7 are right."""
    found = optuna.trial.create_trial(
        value=float(losses.mean()),
        user_attrs={
            RIGHT: "".join(str(int(loss < 0.7)) for loss in losses),
            LOSSES: losses.tolist(),
            GROUPS: [i // series for i in range(len(losses))],
            MINUTES: 1.0,
            CUT_SHORT: False,
            **({OWN: True} if own else {}),
        },
    )
    found.number = 0 if own else 1
    return found


def swept(gain: float, *, series: int = 1, trials: int = 2, pictures: int = 200) -> SweepResult:
    """The recipe as it is, one that is better by `gain`, and worse ones."""
    rng = np.random.default_rng(0)
    own = rng.uniform(0.2, 1.2, pictures)
    better = own - gain + np.repeat(rng.normal(0, 0.2, pictures // series), series)
    worse = [trial(own + 1) for _ in range(trials - 2)]
    found = (trial(own, series=series, own=True), trial(better, series=series), *worse)
    return SweepResult((), trials, found)


def test_where_the_best_is_no_better_than_the_recipe_as_it_is_that_is_said() -> None:
    better, chance = swept(0.1), swept(0.01)
    assert chance.best is not chance.own
    assert "surely worse on these pictures" in better.verdict()
    assert "no difference between both shows" in chance.verdict()
    gain = better.gain()
    assert gain is not None
    assert gain.interval is not None
    assert gain.value == pytest.approx(0.1, abs=0.03)
    assert 0 < gain.interval[0] < 0.1 < gain.interval[1]
    assert to_json(better)["gain"] == gain.to_json()


def test_groups_and_many_trials_ask_for_more() -> None:
    def width(found: SweepResult) -> float:
        gain = found.gain()
        assert gain is not None
        assert gain.interval is not None
        return gain.interval[1] - gain.interval[0]

    assert width(swept(0.1, series=10)) > 2 * width(swept(0.1))
    assert width(swept(0.1, trials=30)) > 1.4 * width(swept(0.1))
    shares = [to_json(swept(0.1, series=series))["trials"][0]["interval"] for series in (1, 200)]
    assert shares[1][1] - shares[1][0] > 3 * (shares[0][1] - shares[0][0])


def test_a_trial_of_an_earlier_pilah_has_no_share() -> None:
    old = optuna.trial.create_trial(value=0.5, user_attrs={MINUTES: 1.0, CUT_SHORT: False})
    found = SweepResult((), 1, (old,))
    assert found.gain() is None
    assert table(found).splitlines()[1].split() == ["-1", "0.5000", "–", "1.0"]
