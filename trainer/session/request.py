"""What a person asks a training for, and the command that asks for the same again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainer.fit.prepare import Prepared, prepare
from trainer.recipes.plan import Recipe
from trainer.run import unfinished_folder


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """A recipe, the pictures to train it on, and where the run is to go; see `trainer.train`."""

    recipe: Recipe
    name: str
    """The recipe as the person named it: a shipped recipe, or a path."""
    data: Path
    out: Path
    variant: str
    settings: Sequence[str]
    add: Sequence[str | Path]
    groups: str | None
    keep_parts: Path | None
    from_run: Path | None
    seed: int
    max_minutes: float | None
    compared: bool = False
    """Whether it is one of several trainings that are compared; see `trainer.train`."""

    @property
    def unfinished(self) -> Path:
        """The folder of the checkpoint, beside the run to be."""
        return unfinished_folder(self.out)

    @property
    def minutes(self) -> float:
        """How long the training may take, with its evaluation and its report."""
        return self.recipe.max_minutes if self.max_minutes is None else self.max_minutes

    def prepare(self) -> Prepared:
        """The pictures, and the network with its starting weights; see `prepare` for errors."""
        return prepare(
            self.recipe,
            self.data,
            add=self.add,
            groups=self.groups,
            seed=self.seed,
            keep_parts=self.keep_parts,
            from_run=self.from_run,
        )

    def command(self) -> list[str]:
        """The words of a command that trains the same model again, to a folder beside this run."""
        # Another folder: a command that is pasted must not be refused because this run is there.
        again = self.out.with_name(f"{self.out.name}-again")
        words = ["pilah-trainer", "train", self.name, "--data", str(self.data), "--out", str(again)]
        for more in self.add:
            words += ["--add", str(more)]
        if self.variant != "default":
            words += ["--variant", self.variant]
        for setting in self.settings:
            words += ["--set", setting]
        if self.groups is not None:
            words += ["--groups", self.groups]
        if self.keep_parts is not None:
            words += ["--keep-parts", str(self.keep_parts)]
        if self.from_run is not None:
            words += ["--from", str(self.from_run)]
        if self.max_minutes is not None:
            words += ["--max-minutes", f"{self.max_minutes:g}"]
        return [*words, "--seed", str(self.seed)]
