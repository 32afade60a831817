"""Several machines' commands share a sweep of real trainings; one of them is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from tests.trainer.session.test_training import DRAWN, draw_photos
from trainer.sweep.storage import opened_storage

pytestmark = pytest.mark.slow

TOTAL = 5
COMMAND = """
import sys
from functools import partial
from tests.trainer.tiny import tiny_network
from trainer.cli import main
from trainer.sweep import trials

trials.SignsOfLife = partial(trials.SignsOfLife, every=1.0, dead_after=20.0)
with tiny_network():
    sys.exit(main(sys.argv[1:]))
"""
"""`pilah-trainer`, which may name the network `tiny` and takes a silent process for dead sooner."""


def started(folder: Path, name: str) -> subprocess.Popen[bytes]:
    words = ["sweep", str(folder / "drawn.yaml"), "--data", str(folder / "photos")]
    words += ["--storage", str(folder / "journal"), "--out", str(folder / name)]
    words += ["--trials", str(TOTAL)]
    with (folder / f"{name}.log").open("w") as log:
        return subprocess.Popen(
            [sys.executable, "-c", COMMAND, *words],
            env=os.environ | {"PILAH_CACHE": str(folder / "cache")},
            stdout=log,
            stderr=log,
        )


def running(folder: Path) -> int:
    """How many trials are being trained at this moment."""
    if not (folder / "journal").exists():
        return 0
    with opened_storage(str(folder / "journal")) as storage:
        names = optuna.get_all_study_names(storage)
        if not names:
            return 0
        study = optuna.load_study(study_name=names[0], storage=storage)
        states = [trial.state for trial in study.get_trials(deepcopy=False)]
    return states.count(TrialState.RUNNING)


def wait(alive: subprocess.Popen[bytes], until: Callable[[], bool]) -> None:
    while not until():
        assert alive.poll() is None, "it ended by itself"
        threading.Event().wait(0.1)


def test_of_three_commands_one_is_killed_and_every_trial_is_trained_once(tmp_path: Path) -> None:
    draw_photos(tmp_path / "photos", count=20)
    text = DRAWN.replace("epochs: 4", "epochs: 150")  # long enough to be killed amidst
    (tmp_path / "drawn.yaml").write_text(text, encoding="utf-8")
    victim = started(tmp_path, "victim")
    others: list[subprocess.Popen[bytes]] = []
    try:
        wait(victim, lambda: running(tmp_path) == 1)
        others = [started(tmp_path, "second"), started(tmp_path, "third")]
        wait(victim, lambda: running(tmp_path) >= 2)
        os.kill(victim.pid, signal.SIGKILL)
        for name, each in zip(("second", "third"), others, strict=True):
            assert each.wait() == 0, (tmp_path / f"{name}.log").read_text()
    finally:
        for each in (victim, *others):
            each.kill()
            each.wait()
    told: list[dict[str, Any]] = [
        json.loads((tmp_path / name / "sweep.json").read_text()) for name in ("second", "third")
    ]
    assert [each["done"] for each in told] == [TOTAL, TOTAL]
    assert told[0]["given_back"] == told[1]["given_back"] == 1
    assert told[0]["best"] == told[1]["best"]
    trained = told[0]["trials"]
    assert len({json.dumps(trial["values"]) for trial in trained}) == TOTAL
