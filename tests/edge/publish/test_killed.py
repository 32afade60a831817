"""Recorder and publisher are killed, and the broker is away: nothing is lost, and all in order."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.edge.publish.broker import mosquitto
from tests.test_architecture import ROOT

CASES = {
    "killed": (["killed", "--cycles", "5", "--seed", "1"], "5 cycles"),
    "away": (["away", "--items", "1000"], "1,000 at the subscriber in order"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_all_that_was_recorded_reaches_the_broker(case: str) -> None:
    mosquitto()
    words, expected = CASES[case]
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.publishing", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout
