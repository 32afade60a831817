"""What one flipped bit of an installed bundle does: `python -m tests.benchmarks.flipped_bits`.

A bundle is installed on a station, signed with a key that the station pins, and another time
unsigned. Then one bit of one of its files is flipped, `check` reads it as every start does,
`doctor` is asked, and the bit is put back: for many bits, half of them of any byte, half of any
file. Each has to be refused by both, or to be without effect: what is loaded is the same as before.
Exit code 1: one was not.

The record of the installation, which lies beside the bundle, is the third part: a flipped bit there
may be refused or told of, and must not have another bundle loaded.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np

from edge.cli import main as pilah_edge
from edge.config.reading import read_station
from edge.core.errors import EXIT_CONFIG, EXIT_NO, EXIT_OK, ConfigError
from edge.rollout.install import install
from edge.rollout.installed import RECORD_LOST
from tests.edge.rollout.rollouts import OPEN, PINNED, make_pinned, make_signed
from tests.signatures import OURS

PARTS = ("signed", "unsigned", "record")


def installed(folder: Path, part: str) -> tuple[Path, list[Path]]:
    """A station's file, and the files in which bits are to be flipped."""
    signed = part == "signed"
    station = make_pinned(folder, text=PINNED if signed else OPEN)
    install(make_signed(folder / "new", "1", key=OURS if signed else None), station)
    bundle = (folder / "model").resolve()
    if part == "record":
        return station, [bundle.with_name(f"{bundle.name}.json")]
    return station, sorted(path for path in bundle.rglob("*") if path.is_file())


def places(files: list[Path], count: int, chance: np.random.Generator) -> list[tuple[Path, int]]:
    """(file, bit) of `count` different bits: half of any byte, half of any file."""
    sizes = np.array([file.stat().st_size for file in files])
    found: dict[tuple[Path, int], None] = {}
    while len(found) < min(count, 8 * int(sizes.sum())):
        shares = sizes / sizes.sum() if len(found) % 2 else None
        number = int(chance.choice(len(files), p=shares))
        found[files[number], int(chance.integers(8 * sizes[number]))] = None
    return list(found)


def outcome(station: Path) -> tuple[str, str]:
    """What a start, and `doctor`, make of the station as it is: a word, and what was said."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        started = pilah_edge(["check", str(station)])
        examined = pilah_edge(["doctor", str(station)])
    words = {
        (EXIT_CONFIG, EXIT_NO): "refused by both",
        (EXIT_OK, EXIT_OK): "taken by both",
        (EXIT_OK, EXIT_NO): "taken, and bad for doctor",
    }
    return words.get((started, examined), f"codes {started} and {examined}"), said.getvalue()


def loaded(station: Path) -> object:
    """All that a station takes from its bundle; None: it takes none."""
    try:
        bundle = read_station(station).bundle
    except ConfigError:
        return None
    return bundle.manifest, bundle.labels, bundle.model, bundle.golden, bundle.digest


def faults_of(part: str, count: int, seed: int, folder: Path) -> list[str]:
    """Flips `count` bits, prints how often what came of it, and returns what must not be."""
    station, files = installed(folder, part)
    before, (word, said) = loaded(station), outcome(station)
    if before is None or word.startswith(("refused", "codes")):
        return [f"{part}: as it was installed: {word}: {said}"]
    faults, words = [], Counter[str]()
    for file, bit in places(files, count, np.random.default_rng(seed)):
        content = file.read_bytes()
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        file.write_bytes(flipped)
        word, said = outcome(station)
        now = loaded(station)
        if now is not None and RECORD_LOST in said:
            word += ", which say why"
        words[word] += 1
        file.write_bytes(content)
        where = f"{part}: bit {bit} of {file.name}: {word}"
        if word.startswith("codes") or (now is not None and now != before):
            faults.append(f"{where}: {said}")
        elif now is not None and part != "record":
            print(f"{where}: without effect", flush=True)
    print(f"{part:<9} {sum(words.values())}: {', '.join(f'{n} {w}' for w, n in words.items())}")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.flipped_bits")
    parser.add_argument("--bits", type=int, default=1000, help="of each of the three parts")
    parser.add_argument("--seed", type=int, default=0)
    words = parser.parse_args()
    faults = []
    with tempfile.TemporaryDirectory() as name:
        os.environ["PILAH_STATE"] = str(Path(name) / "state")
        for part in PARTS:
            faults += faults_of(part, words.bits, words.seed, Path(name) / part)
    print(*faults, f"faults    {len(faults)}", sep="\n")
    return EXIT_NO if faults else EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
