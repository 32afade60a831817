"""The search for the highest rate at which a purity holds."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from edge.core.errors import UsageError
from edge.core.model.metrics import Share
from edge.simulation.rate_search import RateSearch, check_count, fewest_items, find_rate, is_carried


def world(
    pure_until: float, *, carries: float = float("inf"), asked: list[float] | None = None
) -> Callable[[float], Any]:
    """Runs of 1000 items, of which all are right up to a rate, and 900 above it."""

    def run(rate: float) -> Any:
        if asked is not None:
            asked.append(rate)
        carried = min(rate, carries)
        right = 1000 if carried <= pure_until else 900
        return SimpleNamespace(
            purity=Share(right, 1000), recovery=Share(right, 1100), items_per_second=carried
        )

    return run


def found(pure_until: float, start: float = 1.0, **options: Any) -> RateSearch:
    return find_rate(0.99, start=start, run=world(pure_until, **options))


@pytest.mark.parametrize("pure_until", [0.2, 0.9, 1.0, 3.3, 20.0])
def test_it_finds_the_rate_within_five_percent_from_wherever_it_starts(pure_until: float) -> None:
    asked: list[float] = []
    search = found(pure_until, asked=asked)
    assert search.best is not None
    assert search.beyond is not None
    assert search.best.carried <= pure_until < search.beyond
    assert search.beyond / search.best.carried <= 1.0501
    assert len(asked) == len(set(asked)) <= 12
    assert f"holds up to {search.best.carried:.2f} items a second" in search.conclusion
    assert search.to_json()["rate"] == round(search.best.carried, 4)


def test_where_no_more_can_come_it_says_so() -> None:
    search = found(10.0, carries=3.0)
    assert search.saturated
    assert search.best is not None
    assert search.best.carried == 3.0
    assert search.conclusion.endswith("up to 3.00 items a second, and no more can come")


def test_where_it_holds_at_no_rate_there_is_none() -> None:
    search = found(0.0)
    assert search.best is None
    assert search.to_json()["rate"] is None
    assert "holds at no rate that was tried, down to 0.02" in search.conclusion


def test_the_table_is_in_the_order_of_the_rates() -> None:
    rates = [float(line.split()[0]) for line in found(3.3).lines()[1:-1]]
    assert rates == sorted(rates)


@pytest.mark.parametrize(("purity", "fewest"), [(0.5, 4), (0.9, 35), (0.95, 73), (0.99, 381)])
def test_too_few_items_can_show_no_purity(purity: float, fewest: int) -> None:
    assert fewest_items(purity) == fewest
    low = Share(fewest, fewest).interval
    before = Share(fewest - 1, fewest - 1).interval
    assert low is not None
    assert before is not None
    assert before[0] < purity <= low[0]
    check_count(fewest, purity)
    with pytest.raises(UsageError, match=f"needs --count {fewest} or more"):
        check_count(fewest - 1, purity)


@pytest.mark.parametrize(
    ("came", "items", "carried"),
    [(0.8, 2, True), (0.8, 5, True), (0.8, 200, False), (0.88, 200, True), (0.5, 2, False)],
)
def test_a_long_gap_among_few_items_is_no_limit(came: float, items: int, carried: bool) -> None:
    assert is_carried(1.0, came, items=items) is carried
