"""A training that is killed by a signal nothing can catch, and gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge.errors import EXIT_IO
from tests.trainer.test_training import draw_photos

RECIPE = """
name: drawn
network: {name: convnet, alpha: 0.5, weights: none, dropout: 0.2}
input: {height: 32, width: 32, geometry: squash}
augment: {copies: 1}
phases:
  - {name: first, train_from: input, epochs: 3, learning_rate: 0.003, mixup: 0.2, ema: 0.9}
  - {name: second, train_from: input, epochs: 3, learning_rate: 0.001}
accept: {folds: 2, epochs: 1}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed")
    draw_photos(folder / "photos", count=20)
    (folder / "drawn.yaml").write_text(RECIPE, encoding="utf-8")
    return folder


def start(folder: Path, out: str, *more: str) -> subprocess.Popen[str]:
    words = ["train", str(folder / "drawn.yaml"), "--data", str(folder / "photos"), "--out"]
    return subprocess.Popen(
        [sys.executable, "-m", "trainer", *words, str(folder / out), *more],
        env=os.environ | {"PILAH_CACHE": str(folder / "cache")},
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    said = process.communicate()[1]
    return process.returncode, said


def metrics(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def whole(folder: Path) -> dict[str, Any]:
    code, said = finish(start(folder, "whole"))
    assert code == 0, said
    return metrics(folder / "whole")


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("60 pictures in", marks=pytest.mark.slow),
        "phase first: 3 epochs",
        pytest.param("phase second: 3 epochs", marks=pytest.mark.slow),
        "thresholds: 2 models",
    ],
)
def test_it_comes_to_the_same_figures(folder: Path, whole: dict[str, Any], moment: str) -> None:
    out = moment.partition(":")[0].replace(" ", "-")
    process = start(folder, out)
    assert process.stderr is not None
    for line in process.stderr:
        if moment in line:
            process.send_signal(signal.SIGKILL)
            break
    finish(process)
    assert process.returncode == -signal.SIGKILL
    assert not (folder / out).exists()

    code, said = finish(start(folder, out))
    assert code == EXIT_IO, said
    assert "--resume" in said

    code, said = finish(start(folder, out, "--resume"))
    assert code == 0, said
    assert ("going on after epoch 3" in said) == (moment != "60 pictures in")
    found = metrics(folder / out)
    assert found["test"] == whole["test"]
    assert found["validation"] == whole["validation"]
    assert found["thresholds"] == whole["thresholds"]
    assert not (folder / f".{out}.training").exists()
