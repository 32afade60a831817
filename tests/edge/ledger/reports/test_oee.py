"""Availability, performance and quality, and what they come to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.model.wilson import wilson
from edge.ledger.reports.oee import AuditedPurity, Effectiveness


def test_oee_is_their_product_with_the_interval_of_the_quality() -> None:
    found = Effectiveness(1000, 800, 1200, 2.0, AuditedPurity(50, 48))
    assert found.availability == 0.8
    assert found.performance == 0.75
    assert found.quality.share == 0.96
    assert found.oee == pytest.approx(0.8 * 0.75 * 0.96)
    low, high = wilson(0.96, 50)
    assert found.oee_interval == pytest.approx((0.6 * low, 0.6 * high))


@pytest.mark.parametrize(
    "found",
    [
        Effectiveness(1000, 800, 1200, 2.0, AuditedPurity(0, 0)),
        Effectiveness(1000, 800, 1200, None, AuditedPurity(50, 48)),
        Effectiveness(0, 0, 0, 2.0, AuditedPurity(50, 48)),
    ],
    ids=["nothing audited", "no rate", "no time"],
)
def test_what_is_not_known_is_not_made_up(found: Effectiveness) -> None:
    assert found.oee is None
    assert found.oee_interval is None


@given(
    planned=st.floats(1, 1e7),
    share=st.floats(0.001, 1),
    items=st.integers(0, 10**6),
    rate=st.floats(0.001, 1000),
    audited=st.integers(1, 10_000),
    data=st.data(),
)
def test_the_product_lies_within_its_interval_and_within_its_factors(
    planned: float, share: float, items: int, rate: float, audited: int, data: st.DataObject
) -> None:
    purity = AuditedPurity(audited, data.draw(st.integers(0, audited)))
    found = Effectiveness(planned, share * planned, items, rate, purity)
    assert found.availability == pytest.approx(share)
    assert found.performance == pytest.approx(items / rate / (share * planned))
    assert found.oee is not None
    assert found.oee_interval is not None
    low, high = found.oee_interval
    assert low <= found.oee * (1 + 1e-9)
    assert found.oee <= high * (1 + 1e-9)
    # What is lost to one factor cannot be lost to another one again.
    assert found.oee == pytest.approx(items / rate / planned * purity.right / audited)
    if found.performance is not None and found.performance <= 1:
        assert 0 <= found.oee <= 1 + 1e-9
