"""The stops of a run are those that were planted; and the comparison sees where they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.ledger import opening
from edge.ledger.recovering import RecoveringLedger
from tests.benchmarks.planted_stops import KINDS, faults_of, measure


def test_each_kind_of_stop_is_told_with_its_state_its_reason_and_its_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "LedgerProcess", RecoveringLedger)  # it starts no process
    found = measure(tmp_path, count=len(KINDS), seed=1)
    assert len({stop["reason"] for stop in found["stops"]}) == 8
    assert faults_of(found) == []
    found["stops"][0] |= {"reason": "jam", "seconds": 99.0}
    assert len(faults_of(found)) == 2
    found["factors"]["oee"][0] += 0.006
    assert len(faults_of(found)) == 3
    found["passed_a_belt_that_stood"] = 2
    assert "2 items passed the camera while the belt was to stand" in faults_of(found)
    del found["stops"][-1]
    assert "9 stops were planted, and 8 are told of" in faults_of(found)
