from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from edge.core.errors import UsageError
from edge.events import ItemAudited, ItemCorrected
from edge.ledger.export.reading import find_item
from edge.ledger.ledger import Ledger
from edge.ledger.reports.reading import audited_items
from edge.ledger.upkeep.reviewing import NOT_AN_ITEM, ReviewDecision, decided_items, review
from tests.edge.ledger.entries import entry

LANES = {"metal": ["can"], "glass": ["bottle"], "rest": []}
NOON = 1_795_302_600.0


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    file = tmp_path / "ledger.sqlite"
    with Ledger(file) as opened:
        opened.append([entry(number) for number in (1, 2, 3)])
    return file


SECONDS = itertools.count(1)


def decide(ledger: Path, number: int, label: str | None, *, drawn: bool = False) -> list[object]:
    """A decision, a second after the one before: of two at one time none is the newer one."""
    decision = ReviewDecision(entry(number).id, label, drawn)
    at = NOON + next(SECONDS)
    return list(review(ledger, [decision], LANES, who="Ana", wall=lambda: at))


def test_a_right_label_is_audited_and_not_corrected(ledger: Path) -> None:
    (event,) = decide(ledger, 1, "can", drawn=True)
    assert isinstance(event, ItemAudited)
    assert (event.label, event.lane, event.who, event.drawn) == ("can", "metal", "Ana", True)


def test_another_label_is_corrected_too(ledger: Path) -> None:
    audit, correction = decide(ledger, 1, "bottle")
    assert isinstance(audit, ItemAudited)
    assert audit.lane == "glass"
    assert isinstance(correction, ItemCorrected)
    assert (correction.field, correction.old, correction.new) == ("label", "can", "bottle")


def test_what_is_taken_back_is_as_the_station_said_and_decided_no_more(ledger: Path) -> None:
    decide(ledger, 1, "bottle")
    assert decided_items(ledger, 0) == {entry(1).id}
    audit, correction = decide(ledger, 1, None)
    assert isinstance(audit, ItemAudited)
    assert audit.lane is None  # so that it counts for no purity
    assert isinstance(correction, ItemCorrected)
    assert correction.new == "can"
    assert decided_items(ledger, 0) == set()
    found = find_item(ledger, entry(1).id)
    assert found is not None
    assert found.corrected["label"] == "can"


def test_no_item_is_decided_on_without_a_lane(ledger: Path) -> None:
    (event,) = decide(ledger, 1, NOT_AN_ITEM)
    assert isinstance(event, ItemAudited)
    assert (event.label, event.lane) == (NOT_AN_ITEM, None)
    assert decided_items(ledger, 0) == {entry(1).id}
    assert decided_items(ledger, NOON + 10_000) == set()  # audits before are not looked at


@pytest.mark.parametrize(
    ("item", "label"), [(entry(9).id, "can"), ("x", "can"), (entry(2).id, "gold")]
)
def test_all_decisions_are_written_or_none(ledger: Path, item: str, label: str) -> None:
    decisions = [ReviewDecision(entry(1).id, "bottle"), ReviewDecision(item, label)]
    with pytest.raises(UsageError):
        review(ledger, decisions, LANES, who="Ana")
    assert decided_items(ledger, 0) == set()


@pytest.mark.parametrize(
    ("labels", "right"),
    [
        (["bottle"], [False]),
        (["bottle", "can"], [True]),
        (["bottle", None], []),
        (["bottle", None, "can"], [True]),
        (["can", NOT_AN_ITEM], []),
        ([NOT_AN_ITEM], []),
    ],
)
def test_the_newest_decision_alone_counts_for_purity(
    ledger: Path, labels: list[str | None], right: list[bool]
) -> None:
    for label in labels:
        decide(ledger, 1, label, drawn=True)
    assert [one for _, one in audited_items(ledger, "", "~")] == right


def test_an_item_that_was_drawn_stays_of_the_sample_whoever_looks_again(ledger: Path) -> None:
    decide(ledger, 1, "can", drawn=True)
    decide(ledger, 1, "bottle")
    decide(ledger, 2, "bottle")
    assert [right for _, right in audited_items(ledger, "", "~")] == [False]
