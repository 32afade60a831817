from __future__ import annotations

from pathlib import Path

import pytest

from tests.disks import Disk
from tests.edge.ledger.killing import end_and_compare, power_cut


def test_what_a_killed_process_showed_is_in_the_ledger_after_the_next_start(
    tmp_path: Path,
) -> None:
    assert end_and_compare(tmp_path, 5, seed=1) > 5


@pytest.mark.slow
def test_what_was_shown_before_a_power_cut_is_in_the_ledger_after_the_next_start(
    disk: Disk,
) -> None:
    assert end_and_compare(disk.folder, 3, seed=1, end=power_cut(disk)) > 3
