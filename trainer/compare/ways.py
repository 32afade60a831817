"""The ways to train that are compared: variants, networks, optimisers and augmentations."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge.core.errors import UsageError
from edge.core.suggestions import did_you_mean
from trainer.recipes.plan import Recipe
from trainer.recipes.reading import read_recipe

_CUTS: Mapping[str, tuple[str, str]] = {
    "mobilenet_v2": ("block_12_add", "block_5_add"),
    "efficientnet_lite0": ("block5c_add", "block3b_add"),
    "efficientnet_lite1": ("block5d_add", "block3c_add"),
    "efficientnet_lite2": ("block5d_add", "block3c_add"),
    "densenet121": ("pool4_pool", "pool3_pool"),
}
"""Layers of the networks at about the same depth, from which phases train."""

_NONE = ("rotate", "zoom", "shift", "brightness", "contrast", "color", "shear", "gamma",
         "white_balance", "light", "blur", "defocus", "motion", "noise", "jpeg", "occlude",
         "background")  # fmt: skip
AUGMENTATIONS: Mapping[str, tuple[str, ...]] = {
    "own": (),
    "none": (
        "augment.copies=0",
        "augment.flip_horizontal=false",
        "augment.flip_vertical=false",
        *(f"augment.{key}=0" for key in _NONE),
    ),
    "hard": ("augment.randaugment.layers=2", "augment.randaugment.magnitude=7"),
}
"""Settings by name: the recipe's own, none at all, and two more changes of each picture."""
_OWN = "own"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to train."""

    name: str
    """A name for its folder and for the table."""
    variant: str
    settings: tuple[str, ...]

    def recipe(self, name: str) -> Recipe:
        """The recipe as this way changes it; see `read_recipe` for errors."""
        return read_recipe(name, variant=self.variant, settings=self.settings)


def ways_to_train(
    recipe: str,
    *,
    variants: Sequence[str] = ("default",),
    networks: Sequence[str] = (_OWN,),
    optimizers: Sequence[str] = (_OWN,),
    augmentations: Sequence[str] = (_OWN,),
    settings: Sequence[str] = (),
) -> tuple[Way, ...]:
    """Every combination of what is given, each checked.

    Args:
        recipe: a shipped recipe, or the path of one's own.
        variants: of the recipe.
        networks: names, each maybe with `=FILE` for its weights; "own" is the variant's.
        optimizers: of all phases; "own" are the variant's.
        augmentations: of `AUGMENTATIONS`.
        settings: changes of all of them, `key=value`.

    Raises:
        ConfigError, UsageError: one of them is wrong, or two come to the same.
    """
    found = []
    for variant, network, optimizer, augmentation in itertools.product(
        variants, networks, optimizers, augmentations
    ):
        if augmentation not in AUGMENTATIONS:
            raise UsageError(
                f"--augment: there is no augmentation {augmentation!r}"
                f"{did_you_mean(augmentation, list(AUGMENTATIONS))}"
            )
        plain = read_recipe(recipe, variant=variant, settings=settings)
        changes = (
            *_network(plain, network),
            *(
                f"phases.{phase.name}.optimizer={optimizer}"
                for phase in plain.phases
                if optimizer != _OWN
            ),
            *AUGMENTATIONS[augmentation],
        )
        parts = [variant, network.partition("=")[0], optimizer, augmentation]
        # The name has what differs between the ways, and the variant if nothing does.
        differing = [
            part
            for part, given in zip(
                parts, (variants, networks, optimizers, augmentations), strict=True
            )
            if len(given) > 1
        ]
        found.append(Way("-".join(differing) or variant, variant, (*settings, *changes)))
        found[-1].recipe(recipe)
    names = [way.name for way in found]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(f"compare: {twice[0]!r} is given twice")
    return tuple(found)


def _network(plain: Recipe, network: str) -> tuple[str, ...]:
    """The settings that put another network in the place of the recipe's, with its cut layers."""
    name, _, weights = network.partition("=")
    own = plain.network.name
    file = (f"network.weights={weights}",) if weights else ()
    if name in (_OWN, own):
        return file
    if own not in _CUTS or name not in _CUTS:
        raise UsageError(
            f"--network {name}: it is not known which of its layers take the place of those of "
            f"{own}. Known are {', '.join(_CUTS)}; for others, write a variant of the recipe"
        )
    places = dict(zip(_CUTS[own], _CUTS[name], strict=True))
    cuts = []
    for phase in plain.phases:
        if phase.train_from in places:
            cuts.append(f"phases.{phase.name}.train_from={places[phase.train_from]}")
        elif phase.train_from not in ("pooled", "features", "input"):
            raise UsageError(
                f"--network {name}: it is not known which of its layers takes the place of "
                f"{phase.train_from} in phase {phase.name}: write a variant of the recipe"
            )
    return (f"network.name={name}", *file, *cuts)
