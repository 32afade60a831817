"""What a damaged cache does to a training: `python -m tests.benchmarks.corrupted_cache`.

A very small network is trained on a few pictures that come as arrays, so that all kinds of files of
the cache are used: unpacked pictures and their list, decoded pictures, outputs of frozen layers.
Then one file of that cache is zeroed, rotated, truncated, flipped, exchanged with another, emptied
or removed, or rows or keys of its index are, and the same training is done with it, many times.
Each has to come to the same weights, bit for bit, or to end with one of pilah's own errors.
Exit code 1: one did not.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import math
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import closing, redirect_stderr
from io import StringIO
from pathlib import Path

import numpy as np

from edge.core.errors import EXIT_NO, EXIT_OK, PilahError
from edge.core.terminal.log_lines import LogLines
from trainer.recipes.reading import read_recipe
from trainer.tensorflow import import_tensorflow

SAME, REFUSED = "same model", "refused"
_RECIPE = """
name: drawn
network: {name: convnet, weights: none, alpha: 0.25, dropout: 0}
input: {height: 24, width: 24, geometry: squash}
split: {near_duplicates: false}
augment: {copies: 1, rotate: 0, color: 0}
phases:
  - {name: head, train_from: pooled, epochs: 1, learning_rate: 0.05}
"""


class Trial:
    """A training that can be done again and again.

    Attributes:
        cache: the cache that the first one filled.
        weights: what that came to: a digest.
    """

    def __init__(self, folder: Path) -> None:
        """Draws pictures, and trains once with an empty cache."""
        import_tensorflow()
        self._folder, self.cache = folder, folder / "whole"
        (folder / "recipe.yaml").write_text(_RECIPE, encoding="utf-8")
        chance = np.random.default_rng(0)
        truth = np.arange(36) % 3
        pictures = (
            chance.integers(0, 80, (36, 20, 20, 3))
            + 80 * np.eye(3, dtype=int)[truth, None, None, :]
        )
        np.savez(folder / "drawn.npz", x=pictures.astype(np.uint8), y=truth)
        self.weights, _ = self.train(self.cache)
        gc.freeze()  # Keras collects garbage each time, and needs not look at all of TensorFlow

    def train(self, cache: Path) -> tuple[str, str]:
        """The digest of the weights, and what was said."""
        import keras

        from trainer.fit.phases import Budget, run_phases
        from trainer.fit.prepare import prepare, training_set

        os.environ["PILAH_CACHE"] = str(cache)
        said = StringIO()
        recipe = read_recipe(str(self._folder / "recipe.yaml"))
        try:
            with redirect_stderr(said), LogLines():
                found = prepare(recipe, self._folder / "drawn.npz")
                data = training_set(
                    found,
                    recipe.phases,
                    with_copies=found.split != "test",
                    train=found.of("train"),
                    validation=found.of("validation"),
                )
                run_phases(
                    found.network,
                    found.recipe,
                    recipe.phases,
                    data,
                    seed=0,
                    budget=Budget(deadline=math.inf, quiet=True),
                )
            digest = hashlib.sha256()
            for weights in found.network.model.get_weights():
                digest.update(weights.tobytes())
            return digest.hexdigest(), said.getvalue()
        finally:
            keras.backend.clear_session()


def files_of(cache: Path) -> list[Path]:
    """Every file of a cache but those that locks are held on, which are empty."""
    return sorted(path for path in cache.rglob("*") if path.is_file() and path.stat().st_size)


def kind_of(file: Path, cache: Path) -> str:
    """Which kind of file of the cache it is."""
    first = file.relative_to(cache).parts[0]
    return f"{first} {file.suffix if first == 'unpacked' else file.name}"


def flipped(chance: random.Random, file: Path, cache: Path) -> None:
    content = bytearray(file.read_bytes())
    for _ in range(chance.choice((1, 1, 1, 8, 100))):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    file.write_bytes(content)


def zeroed(chance: random.Random, file: Path, cache: Path) -> None:
    content = bytearray(file.read_bytes())
    at = chance.randrange(len(content))
    length = min(chance.choice((1, 16, 512, 4096, len(content))), len(content) - at)
    content[at : at + length] = bytes(length)
    file.write_bytes(content)


def truncated(chance: random.Random, file: Path, cache: Path) -> None:
    os.truncate(file, chance.choice((0, chance.randrange(file.stat().st_size))))


def rotated(chance: random.Random, file: Path, cache: Path) -> None:
    """Moves all bytes on: by one row of 24 x 24 x 3 bytes, by a line, by one, or by any number."""
    content = file.read_bytes()
    by = chance.choice((24 * 24 * 3, content.find(b"\n") + 1, 1, chance.randrange(len(content))))
    file.write_bytes(content[by:] + content[:by])


def exchanged(chance: random.Random, file: Path, cache: Path) -> None:
    """Exchanges the file with another of its kind, or with any where there is none."""
    kind = kind_of(file, cache)
    others = [other for other in files_of(cache) if other != file]
    same = [other for other in others if kind_of(other, cache) == kind]
    other = chance.choice(same or others)
    content = file.read_bytes()
    file.write_bytes(other.read_bytes())
    other.write_bytes(content)


def rows_exchanged(chance: random.Random, file: Path, cache: Path) -> None:
    """Exchanges two equal stretches of the file."""
    content = bytearray(file.read_bytes())
    size = min(chance.choice((24 * 24 * 3, 64, 4)), len(content) // 2)
    one, other = (chance.randrange(len(content) // size) * size for _ in range(2))
    first, second = content[one : one + size], content[other : other + size]
    content[one : one + size], content[other : other + size] = second, first
    file.write_bytes(content)


def removed(chance: random.Random, file: Path, cache: Path) -> None:
    file.unlink()


def index_changed(chance: random.Random, file: Path, cache: Path) -> None:
    """Rotates keys, row numbers or checksums within an index, or removes rows of it."""
    file = chance.choice([path for path in files_of(cache) if path.name == "index.sqlite"])
    with closing(sqlite3.connect(file, isolation_level=None)) as index:
        rows = index.execute("SELECT number, key, checksum FROM rows ORDER BY number").fetchall()
        columns = [list(column) for column in zip(*rows, strict=True)]
        which, by = chance.randrange(4), chance.randrange(1, len(rows))
        if which < 3:
            columns[which] = columns[which][by:] + columns[which][:by]
            rows = list(zip(*columns, strict=True))
        else:
            del rows[:by]
        index.execute("DELETE FROM rows")
        index.executemany("INSERT INTO rows VALUES (?, ?, ?)", rows)


WAYS: tuple[Callable[[random.Random, Path, Path], None], ...] = (
    flipped, zeroed, truncated, rotated, exchanged, rows_exchanged, removed, index_changed,
)  # fmt: skip


def contents(cache: Path) -> dict[Path, bytes]:
    """All of a cache, to see whether anything was changed."""
    return {file.relative_to(cache): file.read_bytes() for file in files_of(cache)}


def corrupted(chance: random.Random, number: int, whole: Path, cache: Path) -> str:
    """Makes `cache` a copy of `whole` with something changed, and says what."""
    before = contents(whole)
    kinds = sorted({kind_of(file, whole) for file in files_of(whole)})
    while True:
        shutil.rmtree(cache, ignore_errors=True)
        shutil.copytree(whole, cache)
        # Each way with each kind of file, however few are asked for.
        way, kind = WAYS[number % len(WAYS)], kinds[number // len(WAYS) % len(kinds)]
        file = chance.choice([file for file in files_of(cache) if kind_of(file, cache) == kind])
        way(chance, file, cache)
        if contents(cache) != before:
            return f"{kind} {way.__name__.replace('_', ' ')}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.corrupted_cache")
    parser.add_argument("--count", type=int, default=200, help="of damages")
    parser.add_argument("--seed", type=int, default=0)
    words = parser.parse_args()
    faults, ends = 0, Counter[str]()
    with tempfile.TemporaryDirectory() as name:
        trial = Trial(Path(name))
        again, said = trial.train(trial.cache)
        if again != trial.weights or "anew" in said:
            print(f"the whole cache: another model, or something is computed anew: {said}")
            return EXIT_NO
        for number in range(words.count):
            chance = random.Random(f"{words.seed} {number}")
            cache = Path(name) / "damaged"
            what = corrupted(chance, number, trial.cache, cache)
            try:
                weights, said = trial.train(cache)
                end = SAME if weights == trial.weights else "ANOTHER MODEL"
                end += ", said" * (" anew" in said)
            except PilahError as error:
                end, said = REFUSED, str(error)
            except Exception:  # whatever it is, it is what is looked for
                end, said = "TRACEBACK", traceback.format_exc()
            ends[end] += 1
            if not end.startswith((SAME, REFUSED)):
                faults += 1
                print(f"{number}: {what}: {end}: {said}", flush=True)
    print(", ".join(f"{count} {end}" for end, count in sorted(ends.items())))
    print(f"faults {faults}")
    return EXIT_NO if faults else EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
