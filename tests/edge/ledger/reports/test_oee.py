"""Availability, performance and quality, and what they come to."""

from __future__ import annotations

import pytest

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
