"""A search file says what is tried, and each of its mistakes is told with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from edge.core.errors import ConfigError
from trainer.recipes.reading import read_recipe, shipped_recipes
from trainer.sweep.search import RangePlan, SearchedKey, as_settings, read_search, usual_keys


def searched(tmp_path: Path, text: str) -> tuple[SearchedKey, ...]:
    file = tmp_path / "search.yaml"
    file.write_text(text, encoding="utf-8")
    return read_search(file, "garbage")


@pytest.mark.parametrize(
    ("text", "own", "has_own", "distribution"),
    [
        ("batch_size: {low: 8, high: 64, step: 8}", 32, True, IntDistribution(8, 64, step=8)),
        ("batch_size: {low: 10, high: 50, step: 20}", 32, False, IntDistribution(10, 50, step=20)),
        ("phases.upper.epochs: {low: 2, high: 3}", 4, False, IntDistribution(2, 3)),
        (
            "phases.head.learning_rate: {low: 0.0001, high: 0.01, log: true}",
            0.001,
            True,
            FloatDistribution(1e-4, 1e-2, log=True),
        ),
        # A number that may have decimals has them, also between whole ones.
        ("network.dropout: {low: 0, high: 0.9}", 0.2, True, FloatDistribution(0, 0.9)),
        ("augment.rotate: {low: 0, high: 30}", 20, True, FloatDistribution(0, 30)),
        ("sampling: [shuffled, balanced]", "shuffled", True,
         CategoricalDistribution(("shuffled", "balanced"))),
        ("augment.flip_vertical: [true, false]", True, True,
         CategoricalDistribution((True, False))),
        ("input.height: [224, 288]", 240, False, CategoricalDistribution((224, 288))),
    ],
)  # fmt: skip
def test_a_key_is_tried_as_the_recipe_takes_it(
    tmp_path: Path, text: str, own: object, has_own: bool, distribution: BaseDistribution
) -> None:
    (key,) = searched(tmp_path, text)
    assert (key.own, key.has_own) == (own, has_own)
    asked = {}

    class Asked:
        """What is asked of a trial."""

        def __getattr__(self, name: str) -> object:
            def suggest(key: str, *bounds: object, **options: object) -> object:
                kinds = {
                    "suggest_int": IntDistribution,
                    "suggest_float": FloatDistribution,
                    "suggest_categorical": CategoricalDistribution,
                }
                asked[key] = kinds[name](*bounds, **options)
                low = getattr(asked[key], "low", None)
                return asked[key].choices[0] if low is None else low

            return suggest

    value = key.suggested(Asked())  # type: ignore[arg-type]
    assert asked == {key.key: distribution}
    read_recipe("garbage", settings=as_settings({key.key: value}))


def test_drawn_numbers_can_be_read_and_stay_within(tmp_path: Path) -> None:
    (key,) = searched(tmp_path, "network.dropout: {low: 0.1234567, high: 0.4444446}")
    for drawn, value in ((0.1234567, 0.123457), (0.2345678, 0.234568), (0.4444446, 0.4444446)):
        trial: Any = optuna.trial.FixedTrial({key.key: drawn})
        assert key.suggested(trial) == value


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("phases.uper.epochs: [2, 3]", "phases.uper.epochs: no phase 'uper'. The recipe has: head"),
        ("phases.upper.epochs: {low: 1.5, high: 3}", "must be a valid integer. Received: 1.5"),
        ("phases.upper.epochs: {low: 2, high: 8, step: 0.5}", "step must be a whole number here"),
        ("augment.rotat: [1, 2]", "augment.rotat: unknown key. Did you mean rotate?"),
        ("augment.rotate: {low: 0, high: 300}", "must be less than or equal to 180. Received: 300"),
        ("augment.rotate: {low: 9, high: 9}", "low must be below high. Received: 9 and 9"),
        ("augment.rotate: {low: 0, high: 9, log: true}", "with log, low must be above 0"),
        ("augment.rotate: {low: 1, high: 9, log: true, step: 1}", "log and step do not go"),
        (
            "augment.rotate: {low: 1, hihg: 9}",
            "rotate.hihg: unknown key. Did you mean high",
        ),
        (
            "augment.rotate: {low: 1, high: 9, step: 3}",
            "must be whole steps. Received: 1 to 9",
        ),
        ("augment.rotate: {low: 1}", "augment.rotate.high: missing: the largest value"),
        ("augment.rotate: 5", "augment.rotate: must be `key: value` lines. Received: 5"),
        ("augment.rotate: [5]", "give two different values or more. Received: [5]"),
        ("augment.rotate: [5, 5]", "give two different values or more"),
        ("augment.rotate: [[1], 2]", "must be a number, a text, or true or false. Received: [1]"),
        ("class_weights: {low: 0, high: 1}", "class_weights: must be 'none', 'sqrt' or 'balanced'"),
        ("augment.flip_vertical: {low: 0, high: 1}", "flip_vertical: must be a valid boolean"),
        ("network.weights: {low: 0, high: 1}", "network.weights: must be a valid string"),
        ("split.test: [0.1, 0.2]", "split is not searched: all trials are scored on the same"),
        ("max_minutes: [1, 2]", "max_minutes is not searched: it is the same for all trials"),
        ("distill.weight: [0.5, 0.9]", "distill.teacher: missing: a recipe by its name or path"),
        ("augment: [none, hard]", "augment: must be `key: value` lines. Received: 'none'"),
        ("phases: [1, 2]", "phases: must be a list"),
        ("5: [1, 2]", "5: unknown key"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        searched(tmp_path, f"# mine\nbatch_size: [16, 32]\n{line}\n")
    assert said in str(caught.value)
    assert {problem.partition(":")[0] for problem in caught.value.problems} == {"3"}


def test_a_file_without_keys_and_one_with_a_key_twice_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no key to search"):
        searched(tmp_path, "{}\n")
    with pytest.raises(ConfigError, match="2: batch_size: this key is already on line 1"):
        searched(tmp_path, "batch_size: [1, 2]\nbatch_size: [1, 3]\n")


@pytest.mark.parametrize(
    ("recipe", "variant"),
    [(name, variant) for name in shipped_recipes() for variant in read_recipe(name).variants]
    + [(name, "default") for name in shipped_recipes()],
)
def test_every_recipe_has_a_usual_search_around_its_own_values(recipe: str, variant: str) -> None:
    keys = usual_keys(recipe, variant=variant)
    assert all(key.has_own for key in keys)
    rates = [key for key in keys if key.key.endswith("learning_rate")]
    assert len(rates) == len(read_recipe(recipe, variant=variant).phases)
    for end in (0, -1):
        ends = {
            key.key: (key.plan.low, key.plan.high)[end]
            if isinstance(key.plan, RangePlan)
            else key.plan[end]
            for key in keys
        }
        read_recipe(recipe, variant=variant, settings=as_settings(ends))
