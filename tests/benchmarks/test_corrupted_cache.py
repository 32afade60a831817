"""The short form of `make corrupted`: most ways to damage each kind of file of the cache."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.slow
def test_a_damaged_cache_never_gives_another_model() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.corrupted_cache", "--count", "24"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "same model, said" in done.stdout
