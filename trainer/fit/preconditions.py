"""Checks before a training starts, so that it does not fail hours later."""

from __future__ import annotations

import itertools
import logging
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.dataset import PictureSet, kinds_of, read_picture_set
from edge.core.errors import StorageError, UsageError
from edge.core.files import storage_errors
from edge.core.terminal.wording import number_of
from trainer.data.arrays import FASHION_MNIST, unpacked
from trainer.data.cache import DecodedPictures
from trainer.data.groups import assign_groups, group_column
from trainer.errors import TooFewPicturesError
from trainer.recipes.network_names import check_network
from trainer.recipes.plan import Recipe
from trainer.recipes.reading import is_recipe, read_recipe
from trainer.run import FACTS

if TYPE_CHECKING:
    from trainer.networks import Network

_log = logging.getLogger(__name__)

FEWEST = 6
"""The fewest pictures of a class; with fewer, none would be left to validate and to test on."""


def check_request(
    recipe: str,
    data: Path,
    *,
    variant: str = "default",
    settings: Sequence[str] = (),
    add: Sequence[Path] = (),
    groups: str | None = None,
) -> None:
    """Checks a request for a training, as far as that is possible without TensorFlow.

    So a mistake is reported at once, not after the seconds that TensorFlow takes to load.

    Args:
        recipe, data, variant, settings, add, groups: see `trainer.train`.

    Raises:
        ConfigError, UsageError: the recipe is wrong.
        PictureSetError, GroupError: the pictures or the form of the groups cannot be used.
    """
    plan = read_recipe(recipe, variant=variant, settings=settings)
    check_network(plan.network.name)
    if plan.distill is not None and (
        is_recipe(plan.distill.teacher) or not Path(plan.distill.teacher).is_dir()
    ):
        distill = plan.distill
        teacher = read_recipe(distill.teacher, variant=distill.variant, settings=distill.settings)
        check_network(teacher.network.name)
    if FASHION_MNIST in map(str, (data, *add)):
        return  # Keras fetches it
    read_picture_set(
        unpacked(data), group_column=group_column(groups), add=[unpacked(more) for more in add]
    )
    assign_groups(
        (), groups
    )  # checks the form only, because a damaged picture, which is left out, needs no group


def check_out(out: Path, data: Path, *, replace: bool) -> None:
    """Checks that a run can be written to `out`, hours before it is written.

    Raises:
        StorageError: `out` exists and `replace` is off, or its folder cannot be written.
        UsageError: `out` cannot be replaced, because it is no run or holds the pictures.
    """
    if out.exists():
        if not replace:
            raise StorageError(f"{out} is there already: choose another --out, or add --replace")
        if not (out / FACTS).is_file():
            raise UsageError(f"{out} is no run, so --replace leaves it alone: choose another --out")
        if data.resolve().is_relative_to(out.resolve()):
            raise UsageError(f"{out} holds the pictures: choose another --out")
    with storage_errors("write", out):
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out.absolute().parent):
            pass


def check_phases(recipe: Recipe, network: Network) -> None:
    """Checks that the phases go from the head down, and that the network can be cut for each.

    Raises:
        UsageError: they do not, or it cannot.
    """
    depths = [network.depth(phase.train_from) for phase in recipe.phases]
    if any(later > earlier for earlier, later in itertools.pairwise(depths)):
        raise UsageError(
            "phases must go from the head down: each trains from the same layer as the one before "
            "or from one nearer to the input, else saved outputs would be out of date. Received: "
            f"{[phase.train_from for phase in recipe.phases]}"
        )
    for phase in recipe.phases:
        try:
            trains = bool(network.upper(phase.train_from).trainable_variables)
        except ValueError:  # Keras: the layer's output is not all that the rest depends on
            trains = False
        if not trains:
            raise UsageError(
                f"train_from: the network cannot be cut at {phase.train_from!r} in phase "
                f"{phase.name}: take the end of a block, such as block_12_add, or pooled"
            )


def check_enough(found: PictureSet, decoded: DecodedPictures, skipped: Sequence[str]) -> None:
    """Checks that there are two classes, each with at least FEWEST pictures; logs skipped files.

    Raises:
        TooFewPicturesError: there are not.
    """
    counts = Counter(dict.fromkeys(found.classes, 0))
    counts.update(picture.label for picture in decoded.pictures)
    for line in skipped[:20]:
        _log.warning(f"skipped: {line}")
    if len(skipped) > 20:
        _log.warning(f"skipped: {len(skipped) - 20} more")
    if len(counts) < 2:
        raise TooFewPicturesError(
            f"{found.source}: all pictures are of one class, {found.classes[0]!r}: "
            "there is nothing to distinguish. Add a second class, for example `empty` or `other`"
        )
    for label, count in sorted(counts.items()):
        if count < FEWEST:
            raise TooFewPicturesError(
                f"{found.source}: class {label!r} has {number_of(count, 'pictures')}"
                f"{_left_out(found, decoded, label)}, at least {FEWEST} are needed and 100 are a "
                "good start: add some or remove the class"
            )


def _left_out(found: PictureSet, decoded: DecodedPictures, label: str) -> str:
    """The unread files of a class, counted by kind, with the reason for the first one."""
    files = [file for file in found.left_out if file.label == label]
    there = sum(picture.label == label for picture in found.pictures)
    damaged = there - sum(picture.label == label for picture in decoded.pictures)
    kinds = [kinds_of(files)] * bool(files) + [number_of(damaged, "damaged files")] * bool(damaged)
    first = f"; first: {files[0]}" if files else ""
    return f" ({', '.join(kinds)} left out{first})" if kinds else ""
