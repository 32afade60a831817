"""How much memory a training takes at most, by the operating system's own account.

    python -m tests.benchmarks.memory [--pictures 15000] [--recipe R] [--set KEY=VALUE ...]

Draws the pictures (JPEG, 256x256, four classes) into a temporary folder, trains on them by the
command in a process of its own with an empty cache, and prints the peak of its resident memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from edge.core.terminal.progress import Progress


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pictures", type=int, default=15_000)
    parser.add_argument("--recipe", default="mobilenet_v2")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw(folder / "photos", arguments.pictures)
        settings = [word for setting in arguments.settings for word in ("--set", setting)]
        words = ["train", arguments.recipe, "--data", str(folder / "photos"), *settings]
        start = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "trainer", *words, "--out", str(folder / "run")],
            env=os.environ
            | {"PILAH_CACHE": str(folder / "cache"), "PILAH_STATE": str(folder / "state")},
            check=True,
        )
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        minutes = (time.monotonic() - start) / 60
    figures = {"pictures": arguments.pictures, "peak_gb": peak / 1e9, "minutes": minutes}
    print(json.dumps(figures, indent=2))


def draw(folder: Path, count: int) -> None:
    """Writes `count` pictures of blobs, each class with a colour that it tends to."""
    rng = np.random.default_rng(0)
    with Progress("drawing", total=count) as progress:
        for number in range(count):
            label = number % 4
            path = folder / f"class{label}" / f"{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            small = rng.integers(0, 256, (6, 6, 3)).astype(np.float32)
            small[..., label % 3] += 40 * (1 + label // 3)
            picture = cv2.resize(np.clip(small, 0, 255), (256, 256), interpolation=cv2.INTER_CUBIC)
            picture = np.clip(picture + rng.normal(0, 6, picture.shape), 0, 255)
            path.write_bytes(cv2.imencode(".jpg", picture.astype(np.uint8))[1].tobytes())
            progress.advance()


if __name__ == "__main__":
    main()
