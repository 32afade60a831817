"""What other networks brought is data of a recipe: checked, and told where the recipe is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge.core.errors import EXIT_OK, ConfigError
from trainer.cli import main
from trainer.recipes.measured import MeasuredPlan, whether_better
from trainer.recipes.reading import read_recipe, recipe_yaml, shipped_recipes

_MINE = """\
name: mine
phases:
  - {name: head, train_from: pooled, epochs: 1, learning_rate: 0.001}
measured:
  - {CHANGED}
variants:
  better: {network.name: efficientnet_lite0}
"""
_WHOLE = "variant: better, points: 2.9, interval: [1.1, 4.7], trainings: 15, pictures: photographs"


def mine(folder: Path, entry: str = _WHOLE) -> str:
    file = folder / "mine.yaml"
    file.write_text(_MINE.replace("CHANGED", entry), encoding="utf-8")
    return str(file)


def measured(**changes: Any) -> MeasuredPlan:
    facts = {"network": "efficientnet_lite0", "points": 2.9, "trainings": 15, "pictures": "shoes"}
    return MeasuredPlan(**{**facts, **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "+2.9 points, too few trainings to show a difference"),
        ({"interval": [1.1, 4.7]}, "2.9 points more right (1.1 to 4.7)"),
        ({"points": -4.0, "interval": [-6.5, -1.5]}, "4.0 points fewer right (1.5 to 6.5)"),
        ({"points": 0.04, "interval": [-2, 2.1]}, "0.0 points (-2.0 to +2.1), no difference shows"),
    ],
)
def test_the_difference_is_told_as_sure_as_it_is(changes: dict[str, Any], said: str) -> None:
    assert measured(**changes).brought == said


def test_the_times_are_told_as_far_as_they_are_known() -> None:
    assert measured().cost == ""
    assert "time not measured" in measured().sentence
    both = measured(picture_time=1.26, training_time=2.0).cost
    assert both == "a picture takes 1.3 times as long and a training takes 2.0 times as long"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("variant: better", "variant: beter", "no variant 'beter'. Did you mean better"),
        ("variant: better", "network: efficientnet_lite9", "no network 'efficientnet_lite9'"),
        ("variant: better", "variant: better, network: mobilenet_v2", "either the network or the"),
        ("variant: better, ", "", "either the network or the variant"),
        ("[1.1, 4.7]", "[3.1, 4.7]", "within their interval. Received: points 2.9, interval 3.1"),
        ("[1.1, 4.7]", "[1.1]", "measured"),
        ("15", "0", "trainings: must be"),
        (", pictures: photographs", "", "pictures"),
    ],
)
def test_a_figure_that_cannot_be_is_told_with_its_line(
    before: str, after: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        read_recipe(mine(tmp_path, _WHOLE.replace(before, after)))
    assert "mine.yaml:" in str(caught.value)


def test_it_stands_beside_the_recipes_own_network_only(tmp_path: Path) -> None:
    file = mine(tmp_path)
    assert read_recipe(file, settings=["batch_size=8"]).measured
    assert not read_recipe(file, variant="better").measured
    assert not read_recipe(file, settings=["network.name=efficientnet_lite1"]).measured
    assert "measured" not in recipe_yaml(read_recipe(file)), "a training is the same without it"


def test_the_list_of_recipes_tells_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes", "list"]) == EXIT_OK
    told = capsys.readouterr().out
    assert "beside its own network, efficientnet_lite2: +1.1 points, too few trainings" in told
    assert told.count("of these networks: ") == sum(
        bool(read_recipe(name).measured) for name in shipped_recipes()
    )


def test_a_better_network_is_one_that_surely_is() -> None:
    better = measured(interval=[1.1, 4.7])
    others = [measured(), measured(interval=[-0.2, 6.0]), measured(points=-4, interval=[-6, -1])]
    assert whether_better([*others, better]).endswith("chance explains: efficientnet_lite0")
    assert whether_better(others) == "none of them is better by more than chance explains"
