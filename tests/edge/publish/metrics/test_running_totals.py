from __future__ import annotations

from edge.publish.metrics.running_totals import RunningTotals


def test_counts_go_on_where_a_station_was_started_again() -> None:
    totals = RunningTotals()
    seen = []
    for run, dropped in (("1", 3), ("1", 5), ("2", 0), ("2", 2), ("3", 1)):
        totals.see(run, {("dropped",): dropped})
        seen.append(totals.totals["dropped",])
    assert seen == [3, 5, 5, 7, 8]


def test_a_key_that_was_seen_once_stays() -> None:
    totals = RunningTotals()
    totals.see("1", {("fault", "torn"): 2, ("lost", "item"): 0})
    totals.see("2", {})
    assert totals.totals == {("fault", "torn"): 2, ("lost", "item"): 0}
