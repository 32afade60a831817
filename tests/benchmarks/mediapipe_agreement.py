"""On how many photographs MediaPipe Tasks gives the label that `pilah-edge classify` gives.

    python -m tests.benchmarks.mediapipe_agreement RUN BUNDLE [--python PYTHON]

Both read the bundle's `model.tflite`; MediaPipe decodes and resizes in its own way, and finds
labels and normalisation in the file's metadata. On the pictures of the run's test split. MediaPipe
is installed into an environment of its own, unless PYTHON is one that has it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from edge.core.images.image_file import read_image
from edge.core.model.bundle import MODEL, read_bundle
from edge.core.model.classifier import Classifier
from edge.core.model.metrics import Share
from edge.core.terminal.progress import Progress
from trainer.run import read_run

CLASSIFY = """
import json, sys
import mediapipe as mp
from mediapipe.tasks.python import BaseOptions, vision

options = vision.ImageClassifierOptions(BaseOptions(model_asset_path=sys.argv[1]))
with vision.ImageClassifier.create_from_options(options) as classifier:
    best = []
    for path in json.load(sys.stdin):
        heads = classifier.classify(mp.Image.create_from_file(path)).classifications
        best.append(heads[0].categories[0].category_name)
print(json.dumps(best))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--python", type=Path, help="one that has mediapipe")
    arguments = parser.parse_args()
    pictures = [p for p in read_run(arguments.run).pictures() if p.split == "test"]
    bundle = read_bundle(arguments.bundle)
    classifier = Classifier(bundle)
    mine = []
    with Progress("classifying", total=len(pictures)) as progress:
        for picture in pictures:
            scores = classifier.scores(read_image(picture.path))
            mine.append(bundle.labels[int(scores.argmax())])
            progress.advance()
    with tempfile.TemporaryDirectory() as name:
        python = arguments.python or environment(Path(name))
        file = Path(name) / MODEL
        file.write_bytes(bundle.model)
        paths = json.dumps([str(picture.path) for picture in pictures])
        said = subprocess.run(
            [str(python), "-c", CLASSIFY, str(file)],
            input=paths, stdout=subprocess.PIPE, check=True, text=True,
        )  # fmt: skip
    theirs = json.loads(said.stdout)
    truth = [picture.label for picture in pictures]
    print(f"same label        {_share(mine, theirs)}")
    print(f"pilah right       {_share(mine, truth)}")
    print(f"MediaPipe right   {_share(theirs, truth)}")


def environment(folder: Path) -> Path:
    """The Python of a new environment with MediaPipe."""
    subprocess.run([sys.executable, "-m", "venv", str(folder / "env")], check=True)
    python = folder / "env" / "bin" / "python"
    subprocess.run([str(python), "-m", "pip", "install", "-q", "mediapipe>=0.10.14"], check=True)
    return python


def _share(one: list[str], other: list[str]) -> Share:
    return Share(sum(a == b for a, b in zip(one, other, strict=True)), len(one))


if __name__ == "__main__":
    main()
