"""The folder of a cross-validation: what each fold's model said, so that a later call goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.core.errors import StorageError
from edge.core.files import storage_errors, write_file
from trainer.evaluation.predictions import TestPrediction, read_predictions, write_rows

_PLAN, _DONE = "cross-validation-plan.json", "fold.json"


@dataclass(frozen=True, slots=True)
class ScoredFold:
    """What the model of one fold came to on the pictures that it had not seen."""

    predictions: tuple[TestPrediction, ...]
    minutes: float
    cut_short: bool


@dataclass(frozen=True, slots=True)
class FoldsFolder:
    """The folds that are finished, a folder each with its `predictions.csv`."""

    path: Path

    @classmethod
    def begin(cls, path: Path, plan: Mapping[str, Any]) -> FoldsFolder:
        """Opens a new folder, or one of the same cross-validation.

        Args:
            path: the folder.
            plan: what decides what a fold comes to, besides its number.

        Raises:
            StorageError: it holds another cross-validation, or cannot be written.
        """
        file = path / _PLAN
        with storage_errors("create", path):
            path.mkdir(parents=True, exist_ok=True)
        if not file.is_file():
            write_file(file, json.dumps(plan, indent=2, ensure_ascii=False) + "\n")
            return cls(path)
        before = _read(file)
        if changed := sorted(key for key in plan if plan[key] != before.get(key)):
            raise StorageError(
                f"{path} holds a cross-validation that differs in {', '.join(changed)}: give the "
                "same as then, or choose another --out"
            )
        return cls(path)

    def read(self, name: str, digests: Sequence[str]) -> ScoredFold | None:
        """What was saved of the fold `name`; None if it is not finished.

        Args:
            name: the name of its folder.
            digests: SHA-256 of the files of the pictures that it is to have scored.

        Raises:
            StorageError: it scored other pictures, or is damaged.
            RunError: its predictions are damaged.
        """
        folder = self.path / name
        if not (folder / _DONE).is_file():
            return None
        facts = _read(folder / _DONE)
        found = read_predictions(folder)
        if sorted(each.sha256 for each in found) != sorted(digests):
            raise StorageError(
                f"{folder}: its model was tested on other pictures, as of an earlier pilah: choose "
                "another --out"
            )
        try:
            return ScoredFold(found, float(facts["minutes"]), bool(facts["cut_short"]))
        except (KeyError, TypeError, ValueError) as error:
            raise StorageError(
                f"{folder / _DONE} is damaged ({error!r}): remove {folder} to train it again"
            ) from error

    def write(self, name: str, fold: ScoredFold) -> None:
        """Saves a fold; a file of its own, written last, says that it is finished."""
        folder = self.path / name
        with storage_errors("create", folder):
            folder.mkdir(parents=True, exist_ok=True)
        write_rows(folder, fold.predictions)
        facts = {"minutes": fold.minutes, "cut_short": fold.cut_short}
        write_file(folder / _DONE, json.dumps(facts) + "\n")

    def write_result(self, told: Mapping[str, Any]) -> Path:
        """Writes what all folds come to, as `--json` prints it; the file."""
        file = self.path / "cross-validation.json"
        write_file(file, json.dumps(told, indent=2, ensure_ascii=False) + "\n")
        return file


def _read(file: Path) -> dict[str, Any]:
    with storage_errors("read", file):
        text = file.read_text(encoding="utf-8")
    try:
        found = json.loads(text)
        if not isinstance(found, dict):
            raise ValueError("no object")
    except ValueError as error:
        raise StorageError(f"{file} is damaged ({error}): choose another --out") from error
    return found
