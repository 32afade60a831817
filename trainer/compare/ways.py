"""The ways to train that are compared: variants, networks, optimisers and augmentations."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from edge.core.errors import UsageError
from edge.core.suggestions import did_you_mean
from trainer.recipes.network_names import network_names
from trainer.recipes.plan import PhasePlan, Recipe
from trainer.recipes.reading import read_recipe

_CUTS: Mapping[str, tuple[str, str, str]] = {
    "mobilenet_v2": ("block_12_add", "block_5_add", "block_2_add"),
    "efficientnet_lite0": ("block5c_add", "block3b_add", "block2b_add"),
    "efficientnet_lite1": ("block5d_add", "block3c_add", "block2c_add"),
    "efficientnet_lite2": ("block5d_add", "block3c_add", "block2c_add"),
    "densenet121": ("pool4_pool", "pool3_pool", "pool2_pool"),
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
        "augment.randaugment.layers=0",
    ),
    "hard": ("augment.randaugment.layers=2", "augment.randaugment.magnitude=7"),
}
"""Settings by name: the recipe's own, none at all, and two more changes of each picture."""
_OWN = "own"
_OPTIMIZERS = get_args(PhasePlan.model_fields["optimizer"].annotation)


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
    for optimizer in optimizers:
        if optimizer not in (_OWN, *_OPTIMIZERS):
            raise UsageError(
                f"--optimizers: there is no optimizer {optimizer!r}"
                f"{did_you_mean(optimizer, [_OWN, *_OPTIMIZERS])}"
            )
    for variant, network, optimizer, augmentation in itertools.product(
        variants, networks, optimizers, augmentations
    ):
        if augmentation not in AUGMENTATIONS:
            raise UsageError(
                f"--augment: there is no augmentation {augmentation!r}"
                f"{did_you_mean(augmentation, list(AUGMENTATIONS))}"
            )
        plain = read_recipe(recipe, variant=variant, settings=settings)
        if augmentation == "hard" and not _augments(plain):
            raise UsageError(
                f"--augment hard: variant {variant} trains on no augmented copy, so it would be "
                "trained as with own. Leave that variant out, or set augment.copies or fresh"
            )
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


def _augments(recipe: Recipe) -> bool:
    """Whether any phase trains on augmented copies, or on pictures augmented anew."""
    return any(
        phase.fresh or phase.train_from == "input" or recipe.augment.copies
        for phase in recipe.phases
    )


def networks_given(text: str) -> list[str]:
    """The networks of `--networks`, each maybe with the file of its weights.

    A comma in a file's name does not part: behind it there is no network and no equals sign.

    >>> networks_given("own,densenet121=a,b.h5,mobilenet_v2")
    ['own', 'densenet121=a,b.h5', 'mobilenet_v2']
    """
    found: list[str] = []
    for part in text.split(","):
        begins = "=" in part or part in (_OWN, *network_names())
        if found and "=" in found[-1] and not begins:
            found[-1] += f",{part}"
        else:
            found.append(part)
    return found


def _network(plain: Recipe, network: str) -> tuple[str, ...]:
    """The settings that put another network in the place of the recipe's, with its cut layers."""
    name, _, weights = network.partition("=")
    own = plain.network.name
    file = (f"network.weights={weights}",) if weights else ()
    if name in (_OWN, own):
        return file
    if name not in (names := network_names()):
        raise UsageError(
            f"--networks: there is no network {name!r}{did_you_mean(name, [_OWN, *names])}"
        )
    known = own in _CUTS and name in _CUTS
    places = dict(zip(_CUTS[own], _CUTS[name], strict=True)) if known else {}
    cuts = []
    for phase in plain.phases:
        if phase.train_from in places:
            cuts.append(f"phases.{phase.name}.train_from={places[phase.train_from]}")
        elif phase.train_from not in ("pooled", "features", "input"):
            raise UsageError(
                f"--networks {name}: it is not known which of its layers takes the place of "
                f"{phase.train_from} of {own} in phase {phase.name}. Known are some layers of "
                f"{', '.join(_CUTS)}; for others, write a variant of the recipe"
            )
    return (f"network.name={name}", *file, *cuts)
