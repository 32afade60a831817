"""Other tools find names, labels and normalisation in the model file itself."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from converter.tflite.metadata import LABELS, with_metadata
from edge.core.model.interpreter import Interpreter
from tests.bundles import SPEC, TINY

NAMES = ("blå & co.", "grün", "红 色")

MEDIAPIPE = """
import json, sys
import numpy as np
import mediapipe as mp
from mediapipe.tasks.python import BaseOptions, vision

options = vision.ImageClassifierOptions(BaseOptions(model_asset_path=sys.argv[1]))
with vision.ImageClassifier.create_from_options(options) as classifier:
    answers = []
    for picture in np.load(sys.argv[2]):
        image = mp.Image(image_format=mp.ImageFormat.SRGB, data=picture)
        heads = classifier.classify(image).classifications
        answers.append([[h.head_name, h.categories[0].category_name] for h in heads])
print(json.dumps(answers))
"""


def described(model: bytes) -> bytes:
    return with_metadata(model, name="bottles", version="1.2", spec=SPEC, labels=NAMES)


@pytest.mark.parametrize("name", ["tiny", "tiny_unknown"])
def test_a_described_model_answers_as_before(name: str) -> None:
    model = (TINY.parent / f"{name}.tflite").read_bytes()
    before, after = Interpreter(model), Interpreter(described(model))
    for tensor in np.random.default_rng(0).integers(0, 256, (5, *SPEC.shape), np.uint8):
        np.testing.assert_array_equal(before.scores(tensor), after.scores(tensor))
        assert before.predict(tensor).novelty == after.predict(tensor).novelty


@pytest.mark.skipif(shutil.which("unzip") is None, reason="unzip is not installed")
def test_unzip_shows_the_labels(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(described((TINY.parent / "tiny.tflite").read_bytes()))
    shown = subprocess.run(["unzip", "-p", str(path), LABELS], capture_output=True, check=True)
    assert shown.stdout.decode() == "".join(f"{name}\n" for name in NAMES)


def test_describing_twice_leaves_the_second_description_alone() -> None:
    model = (TINY.parent / "tiny.tflite").read_bytes()
    once = described(model)
    other = with_metadata(once, name="cans", version="2", spec=SPEC, labels=NAMES[:2])
    assert b"bottles" not in other
    with zipfile.ZipFile(io.BytesIO(other)) as archive:
        assert archive.namelist() == [LABELS]
        assert archive.read(LABELS).decode().splitlines() == list(NAMES[:2])
    assert described(other) == once


@pytest.mark.slow
def test_mediapipe_reads_labels_and_raw_levels(tmp_path: Path) -> None:
    python = tmp_path / "mediapipe" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "mediapipe")], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "-q", "mediapipe>=0.10.14"], check=True)
    pictures = np.zeros((3, 48, 64, 3), np.uint8)
    for channel in range(3):
        pictures[channel, :, :, channel] = 200
    np.save(tmp_path / "pictures.npy", pictures)
    for name, heads in {"tiny": ["scores"], "tiny_unknown": ["scores", "unknown"]}.items():
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(described((TINY.parent / f"{name}.tflite").read_bytes()))
        words = [str(python), "-c", MEDIAPIPE, str(path), str(tmp_path / "pictures.npy")]
        said = subprocess.run(words, capture_output=True, check=True, text=True)
        for index, prediction in enumerate(json.loads(said.stdout)):
            assert [head for head, _ in prediction] == heads
            assert prediction[0][1] == NAMES[index]
