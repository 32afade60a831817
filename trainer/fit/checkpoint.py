"""What a training that was killed goes on from: its state, written aside, then put in place."""

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
"""Seconds between two saves within a phase: each writes some ten megabytes."""

_PLAN, _SPENT = "plan.json", "seconds.txt"
_DIGEST_BYTES = 32
"""Of the SHA-256 behind the arrays of a stage."""


class Checkpoint:
    """A folder beside the run to be, with what each finished or begun stage has come to.

    Attributes:
        folder: where it lies; TensorBoard's logs lie in it too.
        spent: seconds that the training took before it was gone on with.
        begun: whether something was saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._saved = time.monotonic()
        self._start = time.monotonic()
        clock = folder / _SPENT
        with _damage_told(clock):
            self.spent = float(clock.read_text(encoding="utf-8")) if clock.is_file() else 0.0
        self.begun = clock.is_file()

    @classmethod
    def begin(cls, folder: Path, plan: Mapping[str, Any], *, resume: bool) -> Checkpoint:
        """A new one for a training of `plan`, or the one that is there.

        Args:
            plan: what makes this training the one it is: recipe, seed, digest of the pictures.

        Raises:
            StorageError: one is there and `resume` is off; none is there, or one of another
                training, and it is on.
        """
        plan = json.loads(json.dumps(plan))
        file = folder / _PLAN
        if resume:
            if not file.is_file():
                raise StorageError(
                    f"{folder}: no training to go on with: start it without --resume"
                )
            with _damage_told(file):
                before = json.loads(file.read_text(encoding="utf-8"))
            if changed := sorted(key for key in plan | before if plan.get(key) != before.get(key)):
                raise StorageError(
                    f"{folder}: the training there is another one; not the same: "
                    f"{', '.join(changed)}. Give what it was started with, or start anew with "
                    "--replace in place of --resume"
                )
        else:
            if file.is_file():
                raise StorageError(
                    f"{folder}: a training to the same RUN was cut off: go on with it by "
                    "--resume, or start anew with --replace"
                )
            with storage_errors("create", folder):
                folder.mkdir(parents=True, exist_ok=True)
            write_file(file, json.dumps(plan, indent=2, ensure_ascii=False) + "\n")
        return cls(folder)

    @property
    def due(self) -> bool:
        """Whether it has been a while since something was saved."""
        return time.monotonic() - self._saved >= EVERY

    def save(self, stage: str, arrays: Arrays, facts: Mapping[str, Any]) -> None:
        """Puts the state of `stage` in the place of its last one.

        Raises:
            StorageError: the disk is full. The last one is still there.
        """
        content = io.BytesIO()
        named: dict[str, Any] = {
            f"{name}.{i}": value for name, many in arrays.items() for i, value in enumerate(many)
        }
        np.savez(content, facts=np.array(json.dumps(facts)), **named)
        saved = content.getvalue()
        write_file(self.folder / f"{stage}.npz", saved + hashlib.sha256(saved).digest())
        self._saved = time.monotonic()
        write_file(self.folder / _SPENT, f"{self.spent + self._saved - self._start:.1f}\n")
        self.begun = True

    def load(self, stage: str) -> tuple[dict[str, list[npt.NDArray[Any]]], dict[str, Any]] | None:
        """(arrays, facts) of `stage` as they were saved last; None: never.

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
                raise ValueError("its checksum is another one")
        with np.load(io.BytesIO(saved), allow_pickle=False) as content:
            facts = json.loads(str(content["facts"]))
            for key in content.files:
                name, dot, _ = key.rpartition(".")
                if dot:
                    arrays.setdefault(name, []).append(content[key])
        return arrays, facts

    def remove(self) -> None:
        """Takes it away: the training has ended."""
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def _damage_told(file: Path) -> Iterator[None]:
    """Turns what a file raises that is not as it was written into a StorageError."""
    try:
        with storage_errors("read", file):
            yield
    except ValueError as error:
        raise StorageError(
            f"{file}: damaged ({error}): this training cannot be gone on with; start it anew with "
            "--replace in place of --resume"
        ) from error
