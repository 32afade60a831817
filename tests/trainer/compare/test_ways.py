"""Which ways to train a comparison has, and what cannot be compared."""

from __future__ import annotations

import pytest

from edge.core.errors import UsageError
from trainer.compare.ways import networks_given, ways_to_train


def test_every_combination_is_a_way_named_by_what_differs() -> None:
    ways = ways_to_train(
        "mobilenet_v2",
        variants=["default", "small"],
        optimizers=["own", "adamax"],
        settings=["max_minutes=3"],
    )
    assert [way.name for way in ways] == [
        "default-own", "default-adamax", "small-own", "small-adamax",
    ]  # fmt: skip
    recipes = [way.recipe("mobilenet_v2") for way in ways]
    assert [recipe.network.alpha for recipe in recipes] == [1, 1, 0.35, 0.35]
    assert {phase.optimizer for phase in recipes[3].phases} == {"adamax"}
    assert {phase.optimizer for phase in recipes[2].phases} == {"adamw"}
    assert {recipe.max_minutes for recipe in recipes} == {3}


@pytest.mark.parametrize(
    ("network", "cuts"),
    [
        ("mobilenet_v2", ["pooled", "block_12_add", "block_5_add"]),
        ("efficientnet_lite0", ["pooled", "block5c_add", "block3b_add"]),
        ("efficientnet_lite2", ["pooled", "block5d_add", "block3c_add"]),
        ("densenet121", ["pooled", "pool4_pool", "pool3_pool"]),
    ],
)
def test_another_network_is_cut_at_about_the_same_depth(network: str, cuts: list[str]) -> None:
    (way,) = ways_to_train("garbage", networks=[f"{network}=weights.h5"])
    recipe = way.recipe("garbage")
    assert (recipe.network.name, recipe.network.weights) == (network, "weights.h5")
    assert [phase.train_from for phase in recipe.phases] == cuts


def test_variants_of_all_recipes_are_combined_with_other_networks() -> None:
    """Also where a phase trains from near the input, or all of them from the input itself."""
    published, *_ = ways_to_train(
        "garbage", variants=["published"], networks=["efficientnet_lite0"]
    )
    assert [phase.train_from for phase in published.recipe("garbage").phases] == [
        "features", "block5c_add", "block2b_add",
    ]  # fmt: skip
    (other,) = ways_to_train("fashion", networks=["tuned_cnn"])
    assert other.recipe("fashion").network.name == "tuned_cnn"
    assert {phase.train_from for phase in other.recipe("fashion").phases} == {"input"}


def test_the_file_of_weights_may_have_a_comma_in_its_name() -> None:
    assert networks_given("own,densenet121=/a,b.h5,mobilenet_v2") == [
        "own", "densenet121=/a,b.h5", "mobilenet_v2",
    ]  # fmt: skip
    assert networks_given("own,mobilnet") == ["own", "mobilnet"]


def test_augmentations_are_the_recipe_s_or_none_or_more() -> None:
    own, none, hard = (
        way.recipe("garbage").augment
        for way in ways_to_train(
            "garbage",
            augmentations=["own", "none", "hard"],
            settings=["augment.randaugment.layers=1"],
        )
    )
    off = none.model_dump(exclude={"randaugment"})
    assert not any(off.values())
    assert none.randaugment.layers == 0
    assert hard.randaugment.layers == 2
    assert hard.model_copy(update={"randaugment": own.randaugment}) == own


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ({"augmentations": ["harder"]}, UsageError, "no augmentation 'harder'. Did you mean hard"),
        ({"networks": ["convnet"]}, UsageError, "takes the place of block_12_add of mobilenet_v2"),
        (
            {"networks": ["convnett=a.h5"]},
            UsageError,
            "no network 'convnett'. Did you mean convnet",
        ),
        (
            {"augmentations": ["own", "hard"], "settings": ["augment.copies=0"]},
            UsageError,
            "--augment hard: variant default trains on no augmented copy",
        ),
        ({"variants": ["best"]}, UsageError, "has no variant 'best'"),
        ({"variants": ["default", "default"]}, UsageError, "is given twice"),
        ({"optimizers": ["adan"]}, UsageError, "no optimizer 'adan'. Did you mean adam"),
        (
            {
                "networks": ["efficientnet_lite0"],
                "settings": ["phases.upper.train_from=block_9_add"],
            },
            UsageError,
            "takes the place of block_9_add of mobilenet_v2 in phase upper",
        ),
    ],
)
def test_what_cannot_be_compared_is_told(
    given: dict[str, list[str]], error: type[Exception], said: str
) -> None:
    with pytest.raises(error) as caught:
        ways_to_train("garbage", **given)
    assert said in str(caught.value)
