"""The saved state of a training, from which it is continued after it was interrupted."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge.core.errors import StorageError
from edge.core.files import storage_errors, write_file

Arrays = Mapping[str, Sequence[npt.NDArray[Any]]]

EVERY = 15.0
"""The seconds between two saves within a phase; each writes about ten megabytes."""

_PLAN, _SPENT = "plan.json", "seconds.txt"
_DIGEST_BYTES = 32
"""The length of the SHA-256 digest behind the arrays of a stage."""


class Checkpoint:
    """A folder beside the future run, with the state of each stage that was begun.

    Attributes:
        folder: the path of the folder, which also holds the logs of TensorBoard.
        spent: the seconds that the training had taken before it was continued.
        free: the seconds of all it has taken so far that its budget does not count.
        begun: whether a state was saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._saved = time.monotonic()
        self._start = time.monotonic()
        clock = folder / _SPENT
        with _damage_told(clock):
            text = clock.read_text(encoding="utf-8") if clock.is_file() else "0"
            self.spent, self.free = (float(word) for word in [*text.split(), "0"][:2])
        self.begun = clock.is_file()

    @classmethod
    def begin(cls, folder: Path, plan: Mapping[str, Any], *, resume: bool) -> Checkpoint:
        """Makes a new checkpoint for a training, or opens the existing one.

        Args:
            folder: the folder of the checkpoint.
            plan: what identifies the training: recipe, seed and digest of the pictures.
            resume: whether to continue the training of an existing checkpoint.

        Raises:
            StorageError: without `resume`, a checkpoint exists already; with it, none exists, or it
                is that of another training.
        """
        plan = json.loads(json.dumps(plan))
        file = folder / _PLAN
        if resume:
            if not file.is_file():
                raise StorageError(
                    f"{folder}: there is no training to continue: start it without --resume"
                )
            with _damage_told(file):
                before = json.loads(file.read_text(encoding="utf-8"))
            if changed := sorted(key for key in plan | before if plan.get(key) != before.get(key)):
                raise StorageError(
                    f"{folder}: this training was started with another "
                    f"{', '.join(changed)}. Give the same as then, or start again with --replace "
                    "in place of --resume"
                )
        else:
            if file.is_file():
                raise StorageError(
                    f"{folder}: a training to the same RUN was interrupted: continue it with "
                    "--resume, or start again with --replace"
                )
            with storage_errors("create", folder):
                folder.mkdir(parents=True, exist_ok=True)
            write_file(file, json.dumps(plan, indent=2, ensure_ascii=False) + "\n")
        return cls(folder)

    @property
    def due(self) -> bool:
        """Whether the last save is at least `EVERY` seconds ago."""
        return time.monotonic() - self._saved >= EVERY

    def save(self, stage: str, arrays: Arrays, facts: Mapping[str, Any]) -> None:
        """Replaces the saved state of `stage`.

        Raises:
            StorageError: the disk is full. The state that was saved before is kept.
        """
        content = io.BytesIO()
        named: dict[str, Any] = {
            f"{name}.{i}": value for name, many in arrays.items() for i, value in enumerate(many)
        }
        np.savez(content, facts=np.array(json.dumps(facts)), **named)
        saved = content.getvalue()
        write_file(self.folder / f"{stage}.npz", saved + hashlib.sha256(saved).digest())
        self._saved = time.monotonic()
        write_file(
            self.folder / _SPENT, f"{self.spent + self._saved - self._start:.1f} {self.free:.1f}\n"
        )
        self.begun = True

    def load(self, stage: str) -> tuple[dict[str, list[npt.NDArray[Any]]], dict[str, Any]] | None:
        """The last saved (arrays, facts) of `stage`; None if they were never saved.

        Raises:
            StorageError: the file cannot be read, or is damaged.
        """
        file = self.folder / f"{stage}.npz"
        if not file.is_file():
            return None
        arrays: dict[str, list[npt.NDArray[Any]]] = {}
        with _damage_told(file):
            raw = file.read_bytes()
            saved, digest = raw[:-_DIGEST_BYTES], raw[-_DIGEST_BYTES:]
            if hashlib.sha256(saved).digest() != digest:
                raise ValueError("its checksum does not match")
        with np.load(io.BytesIO(saved), allow_pickle=False) as content:
            facts = json.loads(str(content["facts"]))
            for key in content.files:
                name, dot, _ = key.rpartition(".")
                if dot:
                    arrays.setdefault(name, []).append(content[key])
        return arrays, facts

    def remove(self) -> None:
        """Removes the folder after the training has ended."""
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def _damage_told(file: Path) -> Iterator[None]:
    """Turns the errors of reading a damaged file into a StorageError."""
    try:
        with storage_errors("read", file):
            yield
    except ValueError as error:
        raise StorageError(
            f"{file}: damaged ({error}), so this training cannot be continued; start it again with "
            "--replace in place of --resume"
        ) from error
