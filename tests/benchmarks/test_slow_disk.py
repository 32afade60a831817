from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.benchmarks.slow_disk import run, slow_fsync, small_disk


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler, to slow a disk down")
def test_on_a_slow_disk_every_item_is_sorted_and_in_the_ledger(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    found = run(tmp_path, seconds=6, environment=slow_fsync(tmp_path / "disk"))
    assert (found.code, found.rows) == (0, found.sorted_items)
    assert found.rows > 50
    assert found.outage == []
    assert 0 < found.photographs < found.rows  # there was no time for more


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount a small disk")
def test_on_a_disk_that_is_full_for_a_while_an_incident_is_said_and_no_row_is_lost(
    tmp_path: Path,
) -> None:
    (tmp_path / "disk").mkdir()
    with small_disk(tmp_path / "disk"):
        found = run(tmp_path, seconds=9, environment={}, full=True)
    assert (found.code, found.rows) == (0, found.sorted_items)
    assert found.outage == ["ledger_failed", "ledger_back"]
    said = "\n".join(found.said)
    assert "the disk is full: free some space. Sorting goes on; rows wait in" in said
    assert "photographs cannot be kept: the disk of" in said
    assert "it can be written again" in said
    assert "photographs can be kept again" in said
