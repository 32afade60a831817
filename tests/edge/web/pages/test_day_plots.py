from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from edge.ledger.reports.oee import AuditedPurity
from edge.web.language.languages import read_languages
from edge.web.pages.day_plots import (
    GROUPS,
    count_plot,
    latency_groups,
    latency_plot,
    purity_plot,
)

NOTHING = AuditedPurity(0, 0)
ENGLISH = read_languages()["en"]


@dataclass(frozen=True)
class Told:
    day: date
    items: int
    rejected: int
    purity: AuditedPurity = NOTHING


DAYS = [  # the newest first, as the page has them
    Told(date(2026, 11, 30), 100, 25, AuditedPurity(50, 49)),
    Told(date(2026, 11, 29), 0, 0),
    Told(date(2026, 11, 28), 40, 0, AuditedPurity(10, 10)),
]


def test_counts_are_drawn_from_the_oldest_to_the_newest() -> None:
    found = count_plot(DAYS, ENGLISH)
    assert found is not None
    assert [word.text for word in found.across] == ["28 Nov", "29 Nov", "30 Nov"]
    oldest, _, newest = found.marks
    assert oldest.x < newest.x
    assert oldest.low == oldest.high  # nothing was rejected
    assert (found.floor - newest.low) / (found.floor - newest.high) == 0.75


def test_purity_has_its_interval_and_days_without_audits_are_empty() -> None:
    found = purity_plot(DAYS, ENGLISH)
    assert found is not None
    assert len(found.marks) == 2
    wide, narrow = found.marks
    assert wide.low - wide.high > narrow.low - narrow.high
    assert found.up[-1].text == "100%"


def test_nothing_has_no_plot() -> None:
    quiet = [Told(date(2026, 11, 30), 0, 0)]
    assert count_plot(quiet, ENGLISH) is None
    assert purity_plot(quiet, ENGLISH) is None
    assert latency_plot([], ENGLISH) is None
    assert latency_groups([]) == []


def test_latencies_are_grouped_by_time() -> None:
    newest_first = [(f"2026-11-30T10:{59 - number:02}:00Z", float(number)) for number in range(48)]
    groups = latency_groups(newest_first)
    assert len(groups) == GROUPS
    assert [group.items for group in groups] == [4] * GROUPS
    last = groups[-1]
    assert (last.end, last.fastest, last.median, last.slowest) == (
        "2026-11-30T10:59:00Z", 0.0, 1.5, 3.0,
    )  # fmt: skip
    assert latency_plot(groups, ENGLISH) is not None
    assert len(latency_groups(newest_first[:3])) == 3
