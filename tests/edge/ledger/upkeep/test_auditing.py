"""Items that are drawn and audited."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from edge.core.errors import UsageError
from edge.core.uuid7 import uuid7_text
from edge.events import ItemAudited
from edge.ledger.ledger import Ledger
from edge.ledger.upkeep.auditing import AuditFinding, audit, drawn_items
from tests.edge.ledger.entries import entry


def made(path: Path, number: int) -> Path:
    with Ledger(path) as ledger:
        ledger.append([
            entry(
                n, id=uuid7_text(1_795_302_276_123, 0, n * 7919), accepted=n % 10 != 0,
                lane="metal" if n % 2 else "glass", confidence=(n % 100) / 100,
            )
            for n in range(1, number + 1)
        ])  # fmt: skip
    return path


def test_accepted_items_are_drawn_whatever_their_lane(tmp_path: Path) -> None:
    found = drawn_items(made(tmp_path / "l.sqlite", 2000), 400)
    assert len(found) == 400
    assert all(item.row["accepted"] for item in found)
    lanes = Counter(item.row["lane"] for item in found)
    assert 150 < lanes["metal"] < 300
    assert 0.4 < sum(item.row["confidence"] for item in found) / 400 < 0.6


def test_those_that_were_audited_are_not_drawn_again(tmp_path: Path) -> None:
    path = made(tmp_path / "l.sqlite", 20)
    first = drawn_items(path, 3)
    assert drawn_items(path, 3) == first
    done = audit(path, first[0].row["id"], AuditFinding("can", "metal", "ana"))
    assert [item.row["id"] for item in drawn_items(path, 2)] == [
        item.row["id"] for item in first[1:]
    ]
    with Ledger(path) as ledger:
        (event,) = ledger.happenings()
    assert event == done
    assert isinstance(event, ItemAudited)
    assert (event.item_id, event.label, event.lane, event.who, event.drawn) == (
        first[0].row["id"], "can", "metal", "ana", True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("item", "label", "said"),
    [
        ("7", "can", "is no id of an item"),
        ("01890000-0000-7000-8000-000000000000", "can", "has no item with the id"),
        ("", "a\nb", "label must be one line of text"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, item: str, label: str, said: str) -> None:
    path = made(tmp_path / "l.sqlite", 1)
    with pytest.raises(UsageError, match=said):
        audit(path, item, AuditFinding(label, None, "ana"))
    with Ledger(path) as ledger:
        assert list(ledger.happenings()) == []
