"""A training that starts from an earlier run: its split, the order of its classes, its weights."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge.core.dataset import LabelledPicture
from edge.core.errors import UsageError
from edge.core.images.preprocess import InputSpec
from trainer.errors import RunError
from trainer.recipes.plan import NetworkPlan, PhasePlan, Recipe
from trainer.recipes.reading import read_recipe
from trainer.run import (
    FACTS,
    MODEL,
    RECIPE,
    Run,
    SplitRow,
    earlier_rows,
    read_run,
    unfinished_folder,
)

if TYPE_CHECKING:
    from trainer.networks import Network

_SHAPING = ("name", "alpha", "blocks", "pixels", "head", "head_width")
"""Keys of `network` that decide which weights there are, and what they are made for."""
_HEAD = ("pooled", "features")
"""The layers from which a phase trains the head alone."""
_EPOCHS, _RATE = 0.5, 0.5
"""Of the epochs and the learning rate of a phase below the head."""


def _shorter(phase: PhasePlan) -> PhasePlan:
    epochs = math.ceil(_EPOCHS * phase.epochs)
    return phase.model_copy(update={"epochs": epochs, "learning_rate": _RATE * phase.learning_rate})


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """A finished run, and the recipe and the split that it was made by."""

    run: Run
    recipe: Recipe
    rows: tuple[SplitRow, ...]
    """The pictures of the run, and those of the runs before it that it was not given."""

    @property
    def model_digest(self) -> str:
        """SHA-256 of its model file, in hexadecimal."""
        with (self.run.path / MODEL).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def check_network(self, plan: NetworkPlan) -> None:
        """Passes the network of a recipe that the weights of this run fit.

        Raises:
            UsageError: it is another network.
        """
        for key in _SHAPING:
            mine, wanted = getattr(self.recipe.network, key), getattr(plan, key)
            if key == "head_width" and plan.head == "plain":
                continue
            if mine != wanted:
                raise UsageError(
                    f"--from {self.run.path}: its network has {key} {mine}, the recipe's has "
                    f"{wanted}: their weights do not fit. Add --set network.{key}={mine}, or train "
                    "without --from"
                )

    def check_input(self, spec: InputSpec) -> None:
        """Passes an input for which the network of this run was trained.

        Raises:
            UsageError: pictures would be prepared in another way.
        """
        theirs = self.run.facts.input.model_dump()
        for key, wanted in spec.model_dump().items():
            if key == "fill" and spec.geometry != "letterbox":
                continue  # only a letterbox has bars to fill
            if theirs[key] != wanted:
                raise UsageError(
                    f"--from {self.run.path}: the input of its network has {key} {theirs[key]}, "
                    f"that of the recipe {wanted}. Add --set input.{key}={theirs[key]}, or train "
                    "without --from"
                )

    def others(self, digests: Iterable[str]) -> tuple[SplitRow, ...]:
        """The pictures of `rows` that are not among those of these digests, by absolute paths."""
        given, root = set(digests), Path(self.run.facts.data.root)
        return tuple(
            replace(row, path=str(root / row.path)) for row in self.rows if row.sha256 not in given
        )

    def absent(self, digests: Iterable[str]) -> tuple[LabelledPicture, ...]:
        """The pictures of `rows` that are not given, though their files are there.

        Args:
            digests: SHA-256 of the files of the pictures that are given.

        Raises:
            RunError: pictures are neither given nor where they were.
        """
        others = self.others(digests)
        if gone := [row for row in others if not Path(row.path).is_file()]:
            raise RunError(
                f"--from {self.run.path}: {len(gone)} of its {len(self.rows)} pictures are gone, "
                f"the first is {gone[0].path}: they are not among those given, nor where "
                "they were. Give their folder with --data or --add, or train without --from"
            )
        return tuple(
            LabelledPicture(Path(row.path), row.label, row.group, row.split) for row in others
        )

    def labels(self, found: Iterable[str]) -> tuple[str, ...]:
        """The classes `found` in the order of the run's outputs, new ones after them."""
        there = set(found)
        known = [label for label in self.run.facts.labels if label in there]
        return (*known, *sorted(there.difference(known)))

    def planned(self, recipe: Recipe, found: Iterable[str]) -> Recipe:
        """`recipe` as it is carried out from this run, for the classes `found`.

        What the weights know is not learned again: a head that has no new class is left as it is,
        and the layers below have fewer epochs at a lower rate, which also forgets less.

        Cross-fitted models would start from weights that have learned from the very pictures that
        they are to be scored on, so none are trained. Nor can it be measured which novelty score
        finds classes that the weights do not know: the one that this run chose stays.
        """
        accept = recipe.accept.model_copy(update={"folds": 1})
        unknown, chosen = recipe.unknown, self.run.facts.unknown
        if unknown.score == "auto" and chosen is not None:
            unknown = unknown.model_copy(update={"score": chosen.score})
        is_new = not set(found) <= set(self.run.facts.labels)
        upper = [phase for phase in recipe.phases if phase.train_from not in _HEAD]
        heads = [phase for phase in recipe.phases if phase.train_from in _HEAD]
        phases = [*(heads if is_new or not upper else []), *(_shorter(phase) for phase in upper)]
        return recipe.model_copy(update={"accept": accept, "unknown": unknown, "phases": phases})

    def started(self, network: Network, labels: Sequence[str]) -> Network:
        """`network` with the weights of this run; classes that are new to it keep their own.

        Args:
            labels: the classes of `network`, in the order of its outputs.

        Raises:
            RunError: the model is damaged, or is not that of the run's recipe.
        """
        from trainer.networks import LOGITS

        known = self.run.facts.labels
        theirs = {layer.name: layer.get_weights() for layer in self.run.load_model().layers}
        for layer in network.model.layers:
            mine, earlier = layer.get_weights(), theirs.get(layer.name, [])
            classes = layer.name == LOGITS
            wanted = [(*w.shape[:-1], len(known)) if classes else w.shape for w in mine]
            if [w.shape for w in earlier] != wanted:
                raise RunError(
                    f"{self.run.path / MODEL}: not the model of {RECIPE} and {FACTS} beside it, in "
                    f"its layer {layer.name}. Train again"
                )
            if not classes:
                layer.set_weights(earlier)
                continue
            for place, label in enumerate(labels):
                if label in known:
                    for weights, before in zip(mine, earlier, strict=True):
                        # The temperature was folded in after training.
                        weights[..., place] = (
                            before[..., known.index(label)] * self.run.facts.temperature
                        )
            layer.set_weights(mine)
        return replace(network, pretrained=False, trained=True)


def read_earlier_run(path: Path, plan: NetworkPlan, *, keep_parts: Path | None) -> EarlierRun:
    """The finished run in the folder `path`, for a training of this network to start from.

    Args:
        keep_parts: another run whose split is asked for.

    Raises:
        RunError: there is no run, it is not finished, or its files are damaged.
        ConfigError: its recipe is damaged.
        UsageError: its network is another one, or `keep_parts` is given too.
    """
    if keep_parts is not None:
        raise UsageError(
            f"--from {path} keeps the split of that run: leave --keep-parts {keep_parts} out"
        )
    if not path.exists() and unfinished_folder(path).is_dir():
        raise RunError(
            f"--from {path}: its training is not finished. Finish it with --resume, and start from "
            "it then"
        )
    earlier = EarlierRun(read_run(path), read_recipe(str(path / RECIPE)), earlier_rows(path))
    earlier.check_network(plan)
    return earlier
