"""A training that is killed by a signal nothing can catch, and then continued."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.core.errors import EXIT_IO, EXIT_OK
from tests.trainer.session.test_training import DRAWN, draw_photos
from tests.trainer.tiny import tiny_network
from trainer.cli import main

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

ROOT = Path(__file__).parents[3]
RECIPE = """
name: drawn
network: {name: tiny, weights: none, dropout: 0.2}
input: {height: 32, width: 32, geometry: squash}
augment: {copies: 1}
phases:
  - {name: first, train_from: input, epochs: 3, learning_rate: 0.003, mixup: 0.2, ema: 0.9}
  - {name: second, train_from: input, epochs: 3, learning_rate: 0.001}
accept: {folds: 2, epochs: 1}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("killed")
    draw_photos(folder / "photos", count=20)
    (folder / "drawn.yaml").write_text(RECIPE, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PILAH_CACHE", str(folder / "cache"))
        with tiny_network():
            yield folder


def words(folder: Path, out: str, *more: str, recipe: str = "drawn.yaml") -> list[str]:
    """The command that trains on the pictures of `folder`."""
    data = ["--data", str(folder / "photos"), "--out", str(folder / out)]
    return ["train", str(folder / recipe), *data, *more]


KILLED = """
import os, signal, sys
from tests.trainer.tiny import tiny_network
from trainer.cli import main

moment, write = sys.argv.pop(1), sys.stderr.write

def last_words(text):
    written = write(text)
    if moment in text:
        os.kill(os.getpid(), signal.SIGKILL)
    return written

sys.stderr.write = last_words
with tiny_network():
    sys.exit(main())
"""
"""A training that is killed as it says `moment`, on a machine of any speed."""


def kill(folder: Path, out: str, moment: str, *, recipe: str = "drawn.yaml") -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, moment, *words(folder, out, recipe=recipe)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr


def metrics(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def whole(folder: Path) -> dict[str, Any]:
    assert main(words(folder, "whole")) == EXIT_OK
    return metrics(folder / "whole")


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("60 pictures in", marks=pytest.mark.slow),
        "phase first: 3 epochs",
        pytest.param("phase second: 3 epochs", marks=pytest.mark.slow),
        pytest.param("thresholds: 2 models", marks=pytest.mark.slow),
    ],
)
def test_it_comes_to_the_same_figures(
    folder: Path, whole: dict[str, Any], moment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = moment.partition(":")[0].replace(" ", "-")
    kill(folder, out, moment)
    assert not (folder / out).exists()

    assert main(words(folder, out)) == EXIT_IO
    assert "--resume" in capsys.readouterr().err

    assert main(words(folder, out, "--resume")) == EXIT_OK
    said = capsys.readouterr().err
    assert ("continuing after epoch 3" in said) == (moment != "60 pictures in")
    found = metrics(folder / out)
    assert found["test"] == whole["test"]
    assert found["validation"] == whole["validation"]
    assert found["thresholds"] == whole["thresholds"]
    assert not (folder / f".{out}.training").exists()


@pytest.mark.slow
def test_what_learns_from_a_teacher_comes_to_the_same_figures(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its teacher is not trained again."""
    teacher = f"{{teacher: {folder / 'teacher.yaml'}}}"
    (folder / "teacher.yaml").write_text(DRAWN, encoding="utf-8")
    (folder / "taught.yaml").write_text(f"{DRAWN}distill: {teacher}\n", encoding="utf-8")
    assert main(words(folder, "taught", recipe="taught.yaml")) == EXIT_OK
    shutil.rmtree(folder / "cache" / "teachers")
    kill(folder, "taught-again", "phase head: 20 epochs", recipe="taught.yaml")
    capsys.readouterr()
    assert main(words(folder, "taught-again", "--resume", recipe="taught.yaml")) == EXIT_OK
    said = capsys.readouterr().err
    assert "teacher.yaml, from the cache" in said
    assert "phase head: continuing after epoch 20" in said
    whole, again = metrics(folder / "taught"), metrics(folder / "taught-again")
    assert again["notes"][0].startswith("It learned from a teacher beside the labels")
    for key in ("notes", "test", "validation", "thresholds"):
        assert again[key] == whole[key]
