from __future__ import annotations

from argparse import Namespace

import pytest

from edge.core.errors import UsageError
from tests.benchmarks.int8_folds import SHORT, named, way_of


def asked(network: str = "own", *, variant: str = "default", alpha: float = 1.0) -> Namespace:
    return Namespace(network=network, variant=variant, alpha=alpha)


@pytest.mark.parametrize("recipe", ["garbage", "bottles", "shoes", "fruit"])
def test_a_recipe_is_trained_with_another_network_from_its_own_layers(recipe: str) -> None:
    plan = way_of(asked("efficientnet_lite0=/w.h5"), recipe).recipe(recipe)
    assert (plan.network.name, plan.network.weights) == ("efficientnet_lite0", "/w.h5")
    assert [phase.train_from for phase in plan.phases] == ["pooled", "block5c_add", "block3b_add"]
    assert plan.phases[-1].epochs == 4
    assert plan.accept.folds == 1


@pytest.mark.parametrize(
    ("recipe", "variant"), [("fashion", "published_ann"), ("mobilenet_v2", "lite0")]
)
def test_a_variant_is_trained_as_short_as_its_phases_allow(recipe: str, variant: str) -> None:
    plan = way_of(asked(variant=variant), recipe).recipe(recipe)
    assert plan.augment.copies == (0 if recipe in SHORT else 2)
    assert plan.accept.folds == 1


def test_runs_of_other_ways_have_other_names() -> None:
    every = [asked(), asked("efficientnet_lite2=/w.h5"), asked(variant="small", alpha=0.35)]
    assert [named(each) for each in every] == [
        "alpha 1",
        "efficientnet_lite2 alpha 1",
        "small alpha 0.35",
    ]


def test_a_network_whose_layers_are_not_known_is_refused() -> None:
    with pytest.raises(UsageError, match="resnet"):
        way_of(asked("resnet"), "garbage")
