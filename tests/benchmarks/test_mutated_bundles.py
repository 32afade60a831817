"""The short form of `make mutated`, and that it would find what it looks for."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.benchmarks.mutated_bundles import KINDS, MEGABYTES, SECONDS, Outcome


def test_a_few_changed_bundles_of_each_kind_are_taken_or_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.mutated_bundles", "--fork", "--each", "8"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [*([k, "8:"] for k in KINDS), ["faults", "0"]]


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (Outcome(-signal.SIGSEGV, "", 1.0, 50), "SIGSEGV"),
        (Outcome(1, "Traceback (most recent call last):", 1.0, 50), "exit code 1"),
        (Outcome(65, "Traceback (most recent call last):", 1.0, 50), "exit code 65"),
        (Outcome(69, "could not be tried", 1.0, 50), "exit code 69"),
        (Outcome(74, "cannot read", 1.0, 50), "exit code 74"),
        (Outcome(65, "", SECONDS + 1.0, 50), "31 s"),
        (Outcome(0, "", 1.0, MEGABYTES + 1), "401 MB"),
        (Outcome(65, "no bundle", 1.0, 50), ""),
        (Outcome(0, "", 1.0, 50), ""),
    ],
)
def test_what_must_not_be_is_seen(found: Outcome, fault: str) -> None:
    assert fault in found.fault
    assert bool(found.fault) == bool(fault)
