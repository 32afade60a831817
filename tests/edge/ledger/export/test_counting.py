from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edge.core.errors import LedgerMissingError
from edge.events import utc_text
from edge.ledger.export.counting import ItemCounts
from edge.ledger.ledger import Ledger
from tests.edge.ledger.entries import entry

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    file = tmp_path / "ledger.sqlite"
    add(file, (1, "metal", NOON), (2, "glass", NOON - timedelta(microseconds=1)))
    add(file, (3, "metal", NOON + HOUR - timedelta(microseconds=1)), (4, "metal", NOON + HOUR))
    return file


def add(file: Path, *items: tuple[int, str, datetime]) -> None:
    with Ledger(file) as opened:
        opened.append(
            [entry(item, lane=lane, time=utc_text(at.timestamp())) for item, lane, at in items]
        )


def test_an_item_is_in_the_span_that_begins_with_it(ledger: Path) -> None:
    spans = [(NOON - HOUR, NOON), (NOON, NOON + HOUR)]
    found = ItemCounts(ledger).counts(spans, NOON + HOUR)
    assert found == [Counter({("glass", True): 1}), Counter({("metal", True): 2})]


def test_spans_may_be_given_on_any_clock(ledger: Path) -> None:
    there = NOON.astimezone()
    assert ItemCounts(ledger).counts([(there, there + HOUR)], NOON) == [
        Counter({("metal", True): 2})
    ]


def test_a_span_is_counted_again_until_it_is_long_over(ledger: Path) -> None:
    counts = ItemCounts(ledger, settled_seconds=60)
    span = [(NOON, NOON + HOUR)]
    for seconds, late, counted in ((0, 5, 3), (60, 6, 4), (61, 7, 5), (62, 8, 5)):
        add(ledger, (late, "metal", NOON))
        found = counts.counts(span, NOON + HOUR + timedelta(seconds=seconds))
        assert found[0]["metal", True] == counted
    assert ItemCounts(ledger).counts(span, NOON + HOUR)[0]["metal", True] == 6


def test_without_a_ledger_there_is_nothing_to_count(tmp_path: Path) -> None:
    with pytest.raises(LedgerMissingError):
        ItemCounts(tmp_path / "ledger.sqlite").counts([(NOON, NOON + HOUR)], NOON)
