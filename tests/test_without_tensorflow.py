"""A wrong word is told at once: nothing of TensorFlow is loaded before a request is found right."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from edge.core.errors import EXIT_CONFIG, EXIT_DATA, EXIT_IO, EXIT_OK, EXIT_USAGE
from tests.bundles import BGR, write_picture

RUN = """
import importlib, json, sys
for program, words in json.load(sys.stdin):
    try:
        code = importlib.import_module(f"{program}.cli").main(words)
    except SystemExit as ended:
        code = ended.code
    loaded = sorted({"tensorflow", "keras"} & set(sys.modules))
    print("\\n@", json.dumps([code, loaded]), flush=True)
"""
TRAIN = ("--data", "photos", "--out", "run")
CASES = [
    *((program, [flag], EXIT_OK) for program in ("edge", "trainer", "converter")
      for flag in ("--help", "--version")),
    ("trainer", ["train", "--help"], EXIT_OK),
    ("trainer", ["sort"], EXIT_USAGE),
    ("trainer", ["train", "mobilenet_v2"], EXIT_USAGE),
    ("trainer", ["train", "mobilenet_v2", *TRAIN, "--max-minutes", "0"], EXIT_USAGE),
    ("trainer", ["train", "mobilenet", *TRAIN], EXIT_USAGE),
    ("trainer", ["train", "gone.yaml", *TRAIN], EXIT_USAGE),
    ("trainer", ["train", "mobilenet_v2", *TRAIN, "--variant", "huge"], EXIT_USAGE),
    ("trainer", ["train", "mobilenet_v2", *TRAIN, "--set", "network.alfa=1"], EXIT_CONFIG),
    ("trainer", ["train", "mobilenet_v2", *TRAIN, "--set", "network.name=resnet"], EXIT_USAGE),
    ("trainer", ["train", "mobilenet_v2", *TRAIN, "--groups", "rows:2"], EXIT_USAGE),
    ("trainer", ["train", "mobilenet_v2", *TRAIN, "--groups", "pattern:("], EXIT_USAGE),
    ("trainer", ["train", "mobilenet_v2", *TRAIN, "--add", "nowhere"], EXIT_DATA),
    ("trainer", ["train", "mobilenet_v2", "--data", "gone", "--out", "run"], EXIT_DATA),
    ("trainer", ["train", "mobilenet_v2", "--data", "photos", "--out", "photos"], EXIT_IO),
    ("trainer", ["cross-validate", "mobilenet", "--data", "photos"], EXIT_USAGE),
    ("trainer", ["cross-validate", "mobilenet_v2", "--data", "gone"], EXIT_DATA),
    ("trainer", ["cross-validate", "mobilenet_v2", "--data", "x", "--folds", "1"], EXIT_USAGE),
    ("trainer", ["find-rate", "mobilenet", "--data", "photos"], EXIT_USAGE),
    ("trainer", ["recipes", "check", "mobilenet"], EXIT_USAGE),
    ("trainer", ["recipes", "list"], EXIT_OK),
    ("trainer", ["data", "check", "gone"], EXIT_DATA),
    ("converter", ["convert", "--help"], EXIT_OK),
    ("converter", ["convert", "gone", "--out", "bundle"], EXIT_DATA),
    ("converter", ["convert", "photos", "--out", "bundle"], EXIT_DATA),
    ("converter", ["convert", "photos", "--out", "photos"], EXIT_IO),
    ("converter", ["convert", "photos", "--out", "bundle", "--formats", "onnx"], EXIT_USAGE),
    ("converter", ["check-parity", "gone", "--data", "photos"], EXIT_DATA),
    ("converter", ["compare", "gone", "gone", "--data", "photos"], EXIT_DATA),
    ("converter", ["inspect", "gone"], EXIT_DATA),
    ("edge", ["run", "gone.yaml"], EXIT_CONFIG),
    ("edge", ["classify", "gone", "photos/red/1.png"], EXIT_DATA),
]  # fmt: skip


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[int, list[str]]]:
    """How each case ended and what it had loaded by then, all in one fresh process."""
    folder = tmp_path_factory.mktemp("words")
    for label, colour in BGR.items():
        write_picture(folder / "photos" / label / "1.png", colour)
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=folder,
        input=json.dumps([case[:2] for case in CASES]),
        capture_output=True,
        text=True,
    )
    lines = [line[2:] for line in done.stdout.splitlines() if line.startswith("@ ")]
    assert len(lines) == len(CASES), done.stderr
    return [(code, loaded) for code, loaded in map(json.loads, lines)]


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda n: " ".join(CASES[n][1]))
def test_it_is_told_before_tensorflow_is_loaded(
    ended: list[tuple[int, list[str]]], number: int
) -> None:
    assert ended[number] == (CASES[number][2], [])
