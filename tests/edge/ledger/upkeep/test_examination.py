from __future__ import annotations

from pathlib import Path

import pytest

from edge.core.errors import LedgerDamagedError, LedgerMissingError
from edge.ledger.ledger import Ledger
from edge.ledger.schema import HEAD
from edge.ledger.upkeep.examination import examine
from tests.edge.ledger.entries import actuation, entry


@pytest.mark.parametrize("full", [False, True])
def test_what_is_in_a_whole_ledger(tmp_path: Path, full: bool) -> None:
    file = tmp_path / "ledger.sqlite"
    with Ledger(file) as ledger:
        ledger.append([entry(1), entry(2), actuation(1)])
        found = examine(file, full=full)  # while it is written
    assert found.rows == {"items": 2, "actuations": 1, "events": 0, "corrections": 0}
    assert (found.schema, found.first, found.last) == (HEAD, entry(1).time, entry(1).time)


def test_damage_is_told(tmp_path: Path) -> None:
    file = tmp_path / "ledger.sqlite"
    with pytest.raises(LedgerMissingError):
        examine(file)
    with Ledger(file) as ledger:
        ledger.append([entry(item) for item in range(100)])
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2 :] = b"\xff" * (len(raw) - len(raw) // 2)
    file.write_bytes(raw)
    with pytest.raises(LedgerDamagedError, match="is damaged"):
        examine(file)
