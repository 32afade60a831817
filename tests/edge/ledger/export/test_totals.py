from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from edge.core.errors import LedgerError, LedgerMissingError
from edge.ledger.export import totals as module
from edge.ledger.export.totals import Histogram, LedgerTotals
from edge.ledger.ledger import Ledger
from tests.edge.ledger.entries import actuation, correction, entry


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


DUE = "2026-11-21T23:04:59.990000Z"


def test_rows_are_counted_by_what_they_say(path: Path) -> None:
    totals = LedgerTotals(path)
    with Ledger(path) as ledger:
        ledger.append([
            entry(1, quantity=6, latency_ms=12.0),
            entry(2, lane="rest", accepted=False, reject="late", actuation="missed", missed="late"),
            entry(3, label=None, lane="rest", accepted=False, reject="unreadable"),
            entry(4, actuation="planned", due=DUE),
            actuation(4, ended="2026-11-21T23:05:00.000000Z"),
            correction(1, "label", "can", "bottle"),
            correction(2, "lane", "rest", "metal"),
            correction(1, "label", "bottle", "can", second=1),
        ])  # fmt: skip
        totals.update()
    assert totals.complete
    assert totals.items == {
        ("can", "metal", None): 2,
        ("can", "rest", "late"): 1,
        (None, "rest", "unreadable"): 1,
    }
    assert totals.pieces == {"metal": 7, "rest": 2}
    assert totals.actuations == {("metal", None): 1, ("rest", "late"): 1}
    assert totals.corrections == {"label": 2, "lane": 1}
    assert totals.latency.total == pytest.approx((12.0 + 3 * 4.2) / 1000)
    assert totals.latency.cumulative[:3] == [3, 3, 4]
    assert totals.latency.cumulative[-1] == 4
    assert totals.lateness.total == pytest.approx(0.01)
    assert totals.lateness.cumulative == [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1]


def test_each_row_is_read_once_and_rows_that_come_later_are_added(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAGE", 3)
    totals = LedgerTotals(path)
    with Ledger(path) as ledger:
        seen = []
        for first in (0, 7, 14):
            ledger.append([entry(first + number) for number in range(7)])
            totals.update()
            totals.update()
            seen.append(totals.items["can", "metal", None])
    assert seen == [7, 14, 21]
    assert totals.latency.cumulative[-1] == 21


def test_an_actuation_is_counted_when_it_ends_in_whatever_order(path: Path) -> None:
    totals = LedgerTotals(path)
    with Ledger(path) as ledger:
        ledger.append([entry(number, actuation="planned", due=DUE) for number in range(4)])
        totals.update()
        assert totals.actuations == {}
        ledger.append([actuation(2), actuation(0, missed="cooling")])
        totals.update()
        ledger.append([actuation(1)])
        totals.update()
        totals.update()
    assert totals.actuations == {("metal", None): 2, ("metal", "cooling"): 1}


def test_actuations_that_never_end_are_not_looked_for_for_ever(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PENDING", 2)
    totals = LedgerTotals(path)
    with Ledger(path) as ledger:
        ledger.append([entry(number, actuation="planned", due=DUE) for number in range(9)])
        totals.update()
        ledger.append([actuation(number) for number in range(9)])
        totals.update()
    assert totals.actuations == {("metal", None): 2}


def test_counts_outlive_a_ledger_that_was_set_aside(path: Path) -> None:
    totals = LedgerTotals(path)
    with Ledger(path) as ledger:
        ledger.append([entry(number) for number in range(5)])
        ledger.append([correction(1, "label", "can", "bottle")])
        totals.update()
    path.rename(path.with_name("damaged"))
    with Ledger(path) as ledger:
        ledger.append([entry(number) for number in range(7)])
        ledger.append([correction(2, "label", "can", "bottle")])
        totals.update()
        totals.update()
    assert totals.items == {("can", "metal", None): 12}
    assert totals.corrections == {"label": 2}


def test_no_ledger_and_no_ledger_at_all_are_errors_and_change_nothing(path: Path) -> None:
    totals = LedgerTotals(path)
    with pytest.raises(LedgerMissingError):
        totals.update()
    path.write_text("no database")
    with pytest.raises(LedgerError):
        totals.update()
    assert not totals.complete
    assert totals.items == Counter()


def test_a_value_that_equals_a_bound_is_below_it() -> None:
    histogram = Histogram((0.1, 0.5))
    for value in (0.1, 0.2, 0.5, 0.6):
        histogram.add(value)
    assert histogram.cumulative == [1, 3, 4]
    assert histogram.total == pytest.approx(1.4)
